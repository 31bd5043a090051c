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

    public static async Task<Sale> PublishAsync(ILedger ledger, int stock, int limit = 1, TimeSpan? window = null, int offers = 1)
    {
        var now = DateTimeOffset.UnixEpoch.AddYears(60);
        var sale = await ledger.CreateSaleAsync(
            new Sale
            {
                Slug = $"sale-{Guid.NewGuid():N}",
                Title = new LocalizedText("端午", "Dragon Boat"),
                OpensAt = now,
                ClosesAt = now.AddHours(1),
                RequiresReservation = false,
                PaymentWindow = window ?? TimeSpan.FromMinutes(15),
                Offers = [.. Enumerable.Range(0, offers).Select(i => new Offer
                {
                    Sku = $"sku-{i}",
                    Title = new LocalizedText("券", "Coupon"),
                    FaceValue = Money.Cny(200),
                    Price = Money.Cny(100),
                    Stock = stock,
                    PerUserLimit = limit,
                    ValidFrom = DateTimeOffset.UnixEpoch,
                    ValidUntil = now.AddDays(1),
                })],
            },
            Actor.System("test"),
            default);
        return (await ledger.UpdateSaleAsync(sale! with { Status = SaleStatus.Published }, 1, "sale.publish", Actor.System("test"), default))!;
    }

    public static OrderDraft Order(Sale sale, int user, int offer = 0) => new(
        OrderId.Create(TimeProvider.System.GetUtcNow()), sale.Id, sale.Offers[offer].Id, UserId.Parse($"u{user}"), Money.Cny(100), sale.Offers[offer].PerUserLimit,
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
