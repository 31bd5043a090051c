namespace FlashSale.Storage.MySql;

/// <summary>What an error means for the transaction that met it.</summary>
internal enum MySqlFaultKind
{
    /// <summary>The connection is gone or in no known state: it is closed, and the server rolls back.</summary>
    Connection,

    /// <summary>The server did not answer in time. The connection is closed as above; asking again would only wait as long again.</summary>
    Silence,

    /// <summary>A row breaks a constraint. Trying again changes nothing.</summary>
    Row,

    /// <summary>A row is there already.</summary>
    Duplicate,

    /// <summary>The server chose this transaction to end a deadlock, or rows have changed under it. It was rolled back; the next attempt may pass.</summary>
    Deadlock,

    /// <summary>A lock was not given up in time. The transaction was rolled back (innodb_rollback_on_timeout).</summary>
    LockTimeout,

    /// <summary>The server cannot do it: full disk, read only, not allowed.</summary>
    Server,
}

/// <summary>An error of the database, before COMMIT was sent: nothing was written.</summary>
internal sealed class MySqlFault(MySqlFaultKind kind, string message, Exception inner) : Exception(message, inner)
{
    public MySqlFaultKind Kind { get; } = kind;
}

/// <summary>The server's error numbers, the same in MariaDB and MySQL unless noted, and what they say to the people who run the ledger.</summary>
internal static class MySqlErrors
{
    public static MySqlFault Fault(Exception error)
    {
        var number = MySqlDriver.ServerError(error);
        var kind = number is null && MySqlDriver.IsTimeout(error) ? MySqlFaultKind.Silence : KindOf(number);
        return new MySqlFault(kind, Describe(number, error), error);
    }

    /// <summary>True when the server answered a COMMIT with the word that it rolled back, as a Galera node does with a transaction that lost.</summary>
    public static bool SurelyNotCommitted(Exception error) => KindOf(MySqlDriver.ServerError(error)) == MySqlFaultKind.Deadlock;

    private static MySqlFaultKind KindOf(int? number) => number switch
    {
        1062 or 1586 => MySqlFaultKind.Duplicate,
        1213 or 1020 => MySqlFaultKind.Deadlock,
        1205 => MySqlFaultKind.LockTimeout,
        // NULL, duplicate or missing parent, out of range, too long, wrong value; a CHECK: 4025 of MariaDB, 3819 of MySQL.
        1048 or 1216 or 1217 or 1264 or 1265 or 1364 or 1366 or 1406 or 1451 or 1452 or 1690 or 3819 or 4025 => MySqlFaultKind.Row,
        // No space (1021, 1114, 1041), rights (1044, 1142, 1143, 1227), read only (1290, 1792, 1836), no such table (1146), too large (1153).
        1021 or 1041 or 1044 or 1114 or 1142 or 1143 or 1146 or 1153 or 1227 or 1290 or 1792 or 1836 => MySqlFaultKind.Server,
        _ => MySqlFaultKind.Connection,
    };

    public static string Describe(Exception error) => Describe(MySqlDriver.ServerError(error), error);

    private static string Describe(int? number, Exception error)
    {
        var what = number switch
        {
            _ when MySqlDriver.IsTlsRefused(error) => "the connection string asks for TLS, and the server does not offer it or its certificate is not trusted",
            null when MySqlDriver.IsTimeout(error) => "the server did not answer in time",
            null => "the connection failed",
            1021 or 1114 => "the server's disk is full",
            1040 or 1203 => "the server has no connection left: raise max_connections",
            1042 or 2002 or 2003 => "the server cannot be reached",
            1044 or 1049 => "the database does not exist, or the user may not use it",
            1045 or 1698 => "user or password is wrong",
            1142 or 1143 or 1227 => "the user has not the rights: GRANT ALL on the database",
            1205 => "another transaction holds the rows",
            1213 or 1020 => "transactions got in each other's way too often",
            1290 or 1792 or 1836 => "the server is read only",
            1053 or 1927 or 2006 or 2013 or 4031 => "the connection was ended",
            _ => "the server refused",
        };
        var reason = error;
        while (reason.InnerException is { } deeper)
        {
            reason = deeper;
        }

        return $"The ledger is not available: {what} ({(number is null ? "" : $"error {number}: ")}{reason.Message})";
    }
}
