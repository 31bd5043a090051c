using System.Data.Common;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Storage;
using FlashSale.Storage.MySql;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>A database on a MariaDB, ledgers on it by the database's own clock, and hands that write behind their back.</summary>
public sealed class MySqlRig(MariaDb server, string database) : IAsyncDisposable
{
    private readonly List<MySqlLedger> ledgers = [];

    public MariaDb Server => server;

    public string ConnectionString => server.ConnectionString(database);

    public static async Task<MySqlRig> OnAsync(MariaDb server) => new(server, await server.CreateDatabaseAsync());

    public static async Task<MySqlRig> OnAsync(MariaDbForAll shared) => await OnAsync(await shared.StartedAsync());

    public async Task<MySqlLedger> OpenAsync(WritePattern pattern = WritePattern.LogFirst, string more = "")
    {
        var ledger = await MySqlLedger.OpenAsync(new MySqlLedgerOptions(ConnectionString + more, pattern, WriterLanes: 2, Connections: 4), default);
        lock (ledgers)
        {
            ledgers.Add(ledger);
        }

        return ledger;
    }

    public async Task<LedgerUnavailableException> RefusedAsync(string connectionString) =>
        await Assert.ThrowsAsync<LedgerUnavailableException>(() => MySqlLedger.OpenAsync(new MySqlLedgerOptions(connectionString), default));

    public Task<LedgerUnavailableException> RefusedAsync() => RefusedAsync(ConnectionString);

    /// <summary>Another client of the same database.</summary>
    public Task<DbConnection> ConnectAsync(string more = "") => server.ConnectAsync(database, more);

    public async Task ByHandAsync(string sql)
    {
        await using var connection = await ConnectAsync("AllowUserVariables=true");
        await connection.RunAsync(sql);
    }

    public async Task<T> ReadAsync<T>(string sql)
    {
        await using var connection = await ConnectAsync();
        return await connection.ReadAsync<T>(sql);
    }

    public static Task<Sale> PublishAsync(ILedger ledger, int stock, int limit = 1, TimeSpan? window = null, int offers = 1)
    {
        var draft = TestSale.Draft(DateTimeOffset.UnixEpoch.AddYears(60), stock, limit, offers);
        return TestSale.PublishAsync(ledger, draft with
        {
            PaymentWindow = window ?? draft.PaymentWindow,
            Offers = [.. draft.Offers.Select(offer => offer with { ValidFrom = DateTimeOffset.UnixEpoch })],
        });
    }

    public static OrderDraft Order(Sale sale, int user, int offer = 0) => new(
        OrderId.Create(TimeProvider.System.GetUtcNow()), sale.Id, sale.Offers[offer].Id, UserId.Parse($"u{user}"), sale.Offers[offer].Price, sale.Offers[offer].PerUserLimit,
        sale.PaymentWindow);

    public static async Task<PlacementOutcome> PlaceAsync(ILedger ledger, OrderDraft draft) => (await ledger.PlaceAsync([draft], default)).Results[draft.Id].Outcome;

    public static async Task<LedgerRows> AuditAsync(ILedger ledger, Sale sale)
    {
        var rows = await LedgerRows.ReadAsync(ledger, sale.Id);
        rows.AssertConsistent(sale);
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var ledger in ledgers)
        {
            await ledger.DisposeAsync();
        }
    }
}
