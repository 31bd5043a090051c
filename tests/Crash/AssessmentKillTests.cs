using System.Net;

using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Risk;

using Xunit;

namespace FlashSale.Tests.Crash;

/// <summary>The server dies again and again while it assesses: who was told of a reservation is assessed, once.</summary>
[Collection(CrashCollection.Name)]
public sealed class AssessmentKillTests
{
    private const int Kills = 3;
    private static readonly int Reservations = Campaign.Size(240, 10_000);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(Campaign.Size(1, 5));

    [Fact]
    public async Task Kill_WhileItAssesses_DecidesEveryReservationOnce()
    {
        using var over = new CancellationTokenSource(Patience);
        await using var sandbox = await RiskServers.StartSandboxAsync();
        await RiskServers.BehaveAsync(sandbox, new { latencyMs = 150 });
        await using var server = await TestServer.StartAsync(RiskServers.Asking(sandbox));
        var sale = await RiskServers.OpenAsync(server);
        var shoppers = Enumerable.Range(0, Reservations).Select(i => sale.Named($"{(i % 5 == 0 ? "bad" : "good")}-{i}")).ToList();

        var reserving = Parallel.ForEachAsync(shoppers, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = over.Token }, async (shopper, _) => await ReserveAsync(shopper, over.Token));
        var random = new Random(1);
        for (var kill = 0; kill < Kills; kill++)
        {
            await Task.Delay(random.Next(200, 900), over.Token);
            await server.KillAsync();
            await server.RestartAsync();
        }

        await reserving;
        await Eventually.HoldsAsync(async () => (await sale.AssessmentsAsync("state=done")).Count == Reservations || over.IsCancellationRequested, "all are assessed", Patience);

        var all = await sale.AssessmentsAsync();
        Assert.Equal(shoppers.Select(shopper => shopper.UserId).Order(), all.Select(one => one.Text("userId")).Order());
        Assert.All(all, one => Assert.Equal(one.Text("userId").StartsWith("bad", StringComparison.Ordinal) ? "rejected" : "approved", one.Text("status")));
        var audit = await AuditAsync(sale);
        Assert.Equal(
            all.Where(one => one.Text("status") == "rejected").Select(one => "user/" + one.Text("userId")).Order(),
            audit.Where(entry => entry.Action == "reservation.reject").Select(entry => entry.Subject).Order());
        (await shoppers[0].AskTokenAsync()).ExpectProblem(HttpStatusCode.Forbidden, "not-eligible");
        await shoppers[1].TokenAsync();
    }

    /// <summary>Until it is told of a reservation, whatever dies meanwhile.</summary>
    private static async Task ReserveAsync(Shopper shopper, CancellationToken over)
    {
        while (true)
        {
            try
            {
                if ((await shopper.ReserveAsync()).Status is HttpStatusCode.Created or HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It is dead at this moment.
            }

            await Task.Delay(20, over);
        }
    }

    private static async Task<List<(string Action, string Subject)>> AuditAsync(ShopSale sale)
    {
        List<(string, string)> all = [];
        string? cursor = null;
        do
        {
            var page = (await sale.AdminAsync(HttpMethod.Get, "audit" + (cursor is null ? "" : "?cursor=" + cursor))).Expect(HttpStatusCode.OK).Json;
            all.AddRange(page.GetProperty("items").EnumerateArray().Select(entry => (entry.Text("action"), entry.Text("subject"))));
            cursor = page.GetProperty("nextCursor").GetString();
        }
        while (cursor is not null);
        return all;
    }
}
