using System.Data.Common;
using System.Text.Json;

using FlashSale.Core.Auditing;
using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;
using FlashSale.Tests.Servers;
using FlashSale.Tools;
using FlashSale.Tools.VerifyAudit;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>
/// The audit log is one chain, whoever writes it, and whatever is done to it by hand is found by the check of <c>flashsale verify-audit</c>, which has its own
/// arithmetic.
/// </summary>
public abstract class AuditLogContract : LedgerTests
{
    private const string Columns = "id, at, actor, role, action, subject, reason, `before`, `after`, trace_id";
    private static readonly string[] Guards =
        ["audit_no_update", "audit_no_delete", "audit_no_replace", "audit_head_no_return", "audit_head_no_delete", "audit_head_no_replace"];

    /// <summary>Each changes a text; where it changes nothing, it is not counted.</summary>
    private static readonly string[] TextEdits = ["'tampered'", "''", "substr({0}, 2)", "upper({0})", "replace({0}, 'e', 'a')"];
    private static readonly (string Column, string[] Edits)[] Edits =
    [
        ("id", ["id + 1000", "-id"]),
        ("at", ["at + 1", "at - 1", "0", "9000000000000000000"]),
        .. new[] { "actor", "role", "action", "subject", "previous_hash", "hash" }.Select(column => (column, TextEdits)),
        .. new[] { "reason", "`before`", "`after`", "trace_id" }.Select(column => (column, (string[])[.. TextEdits, "NULL"])),
    ];

    /// <summary>Somebody who has the database itself.</summary>
    protected abstract Task<DbConnection> ByHandAsync();

    /// <summary>What takes the schema back to that of the version before the chain.</summary>
    protected abstract string ToEarlierSchema { get; }

    [Fact]
    public async Task Log_WhenThingsChanged_IsOneChain()
    {
        Assert.Equal(new AuditHeadDocument(0, AuditChain.Start), await Ledger.ReadAuditHeadAsync(Stop));
        Assert.Equal(ExitCodes.ProvesNothing, (await CheckAsync()).ExitCode);

        await WriteLogAsync();

        var check = await CheckAsync();
        Assert.Equal((ExitCodes.Holds, 20), (check.ExitCode, check.Entries));
        var page = await Ledger.ListAuditAsync(null, 50, Stop);
        Assert.Equal(Enumerable.Range(1, 20).Reverse().Select(seq => (long)seq), page.Select(entry => entry.Seq));
        Assert.All(page, entry => Assert.Equal(entry.Id, $"{entry.Seq}"));
        Assert.Equal([.. page.Skip(1).Select(entry => entry.Hash), AuditChain.Start], page.Select(entry => entry.PreviousHash));
        Assert.Equal(new AuditHeadDocument(20, page[0].Hash!), await Ledger.ReadAuditHeadAsync(Stop));
        Assert.Equal(check.Last, (20, page[0].Hash));
        await ReopenAsync();
        Assert.Equal(check.Last, (await CheckAsync()).Last);
    }

    [Fact]
    public async Task ListAuditAfterAsync_OfSomeSubjects_GivesWhatIsNewerOldestFirst()
    {
        var sale = await PublishAsync((10, 1));
        var (subject, offer) = ($"sale/{sale.Id}", $"offer/{sale.Offers[0].Id}");
        var first = (await Ledger.ReadAuditHeadAsync(Stop)).Seq;
        for (var i = 0; i < 5; i++)
        {
            await Ledger.BlacklistAsync(User(i), new BlacklistRequest("bot", "risk", null), Operator, Stop);
            await Ledger.AdjustStockAsync(sale.Offers[0].Id, new StockAdjustmentRequest(1, "more", "r", 10 + i), Operator, Stop);
        }

        var all = await Ledger.ListAuditAfterAsync([subject, offer], 0, 50, Stop);
        var news = await Ledger.ListAuditAfterAsync([subject, offer], first, 3, Stop);

        Assert.Equal(["sale.create", "sale.publish", .. Enumerable.Repeat("stock.adjust", 5)], all.Select(entry => entry.Action));
        Assert.Equal([first + 2, first + 4, first + 6], news.Select(entry => entry.Seq));
        Assert.Equal([first + 8, first + 10], (await Ledger.ListAuditAfterAsync([offer], first + 6, 3, Stop)).Select(entry => entry.Seq));
        Assert.Empty(await Ledger.ListAuditAfterAsync([], 0, 3, Stop));
    }

    [Fact]
    public async Task Log_WhenAChangeFails_HasNoEntryAndNoGap()
    {
        var sale = await PublishAsync((5, 1));
        var other = await Ledger.CreateSaleAsync(Draft("other", (5, 1)), Operator, Stop);
        var before = (await CheckAsync()).Last;

        await Assert.ThrowsAsync<BatchRejectedException>(() => Ledger.UpdateSaleAsync(other! with { Slug = sale.Slug }, other.Rev, "sale.update", Operator, Stop));
        Assert.Null(await Ledger.UpdateSaleAsync(other! with { RiskThreshold = 1 }, 99, "sale.update", Operator, Stop));

        Assert.Equal(before, (await CheckAsync()).Last);
        await Ledger.BlacklistAsync(User(1), new BlacklistRequest("bot", "risk", null), Operator, Stop);
        Assert.Equal((ExitCodes.Holds, before.Seq + 1), ((await CheckAsync()).ExitCode, (await CheckAsync()).Last.Seq));
    }

    [Fact]
    public async Task Log_WhenManyWriteAtOnce_IsOneChain()
    {
        var sale = await PublishAsync((1_000, 1), (1_000, 1));
        await using var second = await OpenAsync();
        ILedger[] ledgers = OneWriter ? [Ledger] : [Ledger, second];

        var written = await AtOnceAsync(16, async number =>
        {
            var (ledger, count) = (ledgers[number % ledgers.Length], 0);
            for (var round = 0; round < 6; round++)
            {
                count += await ChangeAsync(ledger, sale, number, round);
            }

            return count;
        });

        var check = await CheckAsync();
        Assert.Equal((ExitCodes.Holds, written.Sum() + 2), (check.ExitCode, check.Entries));
    }

    [Fact]
    public async Task Log_WhenManyAreBarredAtOnce_IsOneChain()
    {
        var sale = await PublishAsync((10, 1));
        for (var i = 0; i < 60; i++)
        {
            await Ledger.ReserveAsync(new Reservation(Guid.CreateVersion7(Time.GetUtcNow()), sale.Id, User(i), ReservationStatus.Pending), Evidence.Unknown, Stop);
        }

        var claims = await Ledger.ClaimAssessmentsAsync(60, TimeSpan.FromSeconds(10), Stop);
        await AtOnceAsync(12, async number =>
        {
            // Some decide in pieces, others against them one by one, and all take the same rows.
            if (number % 2 == 0)
            {
                await Ledger.DecideAssessmentsAsync([.. claims.Skip(number * 5).Take(15).Reverse().Select(Reject)], Stop);
            }
            else
            {
                await Ledger.OverrideAssessmentAsync(claims[number * 5].ReservationId, false, Operator, Stop);
            }

            return true;
        });

        Assert.Equal(ExitCodes.Holds, (await CheckAsync()).ExitCode);
    }

    [Fact]
    public async Task Log_WhenAnyFieldOfAnyEntryIsEdited_IsFound()
    {
        await WriteLogAsync();
        await using var hand = await UnguardedAsync();
        var original = await ExportAsync();
        var (edited, missed) = (new HashSet<(int, string)>(), new List<string>());
        for (var id = 1; id <= 20; id++)
        {
            foreach (var (column, edits) in Edits)
            {
                foreach (var edit in edits)
                {
                    await hand.RunAsync($"UPDATE audit SET {column} = {string.Format(null, edit, column)} WHERE id = {id}");
                    var lines = await ExportAsync();
                    if (!lines.SequenceEqual(original))
                    {
                        edited.Add((id, column));
                        var check = Check(lines);
                        // An entry that lies about its own place is told at the place where it stands now, or at the one that it left.
                        var found = check.ExitCode == ExitCodes.Violated && (column == "id" || check.Faults[0].Seq == id);
                        missed.AddRange(found ? [] : [$"entry {id}: {column} = {edit}: {check.ExitCode} {string.Join(" | ", check.Faults)}"]);
                        await RestoreAsync(hand);
                    }
                }
            }
        }

        Assert.True(missed.Count == 0, string.Join('\n', missed));
        Assert.Equal(20 * Edits.Length, edited.Count);
        Assert.Equal(ExitCodes.Holds, (await CheckAsync()).ExitCode);
    }

    [Fact]
    public async Task Log_WhenEntriesAreRemovedMovedOrPutIn_IsFound()
    {
        await WriteLogAsync();
        await using var hand = await UnguardedAsync();
        List<(string What, string Sql, long First)> edits = [];
        for (var id = 1; id <= 20; id++)
        {
            edits.Add(($"removed {id}", $"DELETE FROM audit WHERE id = {id}", id == 20 ? 20 : id + 1));
            // The hole is closed again, so that nothing seems to be missing.
            edits.Add(($"removed {id}, closed", $"DELETE FROM audit WHERE id = {id}; {Shift($"id > {id}", -1)}", id));
            edits.Add(($"put in at {id}", $"{Shift($"id >= {id}", 1)}; INSERT INTO audit SELECT {id}, at, actor, role, action, subject, 'put in', `before`, `after`, trace_id, previous_hash, hash FROM audit_copy WHERE id = {id}", id));
            edits.Add(($"cut off at {id}", $"DELETE FROM audit WHERE id >= {id}", id));
        }

        for (var id = 1; id < 20; id++)
        {
            edits.Add(($"swapped {id}", $"UPDATE audit SET id = 99 WHERE id = {id}; UPDATE audit SET id = {id} WHERE id = {id + 1}; UPDATE audit SET id = {id + 1} WHERE id = 99", id));
            edits.Add(($"swapped what {id} says", Swap(id, Columns[4..]), id));
            edits.Add(($"swapped all but the number of {id}", Swap(id, Columns[4..] + ", previous_hash, hash"), id));
        }

        edits.Add(("added without a hash", $"INSERT INTO audit ({Columns}) SELECT 21, {Columns[4..]} FROM audit_copy WHERE id = 20", 21));
        edits.Add(("added a copy", "INSERT INTO audit SELECT 21, at, actor, role, action, subject, reason, `before`, `after`, trace_id, hash, previous_hash FROM audit_copy WHERE id = 20", 21));
        edits.Add(("everything", "DELETE FROM audit", 1));
        edits.Add(("the head put back", "UPDATE audit_head SET seq = 19, hash = (SELECT hash FROM audit_copy WHERE id = 19)", 20));
        edits.Add(("the head's hash", "UPDATE audit_head SET hash = (SELECT hash FROM audit_copy WHERE id = 19)", 20));
        edits.Add(("the head removed", "DELETE FROM audit_head", 1));
        List<string> missed = [];
        foreach (var (what, sql, first) in edits)
        {
            await hand.RunAsync(sql);
            var check = await CheckAsync();
            missed.AddRange(check.ExitCode == ExitCodes.Violated && check.Faults.Min(fault => fault.Seq) == first ? [] : [$"{what}: {check.ExitCode} {string.Join(" | ", check.Faults)}"]);
            await RestoreAsync(hand);
        }

        Assert.True(missed.Count == 0, string.Join('\n', missed));
        Assert.Equal(ExitCodes.Holds, (await CheckAsync()).ExitCode);
    }

    [Fact]
    public async Task Log_WhenItIsCutOffOrMadeAnewWithItsHead_IsFoundByACheckpoint()
    {
        await WriteLogAsync();
        var checkpoint = (await CheckAsync()).Last;
        await using var hand = await UnguardedAsync();

        await hand.RunAsync("DELETE FROM audit WHERE id > 12; UPDATE audit_head SET seq = 12, hash = (SELECT hash FROM audit_copy WHERE id = 12)");
        Assert.Equal(ExitCodes.Holds, (await CheckAsync()).ExitCode);
        Assert.Equal(13, Assert.Single((await CheckAsync(checkpoint)).Faults).Seq);
        await RestoreAsync(hand);

        // With a hash of its own, and all that follow.
        await ForgeAsync(hand, 7, 7);
        Assert.Equal([8L], (await CheckAsync()).Faults.Select(fault => fault.Seq));
        await RestoreAsync(hand);
        await ForgeAsync(hand, 7, 20);
        Assert.Equal(20, Assert.Single((await CheckAsync()).Faults).Seq);
        await hand.RunAsync("UPDATE audit_head SET hash = (SELECT hash FROM audit WHERE id = 20)");
        Assert.Equal(ExitCodes.Holds, (await CheckAsync()).ExitCode);
        Assert.Equal(20, Assert.Single((await CheckAsync(checkpoint)).Faults).Seq);
    }

    [Fact]
    public async Task Log_WhenChangedByHand_Refuses()
    {
        await WriteLogAsync();
        await using var hand = await ByHandAsync();

        foreach (var sql in (string[])["UPDATE audit SET actor = 'nobody' WHERE id = 3", "UPDATE audit SET hash = '' WHERE id = 3", "DELETE FROM audit WHERE id = 20", "DELETE FROM audit",
            $"REPLACE INTO audit ({Columns}) SELECT {Columns} FROM audit WHERE id = 3", "UPDATE audit_head SET seq = 3", "DELETE FROM audit_head"])
        {
            var error = await Assert.ThrowsAnyAsync<DbException>(() => hand.RunAsync(sql));
            Assert.Contains("audit log", error.Message);
        }

        Assert.Equal((ExitCodes.Holds, 20), ((await CheckAsync()).ExitCode, (await CheckAsync()).Entries));
    }

    [Fact]
    public async Task OpenAsync_WhenTheLogIsOfAnEarlierVersion_TakesItIntoAChain()
    {
        await WriteLogAsync();
        var before = await Ledger.ListAuditAsync(null, 50, Stop);
        await using (var hand = await UnguardedAsync())
        {
            // With the gaps that a database leaves between the numbers that it gives out.
            await hand.RunAsync("UPDATE audit SET id = id * 3 + 100; DROP TABLE audit_copy; DROP TABLE head_copy");
            await hand.RunAsync(ToEarlierSchema);
        }

        await ReopenAsync();

        Assert.Equal((ExitCodes.Holds, 20), ((await CheckAsync()).ExitCode, (await CheckAsync()).Entries));
        Assert.Equal(before, await Ledger.ListAuditAsync(null, 50, Stop));
        await Ledger.UnblacklistAsync(User(1), Operator, Stop);
        Assert.Equal((ExitCodes.Holds, 21), ((await CheckAsync()).ExitCode, (await CheckAsync()).Entries));
    }

    [Fact]
    public async Task Log_WhenAnInstanceOfAnEarlierVersionWritesToo_IsOneChain()
    {
        await WriteLogAsync();
        await using var hand = await ByHandAsync();
        var earlier = $"INSERT INTO audit ({Columns[4..]}) VALUES (1, 'olaf', 'operator', 'sale.pause', 'sale/1', NULL, NULL, NULL, NULL)";
        await hand.RunAsync(earlier + ";" + earlier);
        Assert.Equal([21L, 22L, 21L], (await CheckAsync()).Faults.Select(fault => fault.Seq));
        Assert.Null((await Ledger.ListAuditAsync(null, 1, Stop))[0].Hash);

        await Ledger.UnblacklistAsync(User(1), Operator, Stop);
        Assert.Equal((ExitCodes.Holds, 23), ((await CheckAsync()).ExitCode, (await CheckAsync()).Entries));

        await hand.RunAsync(earlier);
        await ReopenAsync();
        Assert.Equal((ExitCodes.Holds, 24), ((await CheckAsync()).ExitCode, (await CheckAsync()).Entries));
    }

    [Fact]
    public async Task AnyAuditedChange_WhenTheHeadWasPutBack_IsRefused()
    {
        await WriteLogAsync();
        await using var hand = await UnguardedAsync();
        await hand.RunAsync("UPDATE audit_head SET seq = 10, hash = (SELECT hash FROM audit_copy WHERE id = 10)");

        await Assert.ThrowsAnyAsync<Exception>(() => Ledger.BlacklistAsync(User(50), new BlacklistRequest("bot", "risk", null), Operator, Stop));

        Assert.Null(await Ledger.FindBlacklistedAsync(User(50), Stop));

        // And when it is gone, also after a start: the shop goes on, and sells.
        await hand.RunAsync("DELETE FROM audit_head");
        await ReopenAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => Ledger.BlacklistAsync(User(50), new BlacklistRequest("bot", "risk", null), Operator, Stop));
        var sale = (await Ledger.ListSalesAsync(Stop))[0];
        Assert.Equal(PlacementOutcome.Placed, await PlaceAsync(Order(sale, User(51))));
    }

    /// <summary>Another process may not have the same ledger open.</summary>
    protected virtual bool OneWriter => false;

    private async Task<int> ChangeAsync(ILedger ledger, Sale sale, int number, int round)
    {
        switch ((number + round) % 4)
        {
            case 0:
                await ledger.BlacklistAsync(User((number * 100) + round), new BlacklistRequest("bot", "risk", null), Operator, Stop);
                return 1;
            case 1:
                // Holds the stock's row before the log's head, as others hold theirs.
                var offer = sale.Offers[number % 2].Id;
                var available = (await ledger.ReadStockAsync([offer], Stop))[0].Row.Available;
                return await ledger.AdjustStockAsync(offer, new StockAdjustmentRequest(1, "more", "t", available), Operator, Stop) is null ? 0 : 1;
            case 2:
                return await ledger.SaveLimitsAsync(LimitsDocument.Default, null, Operator, Stop) is null ? 0 : 1;
            default:
                return await ledger.CreateSaleAsync(Draft($"sale-{number}-{round}", (5, 1)), Operator, Stop) is null ? 0 : 1;
        }
    }

    private static AssessmentDecision Reject(ClaimedAssessment claim) =>
        new(claim, new RiskInputs(), new RiskAssessment(100, []), ReservationStatus.Rejected, "1", 1);

    /// <summary>20 entries in which each field has different values, and is absent where it may be.</summary>
    private async Task WriteLogAsync()
    {
        var sale = await PublishAsync((5, 1));
        for (var i = 0; i < 9; i++)
        {
            Time.Advance(TimeSpan.FromMilliseconds(17));
            await Ledger.BlacklistAsync(User(i), new BlacklistRequest($"机器人 {i} 🤖", "risk", null), new Actor($"rita-{i}", "risk", null, i % 2 == 0 ? null : $"trace-{i}"), Stop);
        }

        for (var i = 0; i < 4; i++)
        {
            await Ledger.AdjustStockAsync(sale.Offers[0].Id, new StockAdjustmentRequest(1, "more came", $"ticket-{i}", 5 + i), Operator, Stop);
            await Ledger.UnblacklistAsync(User(i), Operator with { Reason = i == 0 ? "" : null }, Stop);
        }

        await Ledger.EraseUserAsync(User(1), Actor.System("asked for"), Stop);
        Assert.Equal(20, (await Ledger.ReadAuditHeadAsync(Stop)).Seq);
    }

    /// <summary>Whoever owns the database can take the guards away.</summary>
    private async Task<DbConnection> UnguardedAsync()
    {
        var hand = await ByHandAsync();
        await hand.RunAsync(string.Concat(Guards.Select(guard => $"DROP TRIGGER IF EXISTS {guard};")));
        await hand.RunAsync("CREATE TABLE audit_copy AS SELECT * FROM audit; CREATE TABLE head_copy AS SELECT * FROM audit_head");
        return hand;
    }

    private static Task RestoreAsync(DbConnection hand) =>
        hand.RunAsync("DELETE FROM audit; INSERT INTO audit SELECT * FROM audit_copy; DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM head_copy");

    private static string Shift(string where, int by) =>
        $"UPDATE audit SET id = -id - ({by}) WHERE {where}; UPDATE audit SET id = -id WHERE id < 0";

    private static string Swap(int id, string columns) => string.Join("; ", columns.Split(", ").Select(column =>
        $"UPDATE audit SET {column} = (SELECT {column} FROM audit_copy WHERE id = {id + 1}) WHERE id = {id}; "
        + $"UPDATE audit SET {column} = (SELECT {column} FROM audit_copy WHERE id = {id}) WHERE id = {id + 1}"));

    /// <summary>Another actor in an entry, and right hashes from there to another one.</summary>
    private async Task ForgeAsync(DbConnection hand, int from, int to)
    {
        var entries = (await Ledger.ListAuditAsync(null, 50, Stop)).OrderBy(entry => entry.Seq).ToList();
        var previous = entries[from - 2].Hash!;
        foreach (var entry in entries.Skip(from - 1).Take(to - from + 1))
        {
            var actor = entry.Seq == from ? "somebody-else" : entry.Actor;
            var hash = AuditChain.HashOf(previous, new AuditEntry(
                entry.Seq, entry.At, actor, entry.Role, entry.Action, entry.Subject, entry.Reason, entry.Before, entry.After, entry.TraceId));
            await hand.RunAsync($"UPDATE audit SET actor = '{actor}', previous_hash = '{previous}', hash = '{hash}' WHERE id = {entry.Seq}");
            previous = hash;
        }
    }

    private async Task<List<string>> ExportAsync()
    {
        List<string> lines = [];
        await foreach (var line in Ledger.ExportAuditAsync(Stop))
        {
            lines.Add(JsonSerializer.Serialize(line, WireJson.Default.AuditLine));
        }

        return lines;
    }

    private async Task<AuditLogCheck> CheckAsync(params (long Seq, string Hash)[] checkpoints) => Check(await ExportAsync(), checkpoints);

    private static AuditLogCheck Check(List<string> lines, params (long Seq, string Hash)[] checkpoints)
    {
        var check = new AuditLogCheck(checkpoints.ToDictionary(checkpoint => checkpoint.Seq, checkpoint => checkpoint.Hash));
        lines.ForEach(check.Read);
        check.End();
        return check;
    }
}
