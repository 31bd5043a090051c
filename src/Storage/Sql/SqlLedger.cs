using FlashSale.Core;
using FlashSale.Core.Orders;

namespace FlashSale.Storage.Sql;

/// <summary>
/// The ledger in the SQL that all databases share: everything but the hot path, the connections and the errors, which each adapter does in its own way.
/// </summary>
public abstract partial class SqlLedger(WritePattern pattern) : ILedger
{
    private protected WritePattern Pattern { get; } = pattern;

    public abstract int WriterLanes { get; }

    public abstract int LaneOf(OfferId offer);

    public abstract Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellation);

    public abstract Task<PlacementBatch> PlaceAsync(IReadOnlyList<OrderDraft> drafts, CancellationToken cancellation);

    public abstract IAsyncEnumerable<Core.Wire.ExportLine> ExportAsync(SaleId sale, CancellationToken cancellation);

    public abstract ValueTask DisposeAsync();

    /// <summary>Runs the work in a transaction and returns when that is durable; in one that failed for a reason that passes, once more.</summary>
    private protected abstract Task<T> WriteAsync<T>(Func<SqlSession, T> work, CancellationToken cancellation);

    /// <summary>A write that touches no stock: where writes to the same stock queue up, it does not wait behind them.</summary>
    private protected virtual Task<T> KeepAsync<T>(Func<SqlSession, T> work, CancellationToken cancellation) => WriteAsync(work, cancellation);

    private protected abstract Task<T> ReadAsync<T>(Func<SqlSession, T> read, CancellationToken cancellation);
}
