using FlashSale.Core.Orders;
using FlashSale.Storage;
using FlashSale.Storage.MySql;
using FlashSale.Tests.Servers;

[assembly: Xunit.AssemblyFixture(typeof(MariaDbForAll))]

namespace FlashSale.Tests.Storage;

public abstract class MySqlLedgerContract(MariaDbForAll shared, WritePattern pattern) : LedgerContract
{
    private string? connection;

    protected override async Task<ILedger> OpenAsync()
    {
        var server = await shared.StartedAsync();
        connection ??= server.ConnectionString(await server.CreateDatabaseAsync());
        return await MySqlLedger.OpenAsync(new MySqlLedgerOptions(connection, pattern, Connections: 4) { Clock = Time }, CancellationToken.None);
    }
}

public sealed class MySqlLedgerTests(MariaDbForAll shared) : MySqlLedgerContract(shared, WritePattern.LogFirst);

public sealed class MySqlLedgerStockFirstTests(MariaDbForAll shared) : MySqlLedgerContract(shared, WritePattern.StockFirst);

public sealed class MySqlRiskLedgerTests(MariaDbForAll shared) : RiskLedgerContract
{
    protected override async Task<ILedger> OpenAsync()
    {
        var server = await shared.StartedAsync();
        var connection = server.ConnectionString(await server.CreateDatabaseAsync());
        return await MySqlLedger.OpenAsync(new MySqlLedgerOptions(connection, Connections: 4) { Clock = Time }, CancellationToken.None);
    }
}
