using System.Net;
using System.Text.Json;

using FlashSale.Core.Wire;
using FlashSale.Tests.Server;
using FlashSale.Tools.History;

using Xunit;

namespace FlashSale.Tests.Crash;

/// <summary>The server dies in the middle of a sale and comes back with what is on the disk; every shopper goes on with the same token.</summary>
[Collection(CrashCollection.Name)]
public sealed class KillTests(CrashServer fixture)
{
    private const int Offers = 3;
    private const int Stock = 10;
    private const int ShoppersPerOffer = 30;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private readonly TestServer server = fixture.Server;

    public static TheoryData<int> Rounds => Campaign.Seeds(few: 4, many: 400);

    public static TheoryData<int> FewRounds => Campaign.Seeds(few: 3, many: 40);

    [Theory]
    [MemberData(nameof(Rounds))]
    public async Task Kill_InTheMiddleOfASale_KeepsEveryPromise(int seed)
    {
        using var over = new CancellationTokenSource(Patience);
        await using var shop = await RecordedShop.OpenAsync(server, Offers, Stock, perUserLimit: 1);
        var crowd = new Crowd(shop, seed);

        var shopping = crowd.BuyAsync(ShoppersPerOffer, TimeSpan.FromMilliseconds(200), over.Token);
        await ReachMomentAsync(shop, seed, over.Token);
        await server.KillAsync();
        await server.RestartAsync();

        await shop.AssertAllSoldAndAllPromisesHoldAsync(crowd.BuyTheRestAsync(shopping, over.Token));
    }

    /// <summary>By the seed: while orders storm in, while payments or cancellations are on their way, or while orders expire.</summary>
    private static async Task ReachMomentAsync(RecordedShop shop, int seed, CancellationToken over)
    {
        var random = new Random(seed);
        var count = random.Next(1, Offers * Stock / 2);
        await ((seed % 4) switch
        {
            0 => shop.ReachAsync(() => shop.Succeeded(HistoryOps.Order) >= count, over),
            1 => shop.ReachAsync(() => shop.Succeeded(HistoryOps.PayPage) >= 1 + count / 4, over),
            2 => shop.ReachAsync(() => shop.Succeeded(HistoryOps.Cancel) >= 1 + count / 8, over),
            _ => Task.Delay(TimeSpan.FromSeconds(RecordedShop.PaymentWindowSeconds) + TimeSpan.FromMilliseconds(random.Next(700)), over),
        });
        await Task.Delay(random.Next(8), over);
    }

    [Theory]
    [MemberData(nameof(FewRounds))]
    public async Task Kill_AgainAndAgainWhileItStarts_KeepsEveryPromise(int seed)
    {
        using var over = new CancellationTokenSource(2 * Patience);
        await using var shop = await RecordedShop.OpenAsync(server, Offers, Stock, perUserLimit: 2);
        var crowd = new Crowd(shop, 1_000 + seed);
        var random = new Random(seed);

        var shopping = crowd.BuyAsync(ShoppersPerOffer, TimeSpan.FromMilliseconds(200), over.Token);
        await shop.ReachAsync(() => shop.Succeeded(HistoryOps.Order) >= Stock, over.Token);
        await server.KillAsync();
        for (var i = 0; i < 4; i++)
        {
            await KillWhileItStartsAsync(TimeSpan.FromMilliseconds(random.Next(100, 1_200)));
        }

        await server.RestartAsync();

        await shop.AssertAllSoldAndAllPromisesHoldAsync(crowd.BuyTheRestAsync(shopping, over.Token));
    }

    private async Task KillWhileItStartsAsync(TimeSpan after)
    {
        var starting = server.RestartAsync();
        await Task.Delay(after);
        await server.KillAsync();
        // It had come to listen and to be ready, or it had not.
        await Record.ExceptionAsync(() => starting);
    }

    [Theory]
    [MemberData(nameof(FewRounds))]
    public async Task Kill_WhilePublicationAndWarmUpAreOnTheirWay_LeavesAllOrNothing(int seed)
    {
        using var over = new CancellationTokenSource(Patience);
        var random = new Random(seed);
        var draft = await RecordedShop.DraftAsync(server, offers: 20, Stock, perUserLimit: 1);

        var publishing = PostAsync($"/api/v1/admin/sales/{draft.Id}/publication");
        var warming = seed % 2 == 0 ? publishing.ContinueWith(_ => PostAsync($"/api/v1/admin/sales/{draft.Id}/warm-up"), TaskScheduler.Default).Unwrap() : publishing;
        await Task.Delay(random.Next(12));
        await server.KillAsync();
        await warming;
        await server.RestartAsync();
        // The operator does not know what became of it, and asks again.
        Assert.Contains(await PostAsync($"/api/v1/admin/sales/{draft.Id}/publication"), (HttpStatusCode?[])[HttpStatusCode.OK, HttpStatusCode.Conflict]);
        Assert.Equal(HttpStatusCode.OK, await PostAsync($"/api/v1/admin/sales/{draft.Id}/warm-up"));

        var text = await server.Operator().GetStringAsync(new Uri($"/api/v1/admin/sales/{draft.Id}", UriKind.Relative), over.Token);
        await using var shop = await RecordedShop.OpenAsync(server, JsonSerializer.Deserialize(text, WireJson.Default.SaleDocument)!, Stock, perUserLimit: 1);
        await shop.AssertAllSoldAndAllPromisesHoldAsync(new Crowd(shop, 2_000 + seed).BuyTheRestAsync(Task.CompletedTask, over.Token));
    }

    /// <summary>Null when no answer came.</summary>
    private async Task<HttpStatusCode?> PostAsync(string path)
    {
        try
        {
            using var answer = await server.Operator("olga").PostAsync(new Uri(path, UriKind.Relative), null);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    [Fact]
    public async Task Kill_WhenTheStormIsOver_GateAndLedgerAgreeWithinTenSeconds()
    {
        using var over = new CancellationTokenSource(Patience);
        await using var shop = await RecordedShop.OpenAsync(server, Offers, Stock, perUserLimit: 1);

        var shopping = new Crowd(shop, 3_000).BuyAsync(Stock / 2, TimeSpan.Zero, over.Token);
        await shop.ReachAsync(() => shop.Succeeded(HistoryOps.Order) >= Stock, over.Token);
        await server.KillAsync();
        await over.CancelAsync();
        await Record.ExceptionAsync(() => shopping);
        await server.RestartAsync();

        var since = TimeProvider.System.GetTimestamp();
        var agreed = false;
        while (!agreed && TimeProvider.System.GetElapsedTime(since) < TimeSpan.FromSeconds(10))
        {
            var text = await server.Operator().GetStringAsync(new Uri($"/api/v1/admin/sales/{shop.Sale.Id}/readiness", UriKind.Relative));
            agreed = JsonSerializer.Deserialize(text, WireJson.Default.ReadinessDocument)!.Offers
                .All(offer => offer is { Warm: true, GatePending: 0, Drift: 0 } && offer.GateStock == offer.LedgerAvailable);
        }

        Assert.True(agreed);
        var report = await shop.AuditAsync();
        Assert.False(report.Violated, report.Verdict);
        // Each was answered twice at most.
        Assert.True(report.OrdersAcknowledged >= Stock / 2);
    }

    [Fact]
    public async Task Stop_InTheMiddleOfAStorm_SaysNotReadyEndsInTimeAndKeepsEveryPromise()
    {
        using var over = new CancellationTokenSource(Patience);
        await using var shop = await RecordedShop.OpenAsync(server, Offers, Stock, perUserLimit: 1);
        var crowd = new Crowd(shop, 4_000);

        var shopping = crowd.BuyAsync(ShoppersPerOffer, TimeSpan.FromMilliseconds(300), over.Token);
        await shop.ReachAsync(() => shop.Succeeded(HistoryOps.Order) >= Stock, over.Token);
        var stopping = server.StopAsync();
        var saidSo = false;
        while (!stopping.IsCompleted && !saidSo)
        {
            saidSo = await ReadyAsync() == HttpStatusCode.ServiceUnavailable;
        }

        await stopping;
        Assert.True(saidSo, "The server stopped without having said that it is not ready.");
        await server.RestartAsync();

        await shop.AssertAllSoldAndAllPromisesHoldAsync(crowd.BuyTheRestAsync(shopping, over.Token));
    }

    private async Task<HttpStatusCode?> ReadyAsync()
    {
        try
        {
            using var answer = await server.Anonymous().GetAsync(new Uri("/healthz/ready", UriKind.Relative));
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
