using System.Text.Json;

using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    public Task<LimitsDocument> ReadLimitsAsync(CancellationToken cancellation) => ReadAsync(ReadLimits, cancellation);

    public Task<LimitsDocument?> SaveLimitsAsync(LimitsDocument limits, long? expectedRev, Actor actor, CancellationToken cancellation) =>
        WriteAsync(
            session =>
            {
                // Of two changes at once the second waits here, and finds another revision.
                session.First("SELECT catalog_rev FROM ledger_state" + session.ForUpdate, row => row.Long(0));
                var before = ReadLimits(session);
                if (expectedRev is { } expected && expected != before.Rev)
                {
                    return null;
                }

                var after = limits with { Rev = before.Rev + 1 };
                var json = JsonSerializer.Serialize(after, WireJson.Default.LimitsDocument);
                if (session.Execute("UPDATE limits SET rev = ?1, document = ?2 WHERE id = 1", after.Rev, json) == 0)
                {
                    session.Execute("INSERT INTO limits (id, rev, document) VALUES (1, ?1, ?2)", after.Rev, json);
                }

                RaiseCatalogRev(session);
                Audit(
                    session, actor, "limits.set", "limits", actor.Reason, JsonSerializer.Serialize(before, WireJson.Default.LimitsDocument), json);
                return after;
            },
            cancellation);

    private static LimitsDocument ReadLimits(SqlSession session) =>
        session.First("SELECT document FROM limits WHERE id = 1", row => row.Text(0)) is { } json
            ? JsonSerializer.Deserialize(json, WireJson.Default.LimitsDocument)!
            : LimitsDocument.Default;
}
