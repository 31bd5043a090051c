using System.Data.Common;
using System.Text.RegularExpressions;

using FlashSale.Core.Risk;
using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Coupons;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Storage;
using FlashSale.Storage.MySql;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>How the server finds the rows of every statement that the ledger sends, taken from the server's own log.</summary>
public sealed partial class MySqlPlanTests
{
    private const int Offers = 30;

    /// <summary>By name and by the alias that the statements give them.</summary>
    private static readonly string[] Growing =
        ["orders", "o", "stock_changes", "s", "payments", "p", "coupons", "c", "reservations", "audit", "assessments", "a", "conduct", "order_contacts", "order_extensions"];

    [Fact]
    public async Task Statements_WhenExplained_ScanNoTableThatGrows()
    {
        await using var server = await MariaDb.StartAsync("log-output=TABLE");
        await using var rig = await MySqlRig.OnAsync(server);
        var ledger = await rig.OpenAsync();
        var sale = await MySqlRig.PublishAsync(ledger, stock: 1_000, offers: Offers);
        await FillAsync(ledger, sale);
        await rig.ByHandAsync("ANALYZE TABLE orders, stock_changes, payments, coupons, reservations, audit, stock, offers, assessments, conduct, order_contacts, order_extensions");

        await server.AsRootAsync("SET GLOBAL general_log = ON");
        await UseAllAsync(ledger, sale);
        await server.AsRootAsync("SET GLOBAL general_log = OFF");
        var statements = await StatementsAsync(server);
        await using var connection = await rig.ConnectAsync("AllowUserVariables=true");
        List<string> faults = [];
        foreach (var sql in statements)
        {
            faults.AddRange((await ExplainAsync(connection, sql)).Select(fault => $"{fault}: {sql[..Math.Min(sql.Length, 300)]}"));
        }

        Assert.True(statements.Count > 40, $"only {statements.Count} statements were used");
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    private static async Task FillAsync(MySqlLedger ledger, Sale sale)
    {
        for (var batch = 0; batch < 6; batch++)
        {
            var drafts = Enumerable.Range(batch * 500, 500).Select(i => MySqlRig.Order(sale, i % 910, i % Offers)).ToList();
            await ledger.PlaceAsync(drafts, default);
            foreach (var draft in drafts.Take(40))
            {
                await PayAsync(ledger, draft);
            }

            foreach (var draft in drafts.Skip(40).Take(40))
            {
                await ledger.KeepContactAsync(draft.Id, draft.UserId, new OrderContact("A", "12345", "B"), default);
                await ledger.ExtendAsync(draft.Id, draft.UserId, default);
            }
        }

        for (var i = 0; i < 200; i++)
        {
            var evidence = new Evidence($"00a{i}", null, $"198.51.100.{i}", null, false, false);
            await ledger.ReserveAsync(new Reservation(Guid.CreateVersion7(), sale.Id, UserId.Parse($"u{i}"), ReservationStatus.Pending), evidence, default);
        }

        var claims = await ledger.ClaimAssessmentsAsync(150, TimeSpan.FromSeconds(10), default);
        await ledger.DecideAssessmentsAsync(
            [.. claims.Select(claim => new AssessmentDecision(claim, new RiskInputs(), new RiskAssessment(0, []), ReservationStatus.Approved, "1", 1))], default);
        await ledger.AddConductAsync([.. Enumerable.Range(0, 1_000).Select(i => new ConductCount(UserId.Parse($"u{i}"), "token_asked", 1))], default);
    }

    private static async Task PayAsync(MySqlLedger ledger, OrderDraft draft)
    {
        var started = await ledger.StartPaymentAsync(draft.Id, draft.UserId, PaymentId.Create(TimeProvider.System.GetUtcNow()), default);
        await ledger.CompletePaymentAsync(started!.Value.Payment!.Id, draft.Id, draft.Price, true, CouponCode.Create(), default);
    }

    private static async Task UseAllAsync(MySqlLedger ledger, Sale sale)
    {
        OrderDraft[] drafts = [.. Enumerable.Range(0, 5).Select(i => MySqlRig.Order(sale, 10_000 + (i % 4)) with { PaymentWindow = TimeSpan.FromMilliseconds(1) })];
        await ledger.PlaceAsync(drafts, default);
        await ledger.PlaceAsync(drafts, default);
        await ledger.CancelAsync(drafts[0].Id, drafts[0].UserId, default);
        await PayAsync(ledger, drafts[1]);
        await ledger.FindPaymentAsync(PaymentId.Create(TimeProvider.System.GetUtcNow()), default);
        var coupon = (await ledger.FindOrderAsync(drafts[1].Id, default))!.Coupon!;
        await ledger.RedeemAsync(coupon.Code, drafts[1].UserId, default);
        await DeskQueries.ExtendAsync(ledger, drafts[2]);
        await ledger.ExpireAsync(10, default);
        await ledger.ListOrdersAsync(drafts[1].UserId, null, 10, default);
        await ledger.ListOrdersAsync(UserId.Parse("nobody"), null, 10, default);
        await ledger.ReadChangesAsync(sale.Offers[0].Id, 0, 100, default);
        await ledger.CountReservationsAsync(new SaleId(sale.Id.Value + 1), default);
        await ledger.FindReservationAsync(sale.Id, drafts[1].UserId, default);
        await DeskQueries.AskAsync(ledger, sale, drafts[1]);
        await ledger.AdjustStockAsync(sale.Offers[1].Id, new(1, "a", "b", 900), Actor.System("test"), default);
        await ledger.ListAuditAfterAsync(["limits", $"sale/{sale.Id}", $"offer/{sale.Offers[1].Id}"], 0, 100, default);
        await ledger.TryLeaseAsync("expiry", "a", TimeSpan.FromSeconds(1), default);
        Assert.Null(await ledger.CheckAsync(default));
        await AssessAsync(ledger, sale);
        await foreach (var line in ledger.ExportAsync(sale.Id, default))
        {
            Assert.NotEmpty(line.Type);
        }
    }

    private static async Task AssessAsync(MySqlLedger ledger, Sale sale)
    {
        var claims = await ledger.ClaimAssessmentsAsync(20, TimeSpan.FromSeconds(10), default);
        var inputs = await ledger.ReadRiskInputsAsync(claims, default);
        await ledger.DecideAssessmentsAsync(
            [new AssessmentDecision(claims[0], inputs[0], new RiskAssessment(100, []), ReservationStatus.Rejected, "1", 1)], default);
        await ledger.DelayAssessmentsAsync([new AssessmentDelay(claims[1], 12, TimeSpan.Zero, Dead: true, "no answer")], default);
        await ledger.CountAssessmentsAsync(default);
        await ledger.ListAssessmentsAsync(sale.Id, AssessmentState.Done, null, 10, default);
        await ledger.RetryAssessmentAsync(claims[1].ReservationId, Actor.System("test"), default);
        await ledger.OverrideAssessmentAsync(claims[2].ReservationId, true, Actor.System("test"), default);
        await ledger.EraseUserAsync(claims[3].UserId, Actor.System("test"), default);
        await ledger.ForgetAsync(default);
    }

    private static async Task<List<string>> StatementsAsync(MariaDb server)
    {
        await using var root = await server.RootAsync();
        await using var command = root.CreateCommand();
        command.CommandText =
            $"SELECT DISTINCT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type = 'Query' AND user_host LIKE '{MariaDb.User}%'";
        await using var rows = await command.ExecuteReaderAsync();
        var statements = new HashSet<string>();
        while (await rows.ReadAsync())
        {
            // A text of several statements stands there as a whole. The bytes of an id may be anything, and any id finds its row in the same way.
            var sql = BinaryValue().Replace(rows.GetString(0), "x'00112233445566778899aabbccddeeff'");
            statements.UnionWith(sql.Split(';', StringSplitOptions.TrimEntries).Where(one => one.StartsWith("SELECT ", StringComparison.Ordinal)
                || one.StartsWith("UPDATE ", StringComparison.Ordinal) || one.StartsWith("DELETE ", StringComparison.Ordinal)));
        }

        return [.. statements.Where(sql => !sql.Contains("information_schema", StringComparison.Ordinal) && (sql.Contains("FROM", StringComparison.Ordinal) || sql.StartsWith("UPDATE", StringComparison.Ordinal)))];
    }

    private static async Task<List<string>> ExplainAsync(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "EXPLAIN " + sql;
        await using var steps = await command.ExecuteReaderAsync();
        var faults = new List<string>();
        while (await steps.ReadAsync())
        {
            var (table, type, extra) = (steps["table"].ToString(), steps["type"].ToString(), steps["Extra"].ToString()!);
            if (type is "ALL" or "index" && Growing.Contains(table))
            {
                faults.Add($"{table} is scanned ({type})");
            }

            // The sorts: a user's own orders, refunds that are due, and the three counts of a sale's reservations.
            if (extra.Contains("filesort", StringComparison.Ordinal) && Growing.Contains(table) && !sql.Contains("o.user_id = ", StringComparison.Ordinal) && !sql.Contains("o.status = 'refund_due'", StringComparison.Ordinal)
                && !sql.Contains("GROUP BY", StringComparison.Ordinal))
            {
                faults.Add($"{table} is sorted");
            }
        }

        return faults;
    }

    [GeneratedRegex(@"_binary '(?:[^'\\]|\\.)*'", RegexOptions.Singleline | RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex BinaryValue();
}
