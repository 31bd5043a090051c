using System.Diagnostics;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Storage;
using FlashSale.Storage.Redis;

using Xunit;

using static FlashSale.Tests.Storage.GateContract;

namespace FlashSale.Tests.Storage;

/// <summary>Admissions that share a call. They come while the server is frozen, behind one that is under way.</summary>
public sealed class RedisGateBatchTests(OneRedisServer redis) : IClassFixture<OneRedisServer>, IAsyncDisposable
{
    private static readonly SaleId SaleId = GateContract.SaleId;
    private static readonly OfferId OfferId = GateContract.OfferId;
    private static readonly DateTimeOffset Open = Opening.AddSeconds(1);
    private readonly List<RedisGate> opened = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var gate in opened)
        {
            await gate.DisposeAsync();
        }
    }

    [Fact]
    public async Task AdmitAsync_OfTheSameOrderOrUser_DecidesOneAfterTheOther()
    {
        var gate = await WarmAsync(Sale(2), stock: 10);
        var first = Id();
        var outcomes = await AdmitTogetherAsync(
            gate, Of("alice", first), Of("alice", first), Of("alice"), Of("alice"), Of("bob"), Of("alice", first));
        Assert.Equal(
            [
                AdmissionOutcome.Admitted, AdmissionOutcome.Repeated, AdmissionOutcome.Admitted, AdmissionOutcome.LimitReached, AdmissionOutcome.Admitted,
                AdmissionOutcome.Repeated,
            ],
            outcomes);
        Assert.Equal(new GateStock(6, 4, 10, 1), await gate.ReadAsync(OfferId, default));
        Assert.Equal(4, (await gate.CountAsync(SaleId, default))!.Value.Orders);
        Assert.Equal([AdmissionOutcome.LimitReached, AdmissionOutcome.Admitted, AdmissionOutcome.LimitReached], await AdmitTogetherAsync(gate, Of("alice"), Of("bob"), Of("bob")));
    }

    [Fact]
    public async Task AdmitAsync_OverTheEdgesOfTheSale_GoesByEachOnesTime()
    {
        var gate = await WarmAsync(Sale(1), stock: 10);
        var (early, late) = (Opening.AddMilliseconds(-1), Opening.AddMinutes(10));
        var outcomes = await AdmitTogetherAsync(
            gate, Of("a", at: early), Of("b", at: early), Of("c", at: Opening), Of("d", at: Opening), Of("e", at: late.AddMilliseconds(-1)), Of("f", at: late),
            Of("g", at: late), Of("h", at: Opening));
        Assert.Equal(
            [
                AdmissionOutcome.SaleNotOpen, AdmissionOutcome.SaleNotOpen, AdmissionOutcome.Admitted, AdmissionOutcome.Admitted, AdmissionOutcome.Admitted,
                AdmissionOutcome.SaleEnded, AdmissionOutcome.SaleEnded, AdmissionOutcome.Admitted,
            ],
            outcomes);
    }

    [Fact]
    public async Task AdmitAsync_WhenEligibilityDiffers_GoesByEachUser()
    {
        var sale = Sale(1) with { RequiresReservation = true, ReservationOpensAt = Opening.AddHours(-1), ReservationClosesAt = Opening };
        var gate = await WarmAsync(sale, stock: 10);
        foreach (var user in new[] { "opener", "early", "barred", "released" })
        {
            await gate.ReserveAsync(SaleId, UserId.Parse(user), approved: true, default);
        }

        await gate.ReserveAsync(SaleId, UserId.Parse("rejected"), approved: false, default);
        await gate.BarAsync(UserId.Parse("barred"), Open.AddMilliseconds(1), default);
        await gate.BarAsync(UserId.Parse("released"), Open, default);
        Assert.Equal(
            [
                AdmissionOutcome.NotReserved, AdmissionOutcome.NotEligible, AdmissionOutcome.Admitted, AdmissionOutcome.NotEligible, AdmissionOutcome.Admitted,
                AdmissionOutcome.LimitReached,
            ],
            await AdmitTogetherAsync(gate, Of("stranger"), Of("rejected"), Of("early"), Of("barred"), Of("released"), Of("early")));
    }

    [Fact]
    public async Task AdmitAsync_WhenSomeComeFromBarredOrigins_LeavesTheOthersAlone()
    {
        var gate = await WarmAsync(Sale(1), stock: 10);
        var first = Id();
        Assert.Equal(
            [
                AdmissionOutcome.NotEligible, AdmissionOutcome.Admitted, AdmissionOutcome.NotEligible, AdmissionOutcome.NotEligible, AdmissionOutcome.Admitted,
                AdmissionOutcome.Repeated, AdmissionOutcome.Admitted, AdmissionOutcome.SaleNotOpen,
            ],
            await AdmitTogetherAsync(
                gate, Of("a") with { IsBarred = true }, Of("b", first), Of("c") with { IsBarred = true }, Of("d") with { IsBarred = true }, Of("e"),
                Of("b", first) with { IsBarred = true }, Of("f"), Of("g", at: Opening.AddMilliseconds(-1)) with { IsBarred = true }));

        // Its time is noted as it is: it grows old as any other.
        Assert.Equal(4, (await gate.ReadAsync(OfferId, default))!.Value.Pending);
    }

    [Fact]
    public async Task AdmitAsync_OfMoreThanThereIs_GivesUnitsInOrderAndUndoesTheRest()
    {
        var options = Options(shards: 2);
        var gate = await WarmAsync(Sale(1), stock: 6, options);
        var sale = new RedisSale(SaleId, options);
        var home = sale.HomeOf(UserId.Parse("opener"));
        AdmissionRequest[] requests = [.. Enumerable.Range(0, 100).Select(i => $"user-{i}").Where(user => sale.HomeOf(UserId.Parse(user)) == home).Take(10).Select(user => Of(user))];

        // One of three at home has gone before; two are left here, three there.
        var outcomes = await AdmitTogetherAsync(gate, requests);
        Assert.Equal([.. Enumerable.Repeat(AdmissionOutcome.Admitted, 5), .. Enumerable.Repeat(AdmissionOutcome.Standby, 5)], outcomes);
        Assert.Equal(new GateStock(0, 6, 6, 1), await gate.ReadAsync(OfferId, default));
        Assert.Equal(6, (await gate.CountAsync(SaleId, default))!.Value.Orders);

        SettledOrder[] refused = [.. requests.Take(5).Select(request => new SettledOrder(request.OrderId, request.UserId))];
        await gate.SettleAsync(new Settlement(OfferId, null, [], refused, [], null), default);
        Assert.Equal(new GateStock(5, 1, 6, 1), await gate.ReadAsync(OfferId, default));
        Assert.Equal(AdmissionOutcome.Admitted, await gate.AdmitAsync(requests[9], default));
    }

    [Fact]
    public async Task AdmitAsync_WhenTheServerHangs_FailsForAllInTimeAndGoesOnAfterwards()
    {
        var timeout = TimeSpan.FromSeconds(2);
        var gate = await WarmAsync(Sale(1), stock: 1_000, Options(shards: 1) with { Timeout = timeout });
        var clock = Stopwatch.StartNew();
        redis.Server.Process.Freeze();
        try
        {
            var calls = Enumerable.Range(0, 5 * Limits.GateLaneBatch).Select(i => gate.AdmitAsync(Of($"user-{i}"), default).AsTask()).ToArray();
            foreach (var call in calls)
            {
                await Assert.ThrowsAsync<GateUnavailableException>(() => call);
            }

            // One timeout for all of them, not one after the other, which would be six.
            Assert.InRange(clock.Elapsed, timeout * 0.9, timeout * 4);
        }
        finally
        {
            redis.Server.Process.Thaw();
        }

        await Server.Eventually.HoldsAsync(async () => await Recovery.AnswersAsync(gate), "it answers again");
        Assert.Equal(AdmissionOutcome.Admitted, await gate.AdmitAsync(Of("late"), default));
        Assert.Equal([OfferId], await gate.ListPendingAsync(default));
    }

    [Fact]
    public async Task AdmitAsync_FromManyThreadsOverTwoGates_HoldsLimitAndStock()
    {
        const int Limit = 3;
        var options = Options(shards: 4);
        RedisGate[] gates = [await WarmAsync(Sale(Limit), stock: 200, options), await OpenAsync(options)];
        await gates[1].UpdateSaleAsync(Sale(Limit), default);
        var admitted = new System.Collections.Concurrent.ConcurrentBag<string>();
        await Parallel.ForAsync(0, 64, async (thread, _) =>
        {
            for (var i = 0; i < 20; i++)
            {
                var user = $"user-{(thread + i) % 90}";
                var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(k => gates[(thread + k) % 2].AdmitAsync(Of(user), default).AsTask()));
                for (var k = outcomes.Count(outcome => outcome == AdmissionOutcome.Admitted); k > 0; k--)
                {
                    admitted.Add(user);
                }
            }
        });
        Assert.Equal(200, admitted.Count);
        Assert.All(admitted.CountBy(user => user), user => Assert.InRange(user.Value, 1, Limit));
        Assert.Equal(new GateStock(0, 200, 200, 1), await gates[0].ReadAsync(OfferId, default));
    }

    private static RedisGateOptions Options(int shards) => new("") { Shards = shards, KeyPrefix = $"t{Guid.NewGuid():N}"[..20], Timeout = Limits.GateTimeoutMax };

    private static AdmissionRequest Of(string user, OrderId? order = null, DateTimeOffset? at = null) =>
        new(SaleId, OfferId, order ?? Id(), UserId.Parse(user), at ?? Open);

    private async Task<RedisGate> OpenAsync(RedisGateOptions options)
    {
        var gate = await RedisGate.OpenAsync(options with { ConnectionString = redis.Server.Address }, TimeProvider.System, default);
        opened.Add(gate);
        return gate;
    }

    private async Task<RedisGate> WarmAsync(Sale sale, int stock, RedisGateOptions? options = null)
    {
        var gate = await OpenAsync(options ?? Options(shards: 1));
        await gate.WarmUpAsync(Load(sale, stock), anew: false, default);
        return gate;
    }

    /// <summary>An admission of "opener" is under way, and these wait behind it for one call.</summary>
    private async Task<AdmissionOutcome[]> AdmitTogetherAsync(RedisGate gate, params AdmissionRequest[] requests)
    {
        await redis.Server.CommandAsync("CONFIG", "RESETSTAT");
        redis.Server.Process.Freeze();
        List<Task<AdmissionOutcome>> calls = [gate.AdmitAsync(Of("opener"), default).AsTask()];
        try
        {
            calls.AddRange(requests.Select(request => gate.AdmitAsync(request, default).AsTask()));
            Assert.InRange(Assert.Single(gate.Pools).Used, 1, calls.Count);
        }
        finally
        {
            redis.Server.Process.Thaw();
        }

        var outcomes = await Task.WhenAll(calls);
        await Server.Eventually.HoldsAsync(() => gate.Pools[0].Used == 0, "no call is under way");
        var asked = (await redis.Server.CommandAsync("INFO", "commandstats")).Split("\r\n").First(line => line.StartsWith("cmdstat_evalsha:", StringComparison.Ordinal));

        // Both calls for the home shard, and those for units elsewhere.
        Assert.InRange(int.Parse(asked.Split("calls=")[1].Split(',')[0]), 2, 4);
        return outcomes[1..];
    }
}
