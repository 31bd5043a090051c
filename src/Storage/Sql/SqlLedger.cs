using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

/// <summary>
/// The ledger in the SQL that all databases share: everything but the hot path, the connections and the errors, which each adapter does in its own way.
/// </summary>
public abstract partial class SqlLedger(WritePattern pattern) : ILedger
{
    private protected WritePattern Pattern { get; } = pattern;

    public abstract int WriterLanes { get; }

    public abstract int LaneOf(OfferId offer);

    public abstract IReadOnlyList<ConnectionPool> Pools { get; }

    public abstract Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellation);

    public abstract Task<PlacementBatch> PlaceAsync(IReadOnlyList<OrderDraft> drafts, CancellationToken cancellation);

    public IAsyncEnumerable<ExportLine> ExportAsync(SaleId sale, CancellationToken cancellation) => ExportAsync(session => ReadExport(session, sale), cancellation);

    public IAsyncEnumerable<AuditLine> ExportAuditAsync(CancellationToken cancellation) => ExportAsync(AuditLog.Export, cancellation);

    public abstract ValueTask DisposeAsync();

    /// <summary>Runs the work in a transaction and returns when that is durable; in one that failed for a reason that passes, once more.</summary>
    private protected abstract Task<T> TransactAsync<T>(Func<SqlSession, T> work, CancellationToken cancellation);

    /// <summary>One that touches no stock: where writes to the same stock queue up, it does not wait behind them.</summary>
    private protected virtual Task<T> TransactPromptlyAsync<T>(Func<SqlSession, T> work, CancellationToken cancellation) => TransactAsync(work, cancellation);

    /// <summary>All that <paramref name="read"/> yields is from one snapshot, and never in memory as a whole.</summary>
    private protected abstract IAsyncEnumerable<T> ExportAsync<T>(Func<SqlSession, IEnumerable<T>> read, CancellationToken cancellation);

    private Task<T> WriteAsync<T>(Func<SqlSession, T> work, CancellationToken cancellation) => TransactAsync(session => AuditLog.Run(session, work), cancellation);

    private Task<T> KeepAsync<T>(Func<SqlSession, T> work, CancellationToken cancellation) =>
        TransactPromptlyAsync(session => AuditLog.Run(session, work), cancellation);

    private protected abstract Task<T> ReadAsync<T>(Func<SqlSession, T> read, CancellationToken cancellation);
}
