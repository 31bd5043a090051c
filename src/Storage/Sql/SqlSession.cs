using FlashSale.Core;
using FlashSale.Core.Stock;

namespace FlashSale.Storage.Sql;

/// <summary>
/// A connection to a SQL database, used by one thread at a time, and mostly inside of a transaction. What is written in the SQL of several databases is
/// written once above it; where they differ, the difference is a member here.
/// </summary>
internal abstract class SqlSession : IDisposable
{
    /// <summary>The ledger's time, in whole milliseconds, since that is what is stored: one moment for a whole transaction.</summary>
    public abstract DateTimeOffset Now { get; }

    /// <summary>Ends a query whose rows the transaction is about to change, so that nobody else changes them in between.</summary>
    public abstract string ForUpdate { get; }

    /// <summary>The same, without the rows that another transaction has locked.</summary>
    public abstract string ForUpdateSkipLocked { get; }

    /// <summary>A condition that finds the rows of <c>stock_changes</c> that end what the order <c>?1</c> holds: by the index that each database has of them.</summary>
    public abstract string EndsOrder { get; }

    /// <summary>What the transaction has changed and must be in the audit log with it; null outside of one that may say so.</summary>
    public List<AuditNote>? Notes { get; set; }

    /// <summary>The id that the last insert was given.</summary>
    public abstract long LastId { get; }

    /// <param name="sql">A constant text with <c>?1</c>, <c>?2</c> and so on.</param>
    /// <param name="values">For those: numbers, strings, truth values, byte arrays or null.</param>
    /// <returns>How many rows were inserted, changed or deleted.</returns>
    public abstract int Execute(string sql, params ReadOnlySpan<object?> values);

    /// <summary>An insert that may find its place taken: false then, and nothing was written. The transaction goes on.</summary>
    public abstract bool TryInsert(string sql, params ReadOnlySpan<object?> values);

    public abstract List<T> Query<T>(string sql, Func<Row, T> map, params ReadOnlySpan<object?> values);

    /// <summary>The first row, or the default when there is none.</summary>
    public abstract T? First<T>(string sql, Func<Row, T> map, params ReadOnlySpan<object?> values);

    /// <summary>As the rows come, without keeping them; nothing else may run on the session meanwhile.</summary>
    public abstract IEnumerable<T> Stream<T>(string sql, Func<Row, T> map, params object?[] values);

    /// <summary>Everything that <paramref name="read"/> reads is from one instant.</summary>
    public abstract T Snapshot<T>(Func<SqlSession, T> read);

    /// <summary>Writes rows of the change log; many in a batch.</summary>
    public abstract void InsertChanges(OfferId offer, int bucket, IReadOnlyList<StockChange> changes);

    /// <summary>Writes entries of draws; one whose place is taken, or whose user has one of the offer, is left out.</summary>
    public abstract void InsertEntries(IReadOnlyList<DrawEntrant> entrants);

    /// <summary>Runs the statements of a migration.</summary>
    public abstract void ExecuteScript(string sql);

    /// <summary>What was not committed is rolled back.</summary>
    public abstract void Dispose();
}
