using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Stock;
using FlashSale.Storage;
using FlashSale.Storage.MySql;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>Several instances on one database: each believes something about the rows, and none may be wrong about what it commits.</summary>
public sealed class MySqlInstancesTests(MariaDbForAll shared)
{
    private const int Instances = 2;

    [Theory]
    [InlineData(WritePattern.LogFirst)]
    [InlineData(WritePattern.StockFirst)]
    public async Task PlaceAsync_WhenInstancesSellTheSameOffersAmidCancelsAndExpiry_KeepsEveryPromise(WritePattern pattern)
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        MySqlLedger[] ledgers = [await rig.OpenAsync(pattern), await rig.OpenAsync(pattern)];
        // Some windows run out while the crowd is still buying.
        var sale = await MySqlRig.PublishAsync(ledgers[0], stock: 150, limit: 2, window: TimeSpan.FromMilliseconds(300), offers: 2);
        var placed = 0;
        var problems = 0;

        await Task.WhenAll(Enumerable.Range(0, 16).Select(async worker =>
        {
            var random = new Random(worker);
            var ledger = ledgers[worker % Instances];
            for (var round = 0; round < 40; round++)
            {
                // The same users at both instances, several orders of one in a batch.
                var drafts = Enumerable.Range(0, random.Next(1, 12)).Select(_ => MySqlRig.Order(sale, random.Next(60), random.Next(2))).ToList();
                try
                {
                    var batch = await ledger.PlaceAsync(drafts, default);
                    Interlocked.Add(ref placed, batch.Results.Values.Count(result => result.Outcome == PlacementOutcome.Placed));
                    var again = await ledgers[(worker + round) % Instances].PlaceAsync(drafts, default);
                    Assert.All(
                        batch.Results.Where(result => result.Value.Outcome == PlacementOutcome.Placed),
                        result => Assert.Equal(PlacementOutcome.AlreadyPlaced, again.Results[result.Key].Outcome));
                    Interlocked.Add(ref placed, again.Results.Values.Count(result => result.Outcome == PlacementOutcome.Placed));
                    var some = drafts[random.Next(drafts.Count)];
                    await ledgers[random.Next(Instances)].CancelAsync(some.Id, some.UserId, default);
                    await ledger.ExpireAsync(random.Next(1, 20), default);
                }
                catch (LedgerUnavailableException)
                {
                    Interlocked.Increment(ref problems);
                }
            }
        }));

        var rows = await MySqlRig.AuditAsync(ledgers[1], sale);
        Assert.InRange(problems, 0, 5);
        Assert.True(placed > 300, $"only {placed} orders were placed");
        Assert.True(problems > 0 || rows.Of("order").Count() == placed);
    }

    [Fact]
    public async Task PlaceAsync_WhenManyWantFewFromTwoInstances_ExactlyTheStockIsSold()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        MySqlLedger[] ledgers = [await rig.OpenAsync(), await rig.OpenAsync(WritePattern.StockFirst)];
        var sale = await MySqlRig.PublishAsync(ledgers[0], stock: 777);

        var batches = await Task.WhenAll(Enumerable.Range(0, 60).Select(i =>
            ledgers[i % Instances].PlaceAsync([.. Enumerable.Range(0, 20).Select(j => MySqlRig.Order(sale, (i * 20) + j))], default)));

        Assert.Equal(777, batches.SelectMany(batch => batch.Results.Values).Count(result => result.Outcome == PlacementOutcome.Placed));
        Assert.All(
            batches.SelectMany(batch => batch.Results.Values).Where(result => result.Outcome != PlacementOutcome.Placed),
            result => Assert.Equal(PlacementOutcome.SoldOut, result.Outcome));
        var rows = await MySqlRig.AuditAsync(ledgers[0], sale);
        Assert.Equal(777, rows.Of("order").Count());
    }

    [Fact]
    public async Task PlaceAsync_WhenAnotherInstanceHasTheUsersSlotOrTheOrder_SaysSo()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var (one, other) = (await rig.OpenAsync(), await rig.OpenAsync());
        var sale = await MySqlRig.PublishAsync(one, stock: 100);
        OrderDraft[] first = [MySqlRig.Order(sale, 1), MySqlRig.Order(sale, 2)];
        await one.PlaceAsync(first, default);

        OrderDraft[] second = [MySqlRig.Order(sale, 1), first[1], MySqlRig.Order(sale, 3)];
        var batch = await other.PlaceAsync(second, default);
        var back = await one.PlaceAsync([MySqlRig.Order(sale, 3), MySqlRig.Order(sale, 4)], default);

        Assert.Equal(
            [PlacementOutcome.LimitReached, PlacementOutcome.AlreadyPlaced, PlacementOutcome.Placed],
            second.Select(draft => batch.Results[draft.Id].Outcome));
        Assert.Equal([PlacementOutcome.LimitReached, PlacementOutcome.Placed], back.Results.Values.Select(result => result.Outcome).OrderDescending());
        Assert.Equal(StockRow.Restore(100, 0, 96, 4, 0, 5), Assert.Single(back.Stocks).Row);
        await MySqlRig.AuditAsync(other, sale);
    }

    [Fact]
    public async Task PlaceAsync_WhenAllWasThereAlready_CommitsAWriteBeforeItSaysSo()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 10);
        var draft = MySqlRig.Order(sale, 1);
        await ledger.PlaceAsync([draft], default);
        var before = await rig.ReadAsync<long>("SELECT heartbeat FROM ledger_state");

        Assert.Equal(PlacementOutcome.AlreadyPlaced, await MySqlRig.PlaceAsync(ledger, draft));

        // Else an order could be told that another instance has committed and not flushed yet.
        Assert.Equal(before + 1, await rig.ReadAsync<long>("SELECT heartbeat FROM ledger_state"));
    }

    [Fact]
    public async Task ExpireAsync_ByTwoInstancesAtOnce_EndsEachOrderOnce()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        MySqlLedger[] ledgers = [await rig.OpenAsync(), await rig.OpenAsync()];
        var sale = await MySqlRig.PublishAsync(ledgers[0], stock: 400, window: TimeSpan.FromMilliseconds(1), offers: 2);
        await ledgers[0].PlaceAsync([.. Enumerable.Range(0, 400).Select(i => MySqlRig.Order(sale, i, i % 2))], default);

        var moves = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            var mine = new List<StockMove>();
            for (var round = 0; round < 12; round++)
            {
                mine.AddRange(await ledgers[i % Instances].ExpireAsync(15, default));
            }

            return mine;
        }));

        Assert.Equal(400, moves.Sum(mine => mine.Count));
        Assert.Equal(400, moves.SelectMany(mine => mine).Select(move => move.OrderId).Distinct().Count());
        await MySqlRig.AuditAsync(ledgers[0], sale);
    }

    [Fact]
    public async Task OpenAsync_WhenManyStartOnAnEmptyDatabase_OneMakesTheSchema()
    {
        await using var rig = await MySqlRig.OnAsync(shared);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => rig.OpenAsync()));

        Assert.Equal(1, await rig.ReadAsync<long>("SELECT count(*) FROM schema_migrations WHERE version = 1"));
        Assert.Equal(1, await rig.ReadAsync<long>("SELECT count(*) FROM ledger_state"));
    }

    [Theory]
    [InlineData("CREATE TABLE IF NOT EXISTS sales")]
    [InlineData("CREATE TABLE IF NOT EXISTS stock_changes")]
    [InlineData("CREATE TABLE IF NOT EXISTS leases")]
    public async Task OpenAsync_WhenAMigrationDiedHalfWay_CompletesIt(string died)
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        await using var script = typeof(MySqlLedger).Assembly.GetManifestResourceStream("FlashSale.Storage.MySql.Migrations.0001_ledger.sql")!;
        using var reader = new StreamReader(script);
        var sql = await reader.ReadToEndAsync();
        await rig.ByHandAsync(sql[..sql.IndexOf(died, StringComparison.Ordinal)]);

        var ledger = await rig.OpenAsync();

        var sale = await MySqlRig.PublishAsync(ledger, stock: 5);
        Assert.Equal(PlacementOutcome.Placed, await MySqlRig.PlaceAsync(ledger, MySqlRig.Order(sale, 1)));
        Assert.Equal(1, await rig.ReadAsync<long>("SELECT count(*) FROM ledger_state"));
    }

    [Theory]
    [InlineData("UPDATE schema_migrations SET checksum = 'other' WHERE version = 1", "never changed")]
    [InlineData("INSERT INTO schema_migrations VALUES (9999, 'tomorrow', 'x', 0)", "start a newer program")]
    public async Task OpenAsync_WhenTheSchemaIsNotOfThisProgram_Refuses(string sql, string message)
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        await rig.OpenAsync();
        await rig.ByHandAsync(sql);

        Assert.Contains(message, (await rig.RefusedAsync()).Message);
    }

    [Fact]
    public async Task ReadClockAsync_Always_IsTheDatabases()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();

        var before = await rig.ReadAsync<long>("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)");
        var clock = (await ledger.ReadClockAsync(default)).ToUnixTimeMilliseconds();
        var after = await rig.ReadAsync<long>("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)");

        Assert.InRange(clock, before, after);
        // Orders are timed by it too.
        var sale = await MySqlRig.PublishAsync(ledger, stock: 5);
        var batch = await ledger.PlaceAsync([MySqlRig.Order(sale, 1)], default);
        Assert.InRange(batch.Results.Values.Single().Order!.CreatedAt.ToUnixTimeMilliseconds(), after, after + 10_000);
    }

    [Fact]
    public async Task ExportAsync_WhenAbandoned_EndsAtOnce()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 20_000);
        for (var i = 0; i < 20; i++)
        {
            await ledger.PlaceAsync([.. Enumerable.Range(i * Limits.BatchMax, Limits.BatchMax).Select(user => MySqlRig.Order(sale, user))], default);
        }

        // More often than exports may run at once: each gives its place back.
        for (var i = 0; i < 10; i++)
        {
            await foreach (var line in ledger.ExportAsync(sale.Id, default))
            {
                Assert.Equal("stock", line.Type);
                break;
            }
        }

        Assert.Equal(20 * Limits.BatchMax, (await MySqlRig.AuditAsync(ledger, sale)).Of("order").Count());
    }
}
