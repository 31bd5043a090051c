using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    private const string SelectSales =
        """
        SELECT id, slug, title_zh, title_en, reservation_opens_at, reservation_closes_at, opens_at, closes_at, requires_reservation, ordering, deduction,
               payment_window, risk_threshold, status, warm_up_lead, rev, document, commitment
        FROM sales LEFT JOIN sale_defences ON sale_defences.sale_id = id LEFT JOIN draws ON draws.sale_id = id
        """;

    private const string SelectOffers =
        """
        SELECT sale_id, id, sku, title_zh, title_en, face_value, face_currency, price, price_currency, stock, per_user_limit, valid_from, valid_until
        FROM offers
        """;

    private const string InsertSale =
        """
        INSERT INTO sales (slug, title_zh, title_en, reservation_opens_at, reservation_closes_at, opens_at, closes_at, requires_reservation, ordering,
                           deduction, payment_window, risk_threshold, status, warm_up_lead,
                           rev)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 1)
        """;

    private const string UpdateSale =
        """
        UPDATE sales SET slug = ?1, title_zh = ?2, title_en = ?3, reservation_opens_at = ?4, reservation_closes_at = ?5, opens_at = ?6, closes_at = ?7,
               requires_reservation = ?8, ordering = ?9, deduction = ?10, payment_window = ?11, risk_threshold = ?12, status = ?13,
               warm_up_lead = ?14, rev = rev + 1
        WHERE id = ?15 AND rev = ?16
        """;

    private const string InsertOffer =
        """
        INSERT INTO offers (sale_id, position, sku, title_zh, title_en, face_value, face_currency, price, price_currency, stock, per_user_limit,
                            valid_from, valid_until)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        """;

    public Task<long> ReadCatalogRevAsync(CancellationToken cancellation) =>
        ReadAsync(session => session.First("SELECT catalog_rev FROM ledger_state", row => row.Long(0)), cancellation);

    public Task<IReadOnlyList<Sale>> ListSalesAsync(CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<Sale>>(
            session => session.Snapshot(snapshot =>
            {
                var offers = snapshot.Query(SelectOffers + " ORDER BY sale_id, position", Offer).ToLookup(row => row.SaleId, row => row.Offer);
                return snapshot.Query(SelectSales + " ORDER BY id", Sale).ConvertAll(sale => sale with { Offers = [.. offers[sale.Id]] });
            }),
            cancellation);

    public Task<Sale?> CreateSaleAsync(Sale sale, Actor actor, CancellationToken cancellation) =>
        WriteAsync(
            session =>
            {
                if (!session.TryInsert(InsertSale, [.. Values(sale with { Status = SaleStatus.Draft })]))
                {
                    return null;
                }

                var id = new SaleId(session.LastId);
                InsertOffers(session, id, sale.Offers);
                KeepDefences(session, id, sale.Defences);
                var created = FindSale(session, id)!;
                RaiseCatalogRev(session);
                Audit(session, actor, "sale.create", $"sale/{id}", actor.Reason, null, AuditJson.Write(created));
                return created;
            },
            cancellation);

    /// <inheritdoc/>
    /// <remarks>
    /// The offers are replaced while the sale is a draft and stays one. The call that takes it out of draft leaves the offers as they are
    /// stored, so that the ids which the operator has seen are those that go on sale.
    /// </remarks>
    /// <exception cref="BatchRejectedException">Another sale has the slug. Nothing was written.</exception>
    public Task<Sale?> UpdateSaleAsync(Sale sale, long expectedRev, string action, Actor actor, CancellationToken cancellation) =>
        WriteAsync(
            session =>
            {
                // Of two changes at once the second waits here, and finds another revision.
                session.First("SELECT 1 FROM sales WHERE id = ?1" + session.ForUpdate, row => row.Long(0), sale.Id.Value);
                var before = FindSale(session, sale.Id);
                if (before is null || session.Execute(UpdateSale, [.. Values(sale), sale.Id.Value, expectedRev]) == 0)
                {
                    return null;
                }

                if (before.Status != SaleStatus.Draft && sale.Status == SaleStatus.Draft)
                {
                    throw new InvalidOperationException($"Sale {sale.Id} was published and cannot become a draft again");
                }

                if (sale.Status == SaleStatus.Draft)
                {
                    session.Execute("DELETE FROM offers WHERE sale_id = ?1", sale.Id.Value);
                    InsertOffers(session, sale.Id, sale.Offers);
                }
                else if (before.Status == SaleStatus.Draft)
                {
                    foreach (var offer in before.Offers)
                    {
                        StockLine.Create(session, offer.Id, offer.Stock);
                    }
                }

                KeepDefences(session, sale.Id, sale.Defences);
                if (sale.Status != SaleStatus.Draft && sale.Defences.DrawMs > 0)
                {
                    Commit(session, sale.Id);
                }

                var after = FindSale(session, sale.Id)!;
                RaiseCatalogRev(session);
                Audit(session, actor, action, $"sale/{sale.Id}", actor.Reason, AuditJson.Write(before), AuditJson.Write(after));
                return after;
            },
            cancellation);

    private static Sale? FindSale(SqlSession session, SaleId id)
    {
        var sale = session.First(SelectSales + " WHERE id = ?1", Sale, id.Value);
        return sale is null
            ? null
            : sale with { Offers = session.Query(SelectOffers + " WHERE sale_id = ?1 ORDER BY position", row => Offer(row).Offer, id.Value) };
    }

    private static void InsertOffers(SqlSession session, SaleId sale, IReadOnlyList<Offer> offers)
    {
        for (var position = 0; position < offers.Count; position++)
        {
            var offer = offers[position];
            session.Execute(
                InsertOffer,
                sale.Value, position, offer.Sku, offer.Title.Zh, offer.Title.En, offer.FaceValue.Amount, offer.FaceValue.Currency,
                offer.Price.Amount, offer.Price.Currency, offer.Stock, offer.PerUserLimit, offer.ValidFrom.Ms(), offer.ValidUntil.Ms());
        }
    }

    private static SaleDefences FindDefences(SqlSession session, SaleId sale) =>
        session.First("SELECT document FROM sale_defences WHERE sale_id = ?1", row => row.Text(0), sale.Value) is { } document
            ? JsonSerializer.Deserialize(document, WireJson.Default.SaleDefences)!
            : SaleDefences.Default;

    private static void KeepDefences(SqlSession session, SaleId sale, SaleDefences defences)
    {
        session.Execute("DELETE FROM sale_defences WHERE sale_id = ?1", sale.Value);
        if (defences != SaleDefences.Default)
        {
            session.Execute(
                "INSERT INTO sale_defences (sale_id, document) VALUES (?1, ?2)",
                sale.Value, JsonSerializer.Serialize(defences, WireJson.Default.SaleDefences));
        }
    }

    private static void RaiseCatalogRev(SqlSession session) => session.Execute("UPDATE ledger_state SET catalog_rev = catalog_rev + 1");

    /// <summary>In the order of the columns of <see cref="InsertSale"/> and <see cref="UpdateSale"/>.</summary>
    private static object?[] Values(Sale sale) =>
    [
        sale.Slug, sale.Title.Zh, sale.Title.En, sale.ReservationOpensAt.Ms(), sale.ReservationClosesAt.Ms(), sale.OpensAt.Ms(), sale.ClosesAt.Ms(),
        sale.RequiresReservation, sale.Ordering.Word(), sale.Deduction.Word(), (long)sale.PaymentWindow.TotalMilliseconds, sale.RiskThreshold,
        sale.Status.Word(), (long)sale.WarmUpLead.TotalMilliseconds,
    ];

    private static Sale Sale(Row row) => new()
    {
        Id = new SaleId(row.Long(0)),
        Slug = row.Text(1),
        Title = new LocalizedText(row.Text(2), row.Text(3)),
        ReservationOpensAt = row.TimeOrNull(4),
        ReservationClosesAt = row.TimeOrNull(5),
        OpensAt = row.Time(6),
        ClosesAt = row.Time(7),
        RequiresReservation = row.Bool(8),
        Ordering = row.Word<Ordering>(9),
        Deduction = row.Word<Deduction>(10),
        PaymentWindow = TimeSpan.FromMilliseconds(row.Long(11)),
        RiskThreshold = row.Int(12),
        Status = row.Word<SaleStatus>(13),
        WarmUpLead = TimeSpan.FromMilliseconds(row.Long(14)),
        Rev = row.Long(15),
        Defences = row.TextOrNull(16) is { } defences ? JsonSerializer.Deserialize(defences, WireJson.Default.SaleDefences)! : SaleDefences.Default,
        DrawCommitment = row.TextOrNull(17),
        Offers = [],
    };

    private static (SaleId SaleId, Offer Offer) Offer(Row row) => (new SaleId(row.Long(0)), new Offer
    {
        Id = new OfferId(row.Long(1)),
        Sku = row.Text(2),
        Title = new LocalizedText(row.Text(3), row.Text(4)),
        FaceValue = row.Money(5),
        Price = row.Money(7),
        Stock = row.Int(9),
        PerUserLimit = row.Int(10),
        ValidFrom = row.Time(11),
        ValidUntil = row.Time(12),
    });
}
