using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Server.Checkout;
using FlashSale.Server.Http;
using FlashSale.Storage;

using Microsoft.AspNetCore.Http;

using Xunit;

namespace FlashSale.Tests.Server.Checkout;

/// <summary>
/// Whoever is refused must not learn why from how long it took: a way that asks the ledger, or skips a check, takes visibly longer or shorter than the others. The
/// calls are made in turn, so that whatever else the machine does falls on all of them, and medians are compared, so that a pause of any length is one sample.
/// </summary>
[Collection(PeakCollection.Name)]
public sealed class LookAlikeTests
{
    private const int Rounds = 1_500;
    private const int WarmUpRounds = 500;

    /// <summary>Far less than a network's answers vary by, and less than a read of the ledger.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMicroseconds(4);

    [Fact]
    public async Task AskToken_ByWhoeverIsNotEligible_TakesAsLongForEveryReason()
    {
        using var folder = new TemporaryFolder();
        await using var server = await SteppedServer.StartAsync(folder.Path);
        var sale = await server.PublishReservingAsync(new SaleDefences { AccountsPerDevice = 1 });
        var (device, other) = (new DeviceId(1), new DeviceId(2));
        await server.ReserveAsync(sale, "first", ReservationStatus.Approved);
        await server.ReserveAsync(sale, "crowd", ReservationStatus.Approved);
        await server.ReserveAsync(sale, "reject", ReservationStatus.Rejected);
        await server.BarAsync("barred");
        Assert.True(server.Get<SaleCatalog>().TryFind(sale.Offers[0].Id, out var offer));
        var issuer = server.Get<TokenIssuer>();
        async Task<ProblemCode?> AskAsync(string user, DeviceId on) =>
            (await issuer.IssueAsync(offer, UserId.Parse(user), CallerFacts.Unknown with { Device = on }, null, byLink: false, CancellationToken.None)).Problem;
        Assert.Null(await AskAsync("first", device));

        await AssertAlikeAsync(
            ("crowd", async () => Assert.Equal(ProblemCode.NotEligible, await AskAsync("crowd", device))),
            ("reject", async () => Assert.Equal(ProblemCode.NotEligible, await AskAsync("reject", other))),
            ("barred", async () => Assert.Equal(ProblemCode.NotEligible, await AskAsync("barred", device))));
    }

    [Fact]
    public async Task Submit_WithATokenThatIsNotGood_TakesAsLongForEveryReason()
    {
        using var folder = new TemporaryFolder();
        await using var server = await SteppedServer.StartAsync(folder.Path);
        var user = UserId.Parse("alice");
        var now = server.Time.GetUtcNow();
        var context = new DefaultHttpContext();
        context.Request.Headers[Devices.Header] = server.OldDevice();
        var (tokens, submissions) = (server.Get<OrderTokens>(), server.Get<OrderSubmissions>());
        byte[] Make(DateTimeOffset at, UserId whose, DeviceId device) => System.Text.Encoding.ASCII.GetBytes(
            tokens.Create(new OrderToken(at, OrderId.Create(at), new SaleId(1), new OfferId(1), whose, device)));
        var (young, old, others, elsewhere) = (
            Make(now, user, default), Make(now.AddHours(-1), user, default), Make(now.AddSeconds(-2), UserId.Parse("bobby"), default), Make(now.AddSeconds(-2), user, new DeviceId(7)));
        var forged = Make(now.AddSeconds(-2), user, default);
        forged[^5] = (byte)(forged[^5] == 'A' ? 'B' : 'A');

        await AssertAlikeAsync([.. new[] { (nameof(young), young), (nameof(old), old), (nameof(others), others), (nameof(elsewhere), elsewhere), (nameof(forged), forged) }
            .Select(token => (token.Item1, (Func<Task>)(() =>
            {
                Assert.Equal(ProblemCode.OrderTokenRejected, submissions.Verify(context, token.Item2, user).Problem);
                return Task.CompletedTask;
            })))]);
    }

    private static async Task AssertAlikeAsync(params (string Name, Func<Task> Call)[] ways)
    {
        var taken = ways.ToDictionary(way => way.Name, _ => new List<TimeSpan>(Rounds));
        for (var round = 0; round < WarmUpRounds + Rounds; round++)
        {
            // Each is now the first, now the last.
            for (var i = 0; i < ways.Length; i++)
            {
                var (name, call) = ways[(round + i) % ways.Length];
                var since = TimeProvider.System.GetTimestamp();
                await call();
                if (round >= WarmUpRounds)
                {
                    taken[name].Add(TimeProvider.System.GetElapsedTime(since));
                }
            }
        }

        var medians = taken.ToDictionary(way => way.Key, way => way.Value.Order().ElementAt(Rounds / 2));
        var (least, most) = (medians.Values.Min(), medians.Values.Max());
        Assert.True(most - least < Tolerance + (least * 0.9), string.Join(", ", medians.Select(way => $"{way.Key} {way.Value.TotalMicroseconds:0.0} µs")));
    }
}
