using System.Diagnostics;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Storage;
using FlashSale.Storage.Sqlite;

using Microsoft.Data.Sqlite;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>What is special to a file: it can be locked, full, damaged, or edited by hand.</summary>
public sealed class SqliteTroubleTests : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ManualTime time = new();

    private string FilePath => folder.File("ledger.db");

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task AnyWrite_WhenTheFileIsLocked_IsUnavailableAndWorksAgainAfterwards()
    {
        await using var ledger = await OpenAsync();
        var sale = await PublishAsync(ledger, 10);
        var draft = Order(sale, 1);
        await using (var other = await LockAsync())
        {
            var error = await Assert.ThrowsAsync<LedgerUnavailableException>(() => ledger.PlaceAsync([draft], default));
            Assert.Contains("locked by another program", error.Message);
            Assert.Null(await ledger.FindOrderAsync(draft.Id, default));
            Assert.Contains("locked by another program", await ledger.CheckAsync(default));
        }

        Assert.Equal(PlacementOutcome.Placed, (await ledger.PlaceAsync([draft], default)).Results[draft.Id].Outcome);
        Assert.Null(await ledger.CheckAsync(default));
        (await LedgerRows.ReadAsync(ledger, sale.Id)).AssertConsistent(sale);
    }

    [Fact]
    public async Task Pools_WhileTheFileIsLocked_TellWhoWaits()
    {
        await using var ledger = await OpenAsync();
        var sale = await PublishAsync(ledger, 10);
        Task[] writes;
        await using (await LockAsync())
        {
            writes = [.. Enumerable.Range(0, 3).Select(user => ledger.PlaceAsync([Order(sale, user)], default))];
            await Server.Eventually.HoldsAsync(() => ledger.Pools[0].Used == 1, "it tries to write");
            Assert.Equal([("writes", 1), ("reads", ledger.Pools[1].Size)], ledger.Pools.Select(pool => (pool.Name, pool.Size)));
            Assert.Equal(0, ledger.Pools[1].Used);
            writes = [.. writes, ledger.PlaceAsync([Order(sale, 9)], default)];
            Assert.True(ledger.Pools[0].Waiting > 0);
        }

        await Task.WhenAll(writes);
        await Server.Eventually.HoldsAsync(() => ledger.Pools.All(pool => pool is { Used: 0, Waiting: 0 }), "nobody is there");
    }

    [Fact]
    public async Task CheckAsync_WhenAskedByManyWhileStuck_IsOneCheck()
    {
        await using var ledger = await OpenAsync();
        await using var other = await LockAsync();
        var began = Stopwatch.GetTimestamp();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => ledger.CheckAsync(default)));

        Assert.All(answers, Assert.NotNull);
        // Each by itself would be 200 times as long as one.
        Assert.True(Stopwatch.GetElapsedTime(began) < 15 * Limits.LedgerBusyTimeout);
    }

    [Fact]
    public async Task AnyWrite_WhenTheQueueIsFull_IsRefusedAtOnce()
    {
        await using var ledger = await OpenAsync();
        var sale = await PublishAsync(ledger, 10);
        var outcomes = new List<Task>();
        await using (var other = await LockAsync())
        {
            for (var i = 0; i < Limits.LedgerJobQueue + Limits.LedgerJobsPerTransaction + 10; i++)
            {
                outcomes.Add(ledger.PlaceAsync([Order(sale, i)], default));
            }

            Assert.Contains(outcomes, outcome => outcome.Exception?.InnerException is LedgerBusyException);
        }

        await Assert.ThrowsAnyAsync<Exception>(() => Task.WhenAll(outcomes));
        (await LedgerRows.ReadAsync(ledger, sale.Id)).AssertConsistent(sale);
    }

    [Fact]
    public async Task AnyWrite_WhenCancelledBeforeItBegins_IsDropped()
    {
        await using var ledger = await OpenAsync();
        var sale = await PublishAsync(ledger, 10);
        var draft = Order(sale, 1);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ledger.PlaceAsync([draft], cancelled.Token));

        Assert.Null(await ledger.FindOrderAsync(draft.Id, default));
    }

    [Theory]
    [InlineData(WritePattern.LogFirst)]
    [InlineData(WritePattern.StockFirst)]
    public async Task PlaceAsync_WhenTheDiskIsFull_LeavesNothingOfTheBatchAndWorksAgainAfterwards(WritePattern pattern)
    {
        var options = new SqliteLedgerOptions(FilePath, pattern) { MaxPages = 80 };
        await using var ledger = await SqliteLedger.OpenAsync(options, time, default);
        var sale = await PublishAsync(ledger, 10_000);
        var placed = 0;
        OrderDraft[] batch = [];
        LedgerUnavailableException? error = null;
        while (error is null)
        {
            batch = [.. Enumerable.Range(placed, 50).Select(i => Order(sale, i))];
            try
            {
                await ledger.PlaceAsync(batch, default);
                placed += batch.Length;
            }
            catch (LedgerUnavailableException full)
            {
                error = full;
            }
        }

        Assert.Contains("the disk is full", error.Message);
        var rows = await LedgerRows.ReadAsync(ledger, sale.Id);
        rows.AssertConsistent(sale);
        Assert.Equal(placed, rows.Of("order").Count());

        options.MaxPages = null;
        var again = await ledger.PlaceAsync(batch, default);
        Assert.All(again.Results.Values, result => Assert.Equal(PlacementOutcome.Placed, result.Outcome));
        (await LedgerRows.ReadAsync(ledger, sale.Id)).AssertConsistent(sale);
    }

    [Fact]
    public async Task OpenAsync_WhenTheFileIsNoDatabase_SaysSo()
    {
        await File.WriteAllTextAsync(FilePath, new string('x', 8_192));

        Assert.Contains("not a SQLite database", (await RefusedAsync()).Message);
        Assert.Equal(new string('x', 8_192), await File.ReadAllTextAsync(FilePath));
    }

    [Fact]
    public async Task OpenAsync_WhenTheFolderIsNotThere_SaysSo()
    {
        var error = await Assert.ThrowsAsync<LedgerUnavailableException>(
            () => SqliteLedger.OpenAsync(new SqliteLedgerOptions(folder.File("none/ledger.db")), time, default));

        Assert.Contains("cannot be opened", error.Message);
    }

    [Fact]
    public async Task OpenAsync_WhenTheFileIsDamaged_SaysSo()
    {
        await using (await OpenAsync())
        {
        }

        await using (var file = File.OpenWrite(FilePath))
        {
            file.Seek(100, SeekOrigin.Begin);
            file.Write(new byte[4_000]);
        }

        Assert.Contains("damaged", (await RefusedAsync()).Message);
    }

    [Fact]
    public async Task OpenAsync_WhenLocked_SaysSo()
    {
        await using (await OpenAsync())
        {
        }

        await using var other = await LockAsync();

        Assert.Contains("locked by another program", (await RefusedAsync()).Message);
    }

    [Fact]
    public async Task OpenAsync_WhenAnAppliedMigrationWasChanged_Refuses()
    {
        await using (await OpenAsync())
        {
        }

        await ByHandAsync("UPDATE schema_migrations SET checksum = 'other' WHERE version = 1");

        Assert.Contains("never changed", (await RefusedAsync()).Message);
    }

    [Fact]
    public async Task OpenAsync_WhenTheSchemaIsNewer_Refuses()
    {
        await using (await OpenAsync())
        {
        }

        await ByHandAsync("INSERT INTO schema_migrations VALUES (9999, 'tomorrow', 'x', 0)");

        Assert.Contains("start a newer program", (await RefusedAsync()).Message);
    }

    [Theory]
    [InlineData("UPDATE stock SET available = -1, initial = initial - 11")]
    [InlineData("UPDATE stock SET available = available + 1")]
    [InlineData("UPDATE orders SET live_slot = NULL")]
    [InlineData("UPDATE orders SET live_slot = 2")]
    [InlineData("UPDATE orders SET status = 'expired'")]
    [InlineData("UPDATE orders SET status = 'lost'")]
    [InlineData("UPDATE orders SET offer_id = 77")]
    [InlineData("UPDATE orders SET user_limit = 11")]
    [InlineData("INSERT INTO orders SELECT zeroblob(16), sale_id, offer_id, user_id, status, user_limit, 1, price, currency, created_at, pay_before FROM orders")]
    [InlineData("INSERT INTO stock_changes SELECT offer_id, bucket, seq + n, 'sell', 0, 9, order_id, at FROM stock_changes, (SELECT 1 AS n UNION SELECT 2) WHERE kind = 'hold'")]
    [InlineData("INSERT INTO stock_changes SELECT offer_id, bucket, seq + n, 'release', 1, 9, order_id, at FROM stock_changes, (SELECT 1 AS n UNION SELECT 2) WHERE kind = 'hold'")]
    [InlineData("INSERT INTO stock_changes SELECT offer_id, bucket, seq + 1, 'sell', delta, -1, order_id, at FROM stock_changes WHERE kind = 'hold'")]
    [InlineData("DELETE FROM orders")]
    [InlineData("DELETE FROM offers")]
    public async Task Schema_WhenAPromiseWouldBreak_RefusesWhateverTheProgramSays(string sql)
    {
        await using var ledger = await OpenAsync();
        var sale = await PublishAsync(ledger, 10);
        await ledger.PlaceAsync([Order(sale, 1)], default);

        var error = await Assert.ThrowsAsync<SqliteException>(() => ByHandAsync("PRAGMA foreign_keys = ON; " + sql));

        Assert.Equal(19, error.SqliteErrorCode);
    }

    /// <summary>Both are one transaction.</summary>
    [Fact]
    public async Task ReserveAsync_WhenTheAssessmentCannotBeWritten_LeavesNoReservation()
    {
        await using var ledger = await OpenAsync();
        var sale = await PublishAsync(ledger, 1);
        var asked = new Reservation(Guid.CreateVersion7(time.GetUtcNow()), sale.Id, UserId.Parse("u1"), ReservationStatus.Pending);
        await ByHandAsync("ALTER TABLE assessments RENAME TO away");

        Assert.NotNull(await Record.ExceptionAsync(() => ledger.ReserveAsync(asked, Evidence.Unknown, default)));
        await ByHandAsync("ALTER TABLE away RENAME TO assessments");

        Assert.Null(await ledger.FindReservationAsync(sale.Id, asked.UserId, default));
        Assert.True((await ledger.ReserveAsync(asked, Evidence.Unknown, default)).Created);
        Assert.Single(await ledger.ListAssessmentsAsync(sale.Id, null, null, 10, default));
    }

    [Fact]
    public async Task Statements_WhenExplained_ScanNoTableThatGrows()
    {
        await using var ledger = await SqliteLedger.OpenAsync(new SqliteLedgerOptions(FilePath), time, default);
        var sale = await UseAllAsync(ledger);

        var plans = await ledger.ExplainAsync();

        // A count with a bound is a table of its own that its query walks through.
        string[] small = ["ledger_state", "stock", "sales", "offers", "blacklist", "blacklist_changes", "schema_migrations", "CONSTANT", "bounded"];
        Assert.True(plans.Count > 30, "too few statements were used to say anything");
        // Indexes that hold only what waits: to count that, all of it is read.
        string[] partial = ["assessments_waiting", "assessments_dead"];
        Assert.DoesNotContain(
            plans,
            step => step.Plan.StartsWith("SCAN", StringComparison.Ordinal) && !small.Contains(step.Plan.Split(' ')[1]) && !partial.Any(step.Plan.Contains));
        // The sorts: a user's own orders, refunds that are due, and the networks that a user came from within a week.
        Assert.All(
            plans.Where(step => step.Plan.Contains("TEMP B-TREE", StringComparison.Ordinal)),
            step => Assert.True(step.Sql.Contains("o.user_id = ?1", StringComparison.Ordinal) || step.Sql.Contains("o.status = 'refund_due'", StringComparison.Ordinal) || step.Sql.Contains("count(DISTINCT network)", StringComparison.Ordinal), step.Sql));
        (await LedgerRows.ReadAsync(ledger, sale.Id)).AssertConsistent(sale);
    }

    private async Task<Sale> UseAllAsync(SqliteLedger ledger)
    {
        var sale = await PublishAsync(ledger, 10);
        OrderDraft[] drafts = [Order(sale, 1), Order(sale, 2), Order(sale, 3), Order(sale, 3)];
        await ledger.PlaceAsync(drafts, default);
        await ledger.CancelAsync(drafts[0].Id, drafts[0].UserId, default);
        foreach (var draft in drafts[..2])
        {
            if (await ledger.StartPaymentAsync(draft.Id, draft.UserId, PaymentId.Create(time.GetUtcNow()), default) is { Payment: { } payment })
            {
                await ledger.CompletePaymentAsync(payment.Id, draft.Id, draft.Price, true, "CODE", default);
                await ledger.FindPaymentAsync(payment.Id, default);
            }
        }

        await ledger.RedeemAsync("CODE", drafts[0].UserId, default);
        await DeskQueries.ExtendAsync(ledger, drafts[2]);
        time.Advance(sale.PaymentWindow + Limits.ExpirySpreadMax);
        await ledger.ExpireAsync(10, default);
        await ledger.ListOrdersAsync(drafts[0].UserId, null, 10, default);
        await DeskQueries.AskAsync(ledger, sale, drafts[1]);
        await ledger.AdjustStockAsync(sale.Offers[0].Id, new(1, "a", "b", 9), Actor.System("test"), default);
        await ledger.CheckAsync(default);
        await AssessAsync(ledger, sale);
        return sale;
    }

    private async Task AssessAsync(SqliteLedger ledger, Sale sale)
    {
        for (var user = 1; user < 4; user++)
        {
            var evidence = new Evidence("00ab", time.GetUtcNow(), "198.51.100.7", null, false, false);
            await ledger.ReserveAsync(new Reservation(Guid.CreateVersion7(time.GetUtcNow()), sale.Id, UserId.Parse($"u{user}"), ReservationStatus.Pending), evidence, default);
        }

        await ledger.AddConductAsync([new ConductCount(UserId.Parse("u1"), "cancelled", 1)], default);
        var claims = await ledger.ClaimAssessmentsAsync(10, TimeSpan.FromSeconds(10), default);
        var inputs = await ledger.ReadRiskInputsAsync(claims, default);
        await ledger.DecideAssessmentsAsync(
            [new AssessmentDecision(claims[0], inputs[0], new RiskAssessment(100, []), ReservationStatus.Rejected, "1", 1)], default);
        await ledger.DelayAssessmentsAsync([new AssessmentDelay(claims[1], 12, TimeSpan.Zero, Dead: true, "no answer")], default);
        await ledger.CountAssessmentsAsync(default);
        await ledger.ListAssessmentsAsync(sale.Id, AssessmentState.Done, null, 10, default);
        await ledger.RetryAssessmentAsync(claims[1].ReservationId, Actor.System("test"), default);
        await ledger.OverrideAssessmentAsync(claims[2].ReservationId, true, Actor.System("test"), default);
        await ledger.EraseUserAsync(claims[2].UserId, Actor.System("test"), default);
        time.Advance(TimeSpan.FromDays(60));
        Assert.True(await ledger.ForgetAsync(default));
    }

    private async Task<ILedger> OpenAsync() => await SqliteLedger.OpenAsync(new SqliteLedgerOptions(FilePath), time, default);

    private Task<LedgerUnavailableException> RefusedAsync() => Assert.ThrowsAsync<LedgerUnavailableException>(OpenAsync);

    private Task<Sale> PublishAsync(ILedger ledger, int stock) => TestSale.PublishAsync(ledger, TestSale.Draft(time.GetUtcNow(), stock));

    private OrderDraft Order(Sale sale, int user) => new(
        OrderId.Create(time.GetUtcNow()), sale.Id, sale.Offers[0].Id, UserId.Parse($"u{user}"), sale.Offers[0].Price, 1, sale.PaymentWindow);

    /// <summary>Another program that holds the write lock until it is disposed.</summary>
    private async Task<SqliteConnection> LockAsync()
    {
        var other = new SqliteConnection($"Data Source={FilePath};Pooling=false");
        await other.OpenAsync();
        await ExecuteAsync(other, "BEGIN EXCLUSIVE");
        return other;
    }

    private async Task ByHandAsync(string sql)
    {
        await using var other = new SqliteConnection($"Data Source={FilePath};Pooling=false");
        await other.OpenAsync();
        await ExecuteAsync(other, sql);
    }

    private static async Task ExecuteAsync(SqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}
