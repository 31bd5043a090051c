using Microsoft.Data.Sqlite;

namespace FlashSale.Storage.Sqlite;

/// <summary>What an error of SQLite means for the rows and for the people who run the ledger (sqlite.org/rescode.html).</summary>
internal static class SqliteErrors
{
    private const int Busy = 5;
    private const int Full = 13;

    /// <summary>The row is at fault, and the transaction goes on without it: TOOBIG, CONSTRAINT, MISMATCH, RANGE.</summary>
    public static bool IsOfTheRow(SqliteException error) => error.SqliteErrorCode is 18 or 19 or 20 or 25;

    /// <summary>
    /// True when a COMMIT that failed has surely not happened. BUSY leaves the transaction open and us to roll it back. FULL means that a
    /// frame of the write-ahead log could not be written in full; the commit frame is the last one and is not repeated (powersafe
    /// overwrite, SQLite's default), so no valid commit frame can be in the file. After any other error, such as a failed fsync, the commit
    /// frame may stand in the file though SQLite does not count it: the recovery after a crash would find it valid.
    /// </summary>
    public static bool SurelyNotCommitted(SqliteException error) => error.SqliteErrorCode is Busy or Full;

    public static LedgerUnavailableException Unavailable(Exception error) => error switch
    {
        LedgerUnavailableException known => new LedgerUnavailableException(known.Message, known),
        SqliteException sqlite => new LedgerUnavailableException(Describe(sqlite), sqlite),
        _ => new LedgerUnavailableException("The ledger failed: " + error.Message, error),
    };

    public static string Describe(SqliteException error)
    {
        var what = error.SqliteErrorCode switch
        {
            3 or 8 => "the database file cannot be written",
            Busy or 6 => "the database file is locked by another program",
            7 => "there is not enough memory",
            10 => "reading or writing the disk failed",
            11 => "the database file is damaged",
            Full => "the disk is full",
            14 => "the database file cannot be opened",
            26 => "the file is not a SQLite database",
            _ => "SQLite failed",
        };
        return $"The ledger is not available: {what} (SQLite {error.SqliteErrorCode}/{error.SqliteExtendedErrorCode}: {error.Message})";
    }
}
