using System.Data.Common;
using System.Security.Authentication;

using MySql.Data.MySqlClient;

namespace FlashSale.Storage.MySql;

/// <summary>
/// The only file that names the driver: everything else is written against System.Data.Common, so that another driver replaces this one here. It ignores
/// cancellation, and <c>Open</c> blocks its caller: connections are opened and used on threads of their own.
/// </summary>
internal static class MySqlDriver
{
    /// <summary>The operator's connection string with what the ledger relies on; it may say the rest, such as TLS.</summary>
    /// <exception cref="LedgerUnavailableException">It is not understood, or names no database.</exception>
    public static MySqlTarget Pin(string connectionString, MySqlTimeouts timeouts)
    {
        MySqlConnectionStringBuilder settings;
        try
        {
            settings = new MySqlConnectionStringBuilder(connectionString);
        }
        catch (Exception)
        {
            // Without what the driver says of it: that may quote the string, and with it the password.
            throw new LedgerUnavailableException(
                "The connection string of the ledger is not understood: write it as Server=…;Port=3306;Database=…;User ID=…;Password=…");
        }

        if (settings.Database.Length == 0)
        {
            throw new LedgerUnavailableException("The connection string of the ledger names no database: add Database=…");
        }

        // An UPDATE answers with the rows that it changed. The default is those that it found, and an update that sold nothing would look like a sale.
        settings.UseAffectedRows = true;
        settings.AllowUserVariables = true;
        settings.TreatTinyAsBoolean = false;
        settings.CharacterSet = "utf8mb4";
        settings.AllowLoadLocalInfile = false;
        // Would need packages of the driver that are not here, and time that the database on the same network does not cost.
        settings.UseCompression = false;
        settings.PersistSecurityInfo = false;
        // The threads of the ledger own their connections.
        settings.Pooling = false;
        settings.AutoEnlist = false;
        settings.ConnectionTimeout = timeouts.ConnectSeconds;
        settings.DefaultCommandTimeout = timeouts.CommandSeconds;
        return new MySqlTarget(
            settings.ConnectionString,
            settings.Database,
            $"{settings.Server}:{settings.Port}, database {settings.Database}, user {settings.UserID}",
            settings.SslMode is MySqlSslMode.Required or MySqlSslMode.VerifyCA or MySqlSslMode.VerifyFull);
    }

    public static DbConnection Create(MySqlTarget target) => new MySqlConnection(target.ConnectionString);

    /// <summary>The server's error number; null when the driver itself failed, as it does when the connection breaks.</summary>
    public static int? ServerError(Exception error)
    {
        for (var at = error; at is not null; at = at.InnerException)
        {
            if (at is MySqlException { Number: > 0 } told)
            {
                return told.Number;
            }
        }

        return null;
    }

    /// <summary>The driver has no number for it.</summary>
    public static bool IsTlsRefused(Exception error)
    {
        for (var at = error; at is not null && ServerError(error) is null; at = at.InnerException)
        {
            if (at is AuthenticationException || at.Message.Contains("SSL", StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    public static bool IsTimeout(Exception error)
    {
        for (var at = error; at is not null; at = at.InnerException)
        {
            if (at is TimeoutException)
            {
                return true;
            }
        }

        return false;
    }
}

/// <param name="ConnectionString">With the password: never shown.</param>
/// <param name="Description">Without it.</param>
internal sealed record MySqlTarget(string ConnectionString, string Database, string Description, bool Encrypted);

internal readonly record struct MySqlTimeouts(uint ConnectSeconds, uint CommandSeconds);
