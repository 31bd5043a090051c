using System.Net;
using System.Text.Json;

using FlashSale.Core.Wire;
using FlashSale.Server.Console;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;
using FlashSale.Storage.Memory;
using FlashSale.Storage.Sqlite;

using Microsoft.Data.Sqlite;

using Xunit;

namespace FlashSale.Tests.Server.Console;

/// <summary>The readiness board speaks for all instances, though it stands in one.</summary>
public sealed class ReadinessOfOthersTests(ConsoleServer shop) : IClassFixture<ConsoleServer>
{
    private static readonly DateTimeOffset Now = new(2026, 11, 11, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Readiness_WhenAnotherInstanceIsInTrouble_SaysSoUntilItHasEnded()
    {
        var sale = await shop.PublishAsync();
        await Eventually.HoldsAsync(async () => (await ReadAsync(sale.Id)).GetProperty("ready").GetBoolean(), "all is well");
        await using (var others = new OtherInstance(shop, Trouble()))
        {
            JsonElement said = default;
            await Eventually.HoldsAsync(async () => (said = await ReadAsync(sale.Id)).GetProperty("breakers").GetProperty("orders").GetString() == "open", "its breaker is shown");

            Assert.False(said.GetProperty("ready").GetBoolean());
            Assert.Equal(-900, said.GetProperty("clockSkewMs").GetInt64());
            var pool = said.GetProperty("pools").EnumerateArray().Single(one => one.GetProperty("name").GetString() == "writes");
            Assert.Equal((4, 4, 9), (pool.GetProperty("size").GetInt32(), pool.GetProperty("used").GetInt32(), pool.GetProperty("waiting").GetInt32()));
            Assert.Equal(
                [
                    "The breaker of the orders is open at elsewhere:7: new orders are refused with ledger-unavailable.",
                    "The connections for writes at elsewhere:7 are all used (4), and 9 calls wait: soon calls are refused.",
                    "The clock of elsewhere:7 is off by 900 ms, which is corrected here; set it right, for the logs.",
                    "The instance elsewhere:7 is not ready: The sales are not loaded.",
                ],
                said.GetProperty("reasons").EnumerateArray().Select(reason => reason.GetString()));
            using var viewer = new Pages.ConsoleBrowser(shop.Server, "vera", ["viewer"]);
            (await viewer.GetAsync($"/console/en/sales/{sale.Id}/readiness")).Says("Not ready.", "elsewhere:7").DoesNotSay("Everything is ready.");
            (await viewer.GetAsync($"/console/sales/{sale.Id}/readiness")).Says("实例 elsewhere:7 未就绪", "熔断器“下单”断开（elsewhere:7）");

            others.Say(Trouble() with { Stopped = true });
            await Eventually.HoldsAsync(async () => (await ReadAsync(sale.Id)).GetProperty("ready").GetBoolean(), "it has ended");
            (await viewer.GetAsync("/console/en/service")).Says("elsewhere:7", "Stopped");
        }
    }

    /// <summary>Only what differs may be on its way; what the gate has not got is asked for once.</summary>
    [Fact]
    public async Task CompareAsync_OfAnOfferThatIsNotInTheGate_IsToldAtOnce()
    {
        using var folder = new TemporaryFolder();
        await using var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(folder.File("ledger.db")), TimeProvider.System, default);
        var sale = await TestSale.PublishAsync(ledger, TestSale.Draft(TimeProvider.System.GetUtcNow().AddDays(2), stock: 5));
        var comparison = new GateComparison(ledger, new MemoryGate(), TimeProvider.System);

        using var stalls = new Stalls();
        var since = TimeProvider.System.GetTimestamp();
        var compared = await comparison.CompareAsync(sale, default);

        Assert.True(TimeProvider.System.GetElapsedTime(since) - stalls.LostSince(since) < TimeSpan.FromSeconds(2));
        Assert.False(Assert.Single(compared).Agrees);
    }

    [Fact]
    public void IsAmiss_OfAnInstanceThatFellSilent_UntilAnotherTookItsPlace()
    {
        var gone = Instance("a", Now) with { Gone = true };
        var next = Instance("b", Now.AddMinutes(1));

        Assert.True(SaleReadiness.IsAmiss(gone, [gone]));
        Assert.False(SaleReadiness.IsAmiss(gone, [next, gone]));
        Assert.True(SaleReadiness.IsAmiss(gone, [next with { Roles = "console" }, gone]));
        Assert.True(SaleReadiness.IsAmiss(gone, [next with { Machine = "n" }, gone]));
        Assert.True(SaleReadiness.IsAmiss(gone, [next with { StartedAt = Now.AddMinutes(-1) }, gone]));
        Assert.False(SaleReadiness.IsAmiss(gone with { Stopped = true }, [gone]));
        Assert.True(SaleReadiness.IsAmiss(next with { NotReady = ["no"] }, [next]));
    }

    private static LiveInstanceDocument Instance(string id, DateTimeOffset startedAt) => new(id, "m", 1, "1", "all", startedAt, 0, false, [], null, 0, null, [], 0, 1, 0);

    private static InstanceFigures Trouble() => new()
    {
        Machine = "elsewhere",
        ProcessId = 7,
        Version = "1",
        Roles = "orders",
        StartedAt = Now,
        NotReady = ["The sales are not loaded."],
        CpuSeconds = 1,
        MemoryBytes = 1,
        GcPauseSeconds = 0,
        Collections = [0, 0, 0],
        InFlight = 0,
        InFlightLimit = 1,
        WriterQueue = 0,
        ClockSkewMs = -900,
        Pools = [new ConnectionPool("writes", 4, 4, 9, 10)],
        Breakers = new Dictionary<string, string> { ["orders"] = "open" },
        Decisions = new Dictionary<string, long>(),
        Sales = new Dictionary<string, SaleFigures>(),
    };

    private async Task<JsonElement> ReadAsync(string sale) => (await ConsoleServer.SendAsync(shop.Operator, HttpMethod.Get, $"sales/{sale}/readiness")).Expect(HttpStatusCode.OK).Json;

    /// <summary>Reports again and again, as an instance elsewhere would, into the same ledger.</summary>
    private sealed class OtherInstance : IAsyncDisposable
    {
        private readonly CancellationTokenSource ends = new();
        private readonly Task reporting;
        private volatile InstanceFigures figures;

        public OtherInstance(ConsoleServer shop, InstanceFigures first)
        {
            figures = first;
            reporting = ReportAsync(Path.Combine(shop.Server.DataDirectory, "flashsale.db"));
        }

        public void Say(InstanceFigures next) => figures = next;

        public async ValueTask DisposeAsync()
        {
            await ends.CancelAsync();
            await reporting;
            ends.Dispose();
        }

        private async Task ReportAsync(string file)
        {
            await using var connection = new SqliteConnection($"Data Source={file};Pooling=false;Default Timeout=10");
            await connection.OpenAsync();
            while (!ends.IsCancellationRequested)
            {
                await using var command = connection.CreateCommand();
                command.CommandText = "INSERT INTO instance_reports (instance, at, document) VALUES ('elsewhere', $at, $document) ON CONFLICT (instance) DO UPDATE SET at = $at, document = $document";
                command.Parameters.AddWithValue("$at", TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
                command.Parameters.AddWithValue("$document", JsonSerializer.Serialize(figures, FiguresJson.Default.InstanceFigures));
                await command.ExecuteNonQueryAsync();
                await Task.Delay(300);
            }
        }
    }
}
