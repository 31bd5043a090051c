using FlashSale.Core.Orders;
using FlashSale.Storage;
using FlashSale.Storage.Sqlite;

namespace FlashSale.Tests.Storage;

public abstract class SqliteLedgerContract(WritePattern pattern) : LedgerContract
{
    private readonly TemporaryFolder folder = new();

    protected override async Task<ILedger> OpenAsync() =>
        await SqliteLedger.OpenAsync(new SqliteLedgerOptions(folder.File("ledger.db"), pattern), Time, CancellationToken.None);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        folder.Dispose();
        GC.SuppressFinalize(this);
    }
}

public sealed class SqliteLedgerTests() : SqliteLedgerContract(WritePattern.LogFirst);

public sealed class SqliteLedgerStockFirstTests() : SqliteLedgerContract(WritePattern.StockFirst);

public sealed class SqliteRiskLedgerTests : RiskLedgerContract
{
    private readonly TemporaryFolder folder = new();

    protected override async Task<ILedger> OpenAsync() =>
        await SqliteLedger.OpenAsync(new SqliteLedgerOptions(folder.File("ledger.db")), Time, CancellationToken.None);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        folder.Dispose();
    }
}
