using System.Security.Cryptography;

using FlashSale.Core;
using FlashSale.Core.Draws;
using FlashSale.Core.Sales;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    private const string SelectFixedAt = "SELECT fixed_at FROM draws WHERE sale_id = ?1";

    public Task<bool> EnterDrawAsync(SaleId sale, IReadOnlyList<DrawEntrant> entrants, CancellationToken cancellation) =>
        KeepAsync(
            session =>
            {
                // The row is this transaction's: while it enters somebody, nobody fixes the list.
                if (LockDraw(session, sale) is not { FixedAt: null, Times: var times } || session.Now < times.OpensAt || session.Now >= times.FixedFrom)
                {
                    return false;
                }

                session.InsertEntries(entrants);
                return true;
            },
            cancellation);

    public Task<bool> FixDrawAsync(SaleId sale, CancellationToken cancellation) =>
        KeepAsync(
            session =>
            {
                if (LockDraw(session, sale) is not { } draw)
                {
                    return false;
                }

                if (draw.FixedAt is null)
                {
                    if (session.Now < draw.Times.FixedFrom || session.Now >= draw.Times.FixedUntil)
                    {
                        return false;
                    }

                    foreach (var stock in ReadStock(session, [.. draw.Sale.Offers.Select(offer => offer.Id)]))
                    {
                        session.Execute("INSERT INTO draw_stock (offer_id, stock) VALUES (?1, ?2)", stock.OfferId.Value, stock.Row.Available);
                    }

                    session.Execute("UPDATE draws SET fixed_at = ?1 WHERE sale_id = ?2", session.Now.Ms(), sale.Value);
                }

                return true;
            },
            cancellation);

    public Task<FixedDraw?> ReadDrawAsync(SaleId sale, CancellationToken cancellation) =>
        ReadAsync(
            session => session.First("SELECT seed, fixed_at FROM draws WHERE sale_id = ?1 AND fixed_at IS NOT NULL", row => new { Seed = row.Bytes(0), At = row.Time(1) }, sale.Value)
                is { } draw
                    ? new FixedDraw(draw.Seed, draw.At, session
                        .Query(
                            "SELECT d.offer_id, d.stock FROM draw_stock d JOIN offers f ON f.id = d.offer_id WHERE f.sale_id = ?1 ORDER BY f.position",
                            row => (Offer: new OfferId(row.Long(0)), Stock: row.Long(1)), sale.Value)
                        .ConvertAll(offer => new FixedDrawOffer(offer.Offer, offer.Stock, DrawRules.Rank(draw.Seed, session.Query(
                            "SELECT entry FROM draw_entries WHERE offer_id = ?1", row => DrawEntry.Read(row.Bytes(0)), offer.Offer.Value)))))
                    : null,
            cancellation);

    /// <summary>A sale commits itself to one seed, however often its terms change.</summary>
    private static void Commit(SqlSession session, SaleId sale)
    {
        if (session.First("SELECT 1 FROM draws WHERE sale_id = ?1", row => row.Long(0), sale.Value) == 0)
        {
            var seed = RandomNumberGenerator.GetBytes(DrawRules.SeedBytes);
            session.Execute("INSERT INTO draws (sale_id, seed, commitment) VALUES (?1, ?2, ?3)", sale.Value, seed, DrawRules.Commitment(seed));
        }
    }

    /// <summary>Null for a sale that does not draw. The times are those of the sale as the ledger has it.</summary>
    private static LockedDraw? LockDraw(SqlSession session, SaleId id) =>
        session.First(SelectFixedAt + session.ForUpdate, row => new LockedDraw(row.TimeOrNull(0), null!, default), id.Value) is { } draw
            && FindSale(session, id) is { Status: not SaleStatus.Draft, Defences.DrawMs: > 0 } sale
            ? draw with { Sale = sale, Times = DrawTimes.Of(sale) }
            : null;

    private sealed record LockedDraw(DateTimeOffset? FixedAt, Sale Sale, DrawTimes Times);
}
