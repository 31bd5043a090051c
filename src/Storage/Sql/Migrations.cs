using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FlashSale.Storage.Sql;

/// <summary>
/// Brings the schema up to date, forward only: the embedded files <c>NNNN_name.sql</c> of a database in their order. What was applied is never edited: its
/// checksum is compared at every start.
/// </summary>
internal sealed class Migrations(string database)
{
    private readonly Migration[] embedded = Read($"FlashSale.Storage.{database}.Migrations.");

    /// <summary>Applies what is missing. Of programs that start at once, one does it: the caller holds a lock, or each <paramref name="step"/> takes one.</summary>
    /// <param name="session">Writes as the owner of the tables.</param>
    /// <param name="step">Runs a step as a whole or not at all, as far as the database can do that.</param>
    /// <exception cref="LedgerUnavailableException">The schema is of a newer program, or an applied migration was changed since.</exception>
    public void Apply(SqlSession session, Action<Action> step)
    {
        Refuse(session);
        foreach (var migration in embedded)
        {
            step(() =>
            {
                if (session.First("SELECT 1 FROM schema_migrations WHERE version = ?1", row => row.Long(0), migration.Version) == 0)
                {
                    session.ExecuteScript(migration.Sql);
                    session.Execute(
                        "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
                        migration.Version, migration.Name, migration.Checksum, session.Now.Ms());
                }
            });
        }
    }

    private void Refuse(SqlSession session)
    {
        foreach (var (version, name, checksum) in session.Query(
            "SELECT version, name, checksum FROM schema_migrations ORDER BY version",
            row => (Version: row.Long(0), Name: row.Text(1), Checksum: row.Text(2))))
        {
            var known = Array.Find(embedded, migration => migration.Version == version)
                ?? throw new LedgerUnavailableException(
                    $"The ledger has schema version {version} ({name}), which this program does not know: start a newer program");
            if (known.Checksum != checksum)
            {
                throw new LedgerUnavailableException(
                    $"Migration {version} ({name}) was applied with another content than this program has: an applied migration is never changed");
            }
        }
    }

    private static Migration[] Read(string prefix)
    {
        var assembly = typeof(Migrations).Assembly;
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
                // A checkout with other line ends is the same migration.
                var sql = reader.ReadToEnd().ReplaceLineEndings("\n");
                var file = name[prefix.Length..^".sql".Length];
                return new Migration(
                    long.Parse(file[..4], CultureInfo.InvariantCulture),
                    file[5..],
                    sql,
                    Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql))));
            })];
    }

    private sealed record Migration(long Version, string Name, string Sql, string Checksum);
}
