using System.Globalization;
using System.Text.RegularExpressions;

using FlashSale.Storage.Sql;

namespace FlashSale.Storage.MySql;

/// <summary>
/// What is done once at the start of a ledger: looks at the server and refuses it when its settings would break promises, and brings the schema up to date.
/// What can be set for a session is set rather than asked for.
/// </summary>
internal static partial class MySqlSetup
{
    private const long PacketMin = 4 * 1024 * 1024;
    private const int MigrationPatienceSeconds = 60;
    private static readonly Migrations Migrations = new("MySql");

    // The server's numbers for a trigger that cannot be made: no right to it, no right while there is a binary log, or there already.
    private const int TriggerDenied = 1142;
    private const int AccessDenied = 1227;
    private const int TriggerDeniedByLog = 1419;
    private const int TriggerExists = 1359;

    /// <summary>One that is not in the chain yet may be put into it: an instance of an earlier version wrote it.</summary>
    private static readonly (string Name, string Definition)[] Guards =
    [
        ("audit_no_update", "BEFORE UPDATE ON audit FOR EACH ROW IF OLD.hash <> '' THEN " + Refuse + " END IF"),
        ("audit_no_delete", "BEFORE DELETE ON audit FOR EACH ROW " + Refuse),
        ("audit_head_no_return", "BEFORE UPDATE ON audit_head FOR EACH ROW IF NEW.seq <= OLD.seq THEN " + Refuse + " END IF"),
        ("audit_head_no_delete", "BEFORE DELETE ON audit_head FOR EACH ROW " + Refuse),
    ];

    private const string Refuse = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit log is append-only';";

    /// <summary>
    /// READ COMMITTED: a statement sees what was committed before it began, so also what the lock that it waited for let pass. Strict: a value that does not
    /// fit is an error, not another value. Backslashes escape, as the driver expects. Locks are waited for as long as an order may wait.
    /// </summary>
    private const string Settings =
        """
        SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
        SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION', autocommit = 1,
            time_zone = '+00:00', innodb_lock_wait_timeout = 2, foreign_key_checks = 1, unique_checks = 1, wait_timeout = 2592000, net_write_timeout = 600;
        """;

    /// <summary>
    /// MariaDB only: the transaction of a client that froze does not keep its rows. The connection is ended, and all is rolled back. Not
    /// idle_write_transaction_timeout: one that has only locked rows so far counts as reading there, and would keep them for ever.
    /// </summary>
    private const string MariaDbSettings = "SET SESSION idle_transaction_timeout = 3, check_constraint_checks = 1;";

    /// <summary>For a session that only reads, and may wait for its reader in the middle of a transaction. MySQL knows no such time, and takes it for a comment.</summary>
    public const string MayBeIdle = "DO 0; /*M! SET SESSION idle_transaction_timeout = 0 */";

    /// <returns>What each session sets when it is opened.</returns>
    /// <exception cref="LedgerUnavailableException">All that is wrong, and what to change.</exception>
    public static string Prepare(MySqlTarget target, TimeProvider? clock)
    {
        try
        {
            var settings = Settings;
            using (var first = MySqlSession.Open(target, Settings, clock))
            {
                var server = first.Query(
                    "SHOW GLOBAL VARIABLES", row => (Name: row.Text(0), Value: row.Text(1))).ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.OrdinalIgnoreCase);
                if (Problems(server).ToList() is { Count: > 0 } problems)
                {
                    throw new LedgerUnavailableException($"The ledger at {target.Description} cannot keep its promises:\n- " + string.Join("\n- ", problems));
                }

                settings += IsMariaDb(server) ? MariaDbSettings : "";
            }

            using var session = MySqlSession.Open(target, settings, clock);
            Migrate(session, target.Database);
            session.Execute("UPDATE ledger_state SET heartbeat = heartbeat + 1");
            return settings;
        }
        catch (MySqlFault fault)
        {
            throw new LedgerUnavailableException($"{fault.Message} [{target.Description}]", fault);
        }
    }

    private static void Migrate(MySqlSession session, string database)
    {
        // Held by the connection: it is given back when this program dies. Names are the server's, so that of the database is in it.
        var name = "flashsale " + database[..Math.Min(database.Length, 50)];
        if (session.First("SELECT GET_LOCK(?1, ?2)", row => row.IsNull(0) ? 0 : row.Long(0), name, MigrationPatienceSeconds) != 1)
        {
            throw new LedgerUnavailableException("Another program has been changing the schema of the ledger for a minute: see SHOW PROCESSLIST");
        }

        // Without a question to the server for it: who may only read and write rows can use a ledger whose schema is up to date.
        if (session.First("SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'schema_migrations'", row => row.Long(0)) == 0)
        {
            session.ExecuteScript(
                """
                CREATE TABLE IF NOT EXISTS schema_migrations (
                    version    BIGINT       NOT NULL PRIMARY KEY,
                    name       VARCHAR(255) NOT NULL,
                    checksum   VARCHAR(64)  NOT NULL,   -- SHA-256 of the file, hexadecimal
                    applied_at BIGINT       NOT NULL    -- Unix milliseconds
                ) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin
                """);
        }

        // Each statement that changes the schema commits: a step that dies half-way is repeated from its beginning, and is written so that it can be.
        Migrations.Apply(session, step => step());
        Guard(session);
        if (AuditLog.HasUnchained(session))
        {
            session.Begin();
            AuditLog.ChainRest(session);
            session.Commit();
        }

        session.First("SELECT RELEASE_LOCK(?1)", row => row.Long(0), name);
    }

    /// <summary>
    /// Triggers that refuse to change the audit log. Not in a migration: with a binary log MySQL lets only some users make triggers, and then it goes without them
    /// (docs/audit.md); the hashes find every edit all the same.
    /// </summary>
    private static void Guard(MySqlSession session)
    {
        var there = session.Query(
            "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND event_object_table IN ('audit', 'audit_head')", row => row.Text(0));
        foreach (var (name, definition) in Guards.Where(guard => !there.Contains(guard.Name, StringComparer.OrdinalIgnoreCase)))
        {
            try
            {
                session.ExecuteScript($"CREATE TRIGGER {name} {definition}");
            }
            catch (MySqlFault fault) when (MySqlDriver.ServerError(fault) is AccessDenied or TriggerDenied or TriggerDeniedByLog or TriggerExists)
            {
                // Without TRIGGER on the database one does not see either that it is there.
            }
        }
    }

    private static IEnumerable<string> Problems(Dictionary<string, string> server)
    {
        var version = server["version"];
        var (oldest, product) = IsMariaDb(server) ? (new Version(10, 6, 0), "MariaDB") : (new Version(8, 0, 16), "MySQL");
        if (!Version.TryParse(VersionNumber().Match(version).Value, out var number) || number < oldest)
        {
            yield return $"the server is {product} {version}: at least {oldest} is needed (SKIP LOCKED, CHECK)";
        }

        if (server.GetValueOrDefault("innodb_flush_log_at_trx_commit") != "1")
        {
            yield return "commits would be lost in a power cut: set innodb_flush_log_at_trx_commit=1";
        }

        if (IsOn(server, "log_bin") && server.GetValueOrDefault("sync_binlog") != "1")
        {
            yield return "the binary log would lose commits in a power cut, and with them the replicas: set sync_binlog=1";
        }

        if (IsOn(server, "log_bin") && server.GetValueOrDefault("binlog_format") == "STATEMENT")
        {
            yield return "the binary log cannot hold READ COMMITTED transactions as statements: set binlog_format=ROW (or MIXED)";
        }

        if (!IsOn(server, "innodb_rollback_on_timeout"))
        {
            yield return "half a transaction could be committed after a lock timeout: start the server with innodb_rollback_on_timeout=ON";
        }

        if (server.GetValueOrDefault("innodb_autoinc_lock_mode") is not ("1" or "2"))
        {
            yield return "inserts would lock the whole table: start the server with innodb_autoinc_lock_mode=2";
        }

        if (server.GetValueOrDefault("innodb_doublewrite") is "OFF" or "0")
        {
            yield return "a power cut could leave half-written pages: start the server with innodb_doublewrite=ON";
        }

        if (IsOn(server, "read_only") || IsOn(server, "super_read_only") || IsOn(server, "innodb_read_only"))
        {
            yield return "the server is read only, such as a replica: connect to the primary, or SET GLOBAL read_only=OFF there";
        }

        if (long.Parse(server["max_allowed_packet"], CultureInfo.InvariantCulture) < PacketMin)
        {
            yield return $"a batch of orders may not fit: set max_allowed_packet to {PacketMin} or more";
        }
    }

    private static bool IsMariaDb(Dictionary<string, string> server) =>
        server["version"].Contains("MariaDB", StringComparison.OrdinalIgnoreCase)
        || server.GetValueOrDefault("version_comment", "").Contains("MariaDB", StringComparison.OrdinalIgnoreCase);

    private static bool IsOn(Dictionary<string, string> server, string name) => server.GetValueOrDefault(name) is not (null or "OFF" or "0" or "NO");

    [GeneratedRegex(@"[0-9]+\.[0-9]+\.[0-9]+", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex VersionNumber();
}
