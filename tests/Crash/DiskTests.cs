using System.Net;
using System.Text.Json;

using FlashSale.Core.Wire;
using FlashSale.Tests.Server;
using FlashSale.Tools.History;

using Microsoft.Data.Sqlite;

using Xunit;

namespace FlashSale.Tests.Crash;

/// <summary>The disk fails the ledger in the middle of a sale, and is well again: refusals are honest, readiness names the cause, and the sale goes on by itself.</summary>
[Collection(CrashCollection.Name)]
public sealed class DiskTests
{
    private const int Offers = 2;
    private const int Stock = 40;
    private const int ShoppersPerOffer = 70;

    // They keep on arriving while the fault lasts.
    private static readonly TimeSpan Arrivals = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Disk_WhenItFillsUpInTheMiddleOfASale_LosesNothingAndGoesOnWhenThereIsRoom()
    {
        using var over = new CancellationTokenSource(Patience);
        await using var disk = await SmallDisk.MountAsync();
        await using var server = await TestServer.StartAsync(CrashServer.YoungTokens, ("FlashSale__DataDirectory", disk.Path));
        await using var shop = await RecordedShop.OpenAsync(server, Offers, Stock, perUserLimit: 1);
        var crowd = new Crowd(shop, seed: 1);

        var shopping = crowd.BuyAsync(ShoppersPerOffer, Arrivals, over.Token);
        await shop.ReachAsync(() => shop.Succeeded(HistoryOps.Order) >= Stock / 4, over.Token);
        disk.Fill();
        await AssertFailsHonestlyAsync(server, shop, "disk is full", over.Token);
        disk.MakeRoom();

        await AssertGoesOnAsync(server, shop, crowd, shopping, over.Token);
    }

    [Fact]
    public async Task Ledger_WhenAnotherProgramLocksItInTheMiddleOfASale_LosesNothingAndGoesOnAfterwards()
    {
        using var over = new CancellationTokenSource(Patience);
        await using var server = await TestServer.StartAsync(CrashServer.YoungTokens);
        await using var shop = await RecordedShop.OpenAsync(server, Offers, Stock, perUserLimit: 1);
        var crowd = new Crowd(shop, seed: 2);

        var shopping = crowd.BuyAsync(ShoppersPerOffer, Arrivals, over.Token);
        await shop.ReachAsync(() => shop.Succeeded(HistoryOps.Order) >= Stock / 4, over.Token);
        var file = Path.Combine(server.DataDirectory, "flashsale.db");
        await using (var other = new SqliteConnection($"Data Source={file};Pooling=False"))
        {
            await other.OpenAsync(over.Token);
            await ExecuteAsync(other, "BEGIN EXCLUSIVE");
            await Task.Delay(TimeSpan.FromSeconds(2), over.Token);
            await AssertFailsHonestlyAsync(server, shop, "locked by another program", over.Token);
            await ExecuteAsync(other, "ROLLBACK");
        }

        await AssertGoesOnAsync(server, shop, crowd, shopping, over.Token);
    }

    /// <summary>Until readiness names the cause and a shopper was refused; each refusal says what it left behind.</summary>
    private static async Task AssertFailsHonestlyAsync(TestServer server, RecordedShop shop, string cause, CancellationToken over)
    {
        var said = "";
        while (!said.Contains(cause, StringComparison.Ordinal) || shop.Unavailable.IsEmpty)
        {
            Assert.False(over.IsCancellationRequested, $"Readiness says {said}; {shop.Unavailable.Count} answers with 503.");
            said = string.Join(' ', (await ReadyAsync(server)).Reasons);
            await Task.Delay(20, CancellationToken.None);
        }

        Assert.All(shop.Unavailable, answer => Assert.True(
            answer is { Code: "ledger-unavailable" or "overloaded", Effect: "none" } or { Code: "outcome-unknown", Effect: "unknown" }, answer.ToString()));
    }

    private static async Task AssertGoesOnAsync(TestServer server, RecordedShop shop, Crowd crowd, Task shopping, CancellationToken over)
    {
        var since = TimeProvider.System.GetTimestamp();
        while ((await ReadyAsync(server)).Reasons.Count > 0)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(since) < TimeSpan.FromSeconds(10), "The server is not ready 10 s after the fault healed.");
            await Task.Delay(20, over);
        }

        await shop.AssertAllSoldAndAllPromisesHoldAsync(crowd.BuyTheRestAsync(shopping, over));
    }

    private static async Task<HealthDocument> ReadyAsync(TestServer server)
    {
        using var answer = await server.Anonymous().GetAsync(new Uri("/healthz/ready", UriKind.Relative));
        var health = JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), WireJson.Default.HealthDocument)!;
        Assert.Equal(health.Reasons.Count == 0 ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        return health;
    }

    private static async Task ExecuteAsync(SqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}
