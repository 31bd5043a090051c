using System.Diagnostics;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;
using FlashSale.Storage.MySql;
using FlashSale.Tests.Server;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>What is special to a server: others lock its rows, end its connections, freeze in the middle, or write by hand.</summary>
public sealed class MySqlTroubleTests(MariaDbForAll shared)
{
    /// <summary>Both are one transaction.</summary>
    [Fact]
    public async Task ReserveAsync_WhenTheAssessmentCannotBeWritten_LeavesNoReservation()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 1);
        var asked = new Reservation(Guid.CreateVersion7(), sale.Id, UserId.Parse("u1"), ReservationStatus.Pending);
        await rig.ByHandAsync("RENAME TABLE assessments TO away");

        Assert.NotNull(await Record.ExceptionAsync(() => ledger.ReserveAsync(asked, Evidence.Unknown, default)));
        await rig.ByHandAsync("RENAME TABLE away TO assessments");

        Assert.Null(await ledger.FindReservationAsync(sale.Id, asked.UserId, default));
        Assert.True((await ledger.ReserveAsync(asked, Evidence.Unknown, default)).Created);
        Assert.Single(await ledger.ListAssessmentsAsync(sale.Id, null, null, 10, default));
    }

    [Fact]
    public async Task UpdateWithCase_WhenNothingIsLeft_LooksLikeASaleThroughTheDriversDefault()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        await rig.ByHandAsync("CREATE TABLE shelf (id INT PRIMARY KEY, inventory INT NOT NULL, CHECK (inventory >= 0)); INSERT INTO shelf VALUES (1, 1)");
        const string Seed = "UPDATE shelf SET inventory = CASE WHEN inventory >= 1 THEN inventory - 1 ELSE inventory END WHERE id = 1";
        const string Ours = "UPDATE shelf SET inventory = inventory - 1 WHERE id = 1 AND inventory >= 1";
        await using var found = await rig.ConnectAsync("UseAffectedRows=false");
        await using var changed = MySqlDriver.Create(MySqlDriver.Pin(rig.ConnectionString + "UseAffectedRows=false", new MySqlTimeouts(3, 5)));
        await changed.OpenAsync();

        var sold = await found.RunAsync(Seed) + await found.RunAsync(Seed) + await found.RunAsync(Seed);
        Assert.Equal(3, sold);
        Assert.Equal(0, await changed.RunAsync(Seed));

        foreach (var connection in new[] { found, changed })
        {
            await rig.ByHandAsync("UPDATE shelf SET inventory = 1");
            Assert.Equal(1, await connection.RunAsync(Ours));
            Assert.Equal(0, await connection.RunAsync(Ours));
        }

        // The last wall, whatever the program says.
        var error = await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => changed.RunAsync("UPDATE shelf SET inventory = inventory - 1"));
        Assert.Equal(4025, MySqlDriver.ServerError(error));
    }

    [Theory]
    [InlineData("UPDATE stock SET available = -1, initial = initial - 11")]
    [InlineData("UPDATE stock SET available = available + 1")]
    [InlineData("UPDATE stock SET cancelled = -1")]
    [InlineData("UPDATE orders SET live_slot = NULL")]
    [InlineData("UPDATE orders SET live_slot = 2")]
    [InlineData("UPDATE orders SET status = 'expired'")]
    [InlineData("UPDATE orders SET status = 'lost'")]
    [InlineData("UPDATE orders SET offer_id = 77")]
    [InlineData("UPDATE orders SET sale_id = 77")]
    [InlineData("UPDATE orders SET user_limit = 11")]
    [InlineData("UPDATE orders SET price = -1")]
    [InlineData("INSERT INTO orders SELECT 99, x'00000000000000000000000000000000', sale_id, offer_id, user_id, status, user_limit, 1, price, currency, created_at, pay_before FROM orders")]
    [InlineData("INSERT INTO orders SELECT 99, id, sale_id, offer_id, 'other', status, user_limit, 1, price, currency, created_at, pay_before FROM orders")]
    [InlineData("INSERT INTO stock_changes (offer_id, bucket, seq, kind, delta, balance_after, order_id, at) SELECT offer_id, bucket, seq + n, 'sell', 0, 9, order_id, at FROM stock_changes, (SELECT 1 AS n UNION SELECT 2) AS numbers WHERE kind = 'hold'")]
    [InlineData("INSERT INTO stock_changes (offer_id, bucket, seq, kind, delta, balance_after, order_id, at) SELECT offer_id, bucket, seq + n, 'release', 1, 9, order_id, at FROM stock_changes, (SELECT 1 AS n UNION SELECT 2) AS numbers WHERE kind = 'hold'")]
    [InlineData("INSERT INTO stock_changes (offer_id, bucket, seq, kind, delta, balance_after, order_id, at) SELECT offer_id, bucket, seq, 'sell', 0, 9, order_id, at FROM stock_changes WHERE kind = 'hold'")]
    [InlineData("INSERT INTO stock_changes (offer_id, bucket, seq, kind, delta, balance_after, order_id, at) SELECT offer_id, bucket, seq + 1, 'sell', delta, -1, order_id, at FROM stock_changes WHERE kind = 'hold'")]
    [InlineData("DELETE FROM offers")]
    public async Task Schema_WhenAPromiseWouldBreak_RefusesWhateverTheProgramSays(string sql)
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 10);
        await ledger.PlaceAsync([MySqlRig.Order(sale, 1)], default);

        var error = await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => rig.ByHandAsync(sql));

        Assert.Contains(MySqlDriver.ServerError(error), new int?[] { 1062, 1451, 1452, 4025 });
        await MySqlRig.AuditAsync(ledger, sale);
    }

    [Theory]
    [InlineData(WritePattern.LogFirst)]
    [InlineData(WritePattern.StockFirst)]
    public async Task PlaceAsync_WhenAStrangerHoldsTheStock_WritesNothingAndWorksAgainAfterwards(WritePattern pattern)
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync(pattern);
        var sale = await MySqlRig.PublishAsync(ledger, stock: 10);
        Assert.Equal(PlacementOutcome.Placed, await MySqlRig.PlaceAsync(ledger, MySqlRig.Order(sale, 1)));
        var draft = MySqlRig.Order(sale, 2);
        await using (var stranger = await rig.ConnectAsync())
        {
            await stranger.RunAsync("START TRANSACTION");
            await stranger.ReadAsync<long>("SELECT seq FROM stock FOR UPDATE");

            var error = await Assert.ThrowsAsync<LedgerUnavailableException>(() => ledger.PlaceAsync([draft], default));

            Assert.Contains("another transaction holds the rows", error.Message);
            Assert.Null(await ledger.FindOrderAsync(draft.Id, default));
            await MySqlRig.AuditAsync(ledger, sale);
        }

        Assert.Equal(PlacementOutcome.Placed, await MySqlRig.PlaceAsync(ledger, draft));
        await MySqlRig.AuditAsync(ledger, sale);
    }

    [Fact]
    public async Task Pools_WhileAStrangerHoldsTheStock_TellWhoUsesConnectionsAndWhoWaits()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 10);
        OrderDraft[] drafts = [.. Enumerable.Range(0, 5).Select(user => MySqlRig.Order(sale, user))];
        await ledger.PlaceAsync(drafts, default);
        string Said() => string.Join(", ", ledger.Pools.Select(pool => $"{pool.Name} {pool.Used}/{pool.Size}+{pool.Waiting}"));
        await Eventually.HoldsAsync(() => Said() == "orders 0/2+0, changes 0/2+0, reads 0/2+0", "nobody is there");

        Task[] ends;
        await using (var stranger = await rig.ConnectAsync())
        {
            await stranger.RunAsync("START TRANSACTION");
            await stranger.ReadAsync<long>("SELECT seq FROM stock FOR UPDATE");
            ends = [.. drafts.Select(draft => ledger.CancelAsync(draft.Id, draft.UserId, default))];
            await Eventually.HoldsAsync(() => Said() == "orders 0/2+0, changes 2/2+3, reads 0/2+0", "two have a connection and three wait");
        }

        await Task.WhenAll(ends);
        await Eventually.HoldsAsync(() => Said() == "orders 0/2+0, changes 0/2+0, reads 0/2+0", "nobody is there any more");
        Assert.DoesNotContain(ledger.Pools, pool => pool.IsExhausted);
    }

    [Theory]
    [InlineData(WritePattern.LogFirst)]
    [InlineData(WritePattern.StockFirst)]
    public async Task PlaceAsync_WhenTheStockWasEditedByHand_SellsNotMoreThanIsThere(WritePattern pattern)
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync(pattern);
        var sale = await MySqlRig.PublishAsync(ledger, stock: 10);
        Assert.Equal(PlacementOutcome.Placed, await MySqlRig.PlaceAsync(ledger, MySqlRig.Order(sale, 1)));

        // Without a change in the log: the number that the ledger believes in is still right, and so only the count of changed rows tells.
        await rig.ByHandAsync("UPDATE stock SET adjustments = adjustments - available, available = 0");
        var late = MySqlRig.Order(sale, 2);

        Assert.Equal(PlacementOutcome.SoldOut, await MySqlRig.PlaceAsync(ledger, late));
        Assert.Null(await ledger.FindOrderAsync(late.Id, default));
        Assert.Equal(0, (await ledger.ReadStockAsync([sale.Offers[0].Id], default))[0].Row.Available);
    }

    [Fact]
    public async Task PlaceAsync_WhenItIsTheVictimOfADeadlock_TriesAgain()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 10);
        await MySqlRig.PlaceAsync(ledger, MySqlRig.Order(sale, 1));
        const string Deadlocks = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'innodb_deadlocks'";
        var before = await rig.ReadAsync<long>(Deadlocks);
        await using var stranger = await rig.ConnectAsync();
        // It has written more, so it is the other one that InnoDB gives up.
        await stranger.RunAsync("START TRANSACTION; INSERT INTO audit (at, actor, role, action, subject) SELECT seq, 'a', 'b', 'c', 'd' FROM seq_1_to_2000");
        await stranger.ReadAsync<long>("SELECT seq FROM stock FOR UPDATE");

        var draft = MySqlRig.Order(sale, 2);
        var placing = MySqlRig.PlaceAsync(ledger, draft);
        while (!placing.IsCompleted && await rig.ReadAsync<long>("SELECT count(*) FROM information_schema.innodb_lock_waits") == 0)
        {
            // InnoDB shows what it showed before to whoever looks again within 100 ms.
            await Task.Delay(150);
        }

        await stranger.RunAsync(
            $"INSERT INTO orders (id, sale_id, offer_id, user_id, status, user_limit, live_slot, price, currency, created_at, pay_before) VALUES (x'{Guid.NewGuid():N}', {sale.Id}, {draft.OfferId}, 'u2', 'held', 1, 1, 1, 'CNY', 1, 1)");
        await stranger.RunAsync("ROLLBACK");

        Assert.Equal(PlacementOutcome.Placed, await placing);
        Assert.True(await rig.ReadAsync<long>(Deadlocks) > before, "there was no deadlock");
        await MySqlRig.AuditAsync(ledger, sale);
    }

    /// <summary>Where others write more, the same one loses each time.</summary>
    [Theory]
    [InlineData(19, true)]
    [InlineData(20, false)]
    public async Task Run_WhenItLosesDeadlocksInARow_GoesOnForTwentyAttempts(int lost, bool wins)
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        await rig.OpenAsync();
        var target = MySqlDriver.Pin(rig.ConnectionString, new MySqlTimeouts(3, 5));
        using var worker = new MySqlWorker(() => MySqlSession.Open(target, MySqlSetup.Prepare(target, null), null));
        var attempts = 0;

        var refused = Record.Exception(() => worker.Run(_ => ++attempts <= lost ? throw new MySqlFault(MySqlFaultKind.Deadlock, "lost", new InvalidOperationException()) : attempts));

        Assert.Equal(20, attempts);
        Assert.Equal(wins ? null : typeof(LedgerUnavailableException), refused?.GetType());
    }

    [Fact]
    public async Task AnyMethod_WhenItsConnectionWasKilled_GoesOnWithAnother()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 100);
        for (var round = 0; round < 5; round++)
        {
            await KillConnectionsAsync(rig);
            Assert.Equal(PlacementOutcome.Placed, await MySqlRig.PlaceAsync(ledger, MySqlRig.Order(sale, round)));
            await KillConnectionsAsync(rig);
            Assert.Single(await ledger.ListSalesAsync(default));
            Assert.Null(await ledger.CheckAsync(default));
        }

        await MySqlRig.AuditAsync(ledger, sale);
    }

    [Fact]
    public async Task PlaceAsync_WhenConnectionsAreKilledAllTheTime_AcknowledgesOnlyWhatIsThere()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 100_000);
        using var over = new CancellationTokenSource();
        var first = new TaskCompletionSource();
        var crowd = MySqlCrowd.PlaceUntilAsync(ledger, sale, first, over.Token);
        await first.Task.WaitAsync(TimeSpan.FromSeconds(30));
        over.CancelAfter(TimeSpan.FromSeconds(3));
        var killing = KillUntilAsync(rig, over.Token);
        var (placed, unknown) = await crowd;
        await killing;

        await MySqlCrowd.SettleAsync(ledger, unknown, placed);
        await AssertHasAsync(ledger, sale, placed);
    }

    [Fact]
    public async Task PlaceAsync_WhenAnotherInstanceFrozeInsideATransaction_WaitsForTheServerToEndIt()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 10);
        var target = MySqlDriver.Pin(rig.ConnectionString, new MySqlTimeouts(3, 5));
        using var frozen = MySqlSession.Open(target, MySqlSetup.Prepare(target, null), null);
        frozen.Begin();
        frozen.Execute("UPDATE stock SET available = available - 1, held = held + 1, seq = seq + 1");
        var began = Stopwatch.GetTimestamp();

        Assert.Equal(PlacementOutcome.Placed, await MySqlRig.PlaceAsync(ledger, MySqlRig.Order(sale, 1)));

        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(6));
        Assert.Throws<LedgerOutcomeUnknownException>(frozen.Commit);
        await MySqlRig.AuditAsync(ledger, sale);
    }

    [Fact]
    public async Task AnyWrite_WhenTheQueueIsFull_IsRefusedAtOnce()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 10);
        await using var stranger = await rig.ConnectAsync();
        await stranger.RunAsync("START TRANSACTION");
        await stranger.ReadAsync<long>("SELECT seq FROM stock FOR UPDATE");
        using var cancelled = new CancellationTokenSource();

        var waiting = Enumerable.Range(0, Limits.LedgerJobQueue + 100).Select(i => ledger.PlaceAsync([MySqlRig.Order(sale, i)], cancelled.Token)).ToList();

        Assert.Contains(waiting, task => task.Exception?.InnerException is LedgerBusyException);
        // What has not begun is dropped.
        await cancelled.CancelAsync();
        await stranger.RunAsync("ROLLBACK");
        await Assert.ThrowsAnyAsync<Exception>(() => Task.WhenAll(waiting));
        Assert.InRange((await MySqlRig.AuditAsync(ledger, sale)).Of("order").Count(), 0, 2);
    }

    [Fact]
    public async Task AnyWrite_WhenATextHasQuotesAndBackslashes_KeepsItAsItIs()
    {
        await using var rig = await MySqlRig.OnAsync(shared);
        var ledger = await rig.OpenAsync();
        const string Text = "\\'; DROP TABLE orders; -- \"\\\\ ?1 @p1 机器人 🙂\n";

        await ledger.BlacklistAsync(UserId.Parse("u1"), new BlacklistRequest(Text, "risk", null), Actor.System("test"), default);

        Assert.Equal(Text, (await ledger.FindBlacklistedAsync(UserId.Parse("u1"), default))!.Reason);
    }

    [Fact]
    public void Options_WhenTheyAreShown_KeepThePassword() =>
        Assert.DoesNotContain("secret", new MySqlLedgerOptions("Server=a;Database=b;Password=secret").ToString());

    internal static async Task AssertHasAsync(MySqlLedger ledger, Sale sale, IReadOnlyCollection<OrderId> placed)
    {
        var there = (await MySqlRig.AuditAsync(ledger, sale)).Of("order").Select(line => line.Id!).ToHashSet();
        Assert.All(placed, id => Assert.Contains(id.ToString(), there));
        Assert.Equal(placed.Count, there.Count);
    }

    private static async Task KillConnectionsAsync(MySqlRig rig)
    {
        await using var root = await rig.Server.RootAsync("AllowUserVariables=true");
        var database = await rig.ReadAsync<string>("SELECT DATABASE()");
        var kill = await root.ReadAsync<string>(
            $"SELECT coalesce(group_concat('KILL ', id SEPARATOR ';'), 'DO 0') FROM information_schema.processlist WHERE db = '{database}' AND id <> CONNECTION_ID()");
        foreach (var one in kill.Split(';'))
        {
            try
            {
                await root.RunAsync(one);
            }
            catch (System.Data.Common.DbException)
            {
                // Gone already.
            }
        }
    }

    private static async Task KillUntilAsync(MySqlRig rig, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            await KillConnectionsAsync(rig);
            await Task.Delay(Random.Shared.Next(1, 30), CancellationToken.None);
        }
    }
}

/// <summary>A few buyers that go on whatever happens, and keep a record of what they were told.</summary>
internal static class MySqlCrowd
{
    private static int users;

    /// <param name="first">Done when an order was acknowledged.</param>
    public static async Task<(List<OrderId> Placed, List<OrderDraft[]> Unknown)> PlaceUntilAsync(MySqlLedger ledger, Sale sale, TaskCompletionSource first, CancellationToken over)
    {
        var placed = new List<OrderId>();
        var unknown = new List<OrderDraft[]>();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            while (!over.IsCancellationRequested)
            {
                OrderDraft[] drafts = [.. Enumerable.Range(0, 5).Select(_ => MySqlRig.Order(sale, Interlocked.Increment(ref users)))];
                try
                {
                    var batch = await ledger.PlaceAsync(drafts, default);
                    Assert.All(batch.Results.Values, result => Assert.Equal(PlacementOutcome.Placed, result.Outcome));
                    lock (placed)
                    {
                        placed.AddRange(batch.Results.Keys);
                    }

                    first.TrySetResult();
                }
                catch (LedgerOutcomeUnknownException)
                {
                    lock (unknown)
                    {
                        unknown.Add(drafts);
                    }
                }
                catch (LedgerUnavailableException)
                {
                    // Nothing was written: the audit would find it. Not at once again.
                    await Task.Delay(10);
                }
            }
        }));
        Assert.NotEmpty(placed);
        return (placed, unknown);
    }

    /// <summary>The same ids again: whether they were committed or not, they are now.</summary>
    public static async Task SettleAsync(MySqlLedger ledger, List<OrderDraft[]> unknown, List<OrderId> placed)
    {
        foreach (var drafts in unknown)
        {
            var batch = await ledger.PlaceAsync(drafts, default);
            // All of them or none was there.
            Assert.Contains(Assert.Single(batch.Results.Values.Select(result => result.Outcome).Distinct()), new[] { PlacementOutcome.Placed, PlacementOutcome.AlreadyPlaced });
            placed.AddRange(batch.Results.Keys);
        }
    }
}
