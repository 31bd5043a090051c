using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FlashSale.Storage.Sqlite;

/// <summary>
/// Brings the schema up to date, forward only: the embedded files <c>NNNN_name.sql</c> in their order, each in a transaction of its own.
/// What was applied is never edited: its checksum is compared at every start.
/// </summary>
internal static class Migrations
{
    private const string Prefix = "FlashSale.Storage.Sqlite.Migrations.";

    private static readonly Migration[] Embedded = Read();

    /// <exception cref="LedgerUnavailableException">The file was written by a newer program, or an applied migration was changed
    /// since.</exception>
    public static void Apply(SqliteSession session, DateTimeOffset now)
    {
        session.Execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version    INTEGER PRIMARY KEY,
                name       TEXT    NOT NULL,
                checksum   TEXT    NOT NULL,    -- SHA-256 of the file, hexadecimal
                applied_at INTEGER NOT NULL     -- Unix milliseconds
            ) STRICT
            """);
        Refuse(session);
        foreach (var migration in Embedded)
        {
            Apply(session, migration, now);
        }
    }

    private static void Refuse(SqliteSession session)
    {
        foreach (var (version, name, checksum) in session.Query(
            "SELECT version, name, checksum FROM schema_migrations ORDER BY version",
            row => (Version: row.Long(0), Name: row.Text(1), Checksum: row.Text(2))))
        {
            var known = Array.Find(Embedded, migration => migration.Version == version)
                ?? throw new LedgerUnavailableException(
                    $"The ledger has schema version {version} ({name}), which this program does not know: start a newer program");
            if (known.Checksum != checksum)
            {
                throw new LedgerUnavailableException(
                    $"Migration {version} ({name}) was applied with another content than this program has: an applied migration is never changed");
            }
        }
    }

    private static void Apply(SqliteSession session, Migration migration, DateTimeOffset now)
    {
        // Immediate: of two programs that start at once the second waits, and then sees that it is done.
        session.Execute("BEGIN IMMEDIATE");
        if (session.First("SELECT 1 FROM schema_migrations WHERE version = ?1", row => row.Long(0), migration.Version) == 0)
        {
            session.ExecuteScript(migration.Sql);
            session.Execute(
                "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
                migration.Version, migration.Name, migration.Checksum, now.ToUnixTimeMilliseconds());
        }

        session.Execute("COMMIT");
    }

    private static Migration[] Read()
    {
        var assembly = typeof(Migrations).Assembly;
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
                // A checkout with other line ends is the same migration.
                var sql = reader.ReadToEnd().ReplaceLineEndings("\n");
                var file = name[Prefix.Length..^".sql".Length];
                return new Migration(
                    long.Parse(file[..4], CultureInfo.InvariantCulture),
                    file[5..],
                    sql,
                    Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))));
            })];
    }

    private sealed record Migration(long Version, string Name, string Sql, string Checksum);
}
