using FlashSale.Core;
using FlashSale.Core.Coupons;
using FlashSale.Core.Draws;
using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

namespace FlashSale.Storage;

/// <summary>
/// The SQL database that owns every promise. A method that returns has committed durably; each change is one transaction with its stock change and
/// its audit entry. Time is the ledger's (<see cref="ReadClockAsync"/>).
/// </summary>
/// <exception cref="LedgerUnavailableException">From any method: nothing was written.</exception>
/// <exception cref="LedgerOutcomeUnknownException">From any method that writes: the commit may have happened. The same call again settles it.</exception>
public interface ILedger : IAsyncDisposable
{
    /// <summary>
    /// How many ledger writers an instance runs, and which one serves an offer: the embedded ledger has one for all, since it has one write lock.
    /// </summary>
    int WriterLanes { get; }

    /// <summary>The lane of an offer, 0 to <see cref="WriterLanes"/> − 1.</summary>
    int LaneOf(OfferId offer);

    IReadOnlyList<ConnectionPool> Pools { get; }

    Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellation);

    // ---- orders ----

    /// <summary>
    /// Places many orders in one transaction, first come first served in the order given, each with its own outcome. The batch is cut to the stock that is
    /// left. Ids that are there already give the order as it stands. No two drafts have the same id.
    /// </summary>
    /// <exception cref="BatchRejectedException">One of the rows cannot be written, and nothing was. The caller bisects.</exception>
    Task<PlacementBatch> PlaceAsync(IReadOnlyList<OrderDraft> drafts, CancellationToken cancellation);

    Task<Order?> FindOrderAsync(OrderId id, CancellationToken cancellation);

    /// <summary>A user's orders, newest first.</summary>
    /// <param name="before">Only older than this one; null from the newest.</param>
    Task<IReadOnlyList<Order>> ListOrdersAsync(UserId user, OrderId? before, int count, CancellationToken cancellation);

    Task<(CancellationOutcome Outcome, Order? Order, StockMove? Move)> CancelAsync(OrderId id, UserId user, CancellationToken cancellation);

    /// <summary>
    /// Ends held orders whose time to pay has run out by the ledger's clock, each a little later than that (<see cref="Limits.ExpirySpreadMax"/>), at most
    /// <paramref name="count"/>. Whoever has let too many orders expire is barred with it (<see cref="SaleDefences.UnpaidHolds"/>).
    /// </summary>
    Task<IReadOnlyList<StockMove>> ExpireAsync(int count, CancellationToken cancellation);

    /// <summary>Until when the held order that must be paid first can be, or could have been; null when none is held.</summary>
    Task<DateTimeOffset?> ReadFirstPayBeforeAsync(CancellationToken cancellation);

    /// <summary>More time to pay a user's held order, once (<see cref="PaymentExtension"/>): the order with its later end.</summary>
    Task<(ExtensionOutcome Outcome, Order? Order)> ExtendAsync(OrderId id, UserId user, CancellationToken cancellation);

    Task<bool> WasExtendedAsync(OrderId id, CancellationToken cancellation);

    /// <summary>Keeps how the owner of a live order is reached, in place of what was kept before.</summary>
    Task<ContactOutcome> KeepContactAsync(OrderId id, UserId user, OrderContact contact, CancellationToken cancellation);

    /// <summary>Null when there is none, or the order is another user's.</summary>
    Task<OrderContact?> FindContactAsync(OrderId id, UserId user, CancellationToken cancellation);

    // ---- orders at the operators' desk ----

    /// <summary>Orders of anybody, the newest to arrive first. A page takes a bounded amount of work, so it may be short or empty though more follow.</summary>
    Task<FoundOrders> ListOrdersAsync(OrderQuery query, int count, CancellationToken cancellation);

    /// <summary>All that the ledger knows of an order, from one snapshot; null when there is none.</summary>
    Task<OrderHistory?> ReadOrderHistoryAsync(OrderId id, CancellationToken cancellation);

    /// <summary>As <see cref="CancelAsync(OrderId, UserId, CancellationToken)"/>, whoever the order belongs to; audited when it was cancelled by this.</summary>
    Task<(CancellationOutcome Outcome, Order? Order, StockMove? Move)> CancelAsync(OrderId id, Actor actor, CancellationToken cancellation);

    /// <summary>
    /// Notes that the money of an order went back. Of a paid one the coupon is revoked and the unit is available again, in the same transaction; audited.
    /// </summary>
    Task<(RefundOutcome Outcome, Order? Order, StockMove? Move)> RefundAsync(OrderId id, Actor actor, CancellationToken cancellation);

    // ---- payments and coupons ----

    /// <summary>
    /// The payment of a user's held order: made once, the same one ever after, also when the order has been ended since. Null when there is no such order of
    /// this user; Payable is false, and nothing is written, for an order that has no payment yet and is no longer held.
    /// </summary>
    Task<(bool Payable, Payment? Payment)?> StartPaymentAsync(OrderId order, UserId user, PaymentId newId, CancellationToken cancellation);

    Task<Payment?> FindPaymentAsync(PaymentId id, CancellationToken cancellation);

    /// <summary>
    /// Books what a provider reported, in one transaction with order, stock and coupon. <paramref name="couponCode"/> is used when a coupon is issued.
    /// </summary>
    Task<(PaymentOutcome Outcome, StockMove? Move)> CompletePaymentAsync(
        PaymentId id, OrderId order, Money amount, bool paid, string couponCode, CancellationToken cancellation);

    Task<Coupon?> FindCouponAsync(string code, CancellationToken cancellation);

    Task<(RedemptionOutcome Outcome, Coupon? Coupon)> RedeemAsync(string code, UserId dealer, CancellationToken cancellation);

    // ---- reservations and blacklist ----

    /// <summary>Makes the reservation, or finds the user's one of this sale. A pending one has its assessment from the same transaction on.</summary>
    Task<(bool Created, Reservation Reservation)> ReserveAsync(Reservation reservation, Evidence evidence, CancellationToken cancellation);

    /// <summary>The same where nothing slow is asked: a new one is assessed in the transaction that makes it.</summary>
    /// <param name="assess">Called in the transaction, perhaps more than once.</param>
    /// <returns>Decided is null for one that was there before.</returns>
    Task<(bool Created, Reservation Reservation, DecidedReservation? Decided)> ReserveAssessedAsync(
        Reservation reservation, Evidence evidence, Func<ClaimedAssessment, RiskInputs, AssessmentDecision> assess, CancellationToken cancellation);

    /// <summary>Reservations of a sale by status; none of a status is no entry.</summary>
    Task<IReadOnlyDictionary<ReservationStatus, long>> CountReservationsAsync(SaleId sale, CancellationToken cancellation);

    Task<Reservation?> FindReservationAsync(SaleId sale, UserId user, CancellationToken cancellation);

    Task<BlacklistDocument?> FindBlacklistedAsync(UserId user, CancellationToken cancellation);

    Task<BlacklistDocument> BlacklistAsync(UserId user, BlacklistRequest entry, Actor actor, CancellationToken cancellation);

    /// <summary>False when there was no entry; that is audited too.</summary>
    Task<bool> UnblacklistAsync(UserId user, Actor actor, CancellationToken cancellation);

    // ---- blacklist of users, devices and address ranges ----

    /// <summary>An entry that has run out counts as none, here and below.</summary>
    /// <param name="kind">What the subject is.</param>
    /// <param name="subject">In its one canonical spelling; any other is another subject.</param>
    Task<BlacklistEntry?> FindBlacklistedAsync(BlacklistKind kind, string subject, CancellationToken cancellation);

    Task<BlacklistEntry> BlacklistAsync(BlacklistKind kind, string subject, BlacklistRequest entry, Actor actor, CancellationToken cancellation);

    /// <summary>False when there was no entry; that is audited too.</summary>
    Task<bool> UnblacklistAsync(BlacklistKind kind, string subject, Actor actor, CancellationToken cancellation);

    /// <summary>By subject.</summary>
    /// <param name="kind">Which of the lists.</param>
    /// <param name="after">Only those behind this subject; empty from the first.</param>
    Task<IReadOnlyList<BlacklistEntry>> ListBlacklistAsync(BlacklistKind kind, string after, int count, CancellationToken cancellation);

    /// <summary>
    /// What was changed since a revision of the catalogue, when nothing but the blacklist was changed and that is not too much; else everything that bars somebody
    /// now. From one instant.
    /// </summary>
    /// <param name="since">The revision of the news before; null for everything.</param>
    Task<BlacklistNews> ReadBlacklistAsync(long? since, CancellationToken cancellation);

    /// <summary>All lines or none, audited as one change. A line that says what is there already changes nothing; one that has run out is skipped.</summary>
    /// <param name="lines">No subject twice; at most <see cref="Limits.BlacklistImportLines"/>.</param>
    Task<BlacklistImportDocument> ImportBlacklistAsync(IReadOnlyList<BlacklistLine> lines, Actor actor, CancellationToken cancellation);

    /// <summary>Deletes entries that have run out, at most <paramref name="count"/>, and what nobody follows any more.</summary>
    /// <returns>How many entries.</returns>
    Task<int> ForgetBlacklistAsync(int count, CancellationToken cancellation);

    // ---- risk ----

    /// <summary>
    /// Takes assessments that are due, the oldest first: nobody else takes them before <paramref name="visibility"/> is over by the ledger's clock, and then
    /// whoever comes first, since the one that took them may be dead.
    /// </summary>
    Task<IReadOnlyList<ClaimedAssessment>> ClaimAssessmentsAsync(int count, TimeSpan visibility, CancellationToken cancellation);

    /// <summary>What follows from the evidence, and what the ledger knows of device, network and account, for each in the order given.</summary>
    Task<IReadOnlyList<RiskInputs>> ReadRiskInputsAsync(IReadOnlyList<ClaimedAssessment> claims, CancellationToken cancellation);

    /// <summary>
    /// Decides reservations in one transaction, with the blacklist and the audit log. Each is decided once, whoever claimed it: what was decided before is left
    /// as it is, and not among those returned.
    /// </summary>
    Task<IReadOnlyList<DecidedReservation>> DecideAssessmentsAsync(IReadOnlyList<AssessmentDecision> decisions, CancellationToken cancellation);

    /// <summary>Puts off what could not be assessed; what somebody else has taken since is left to them.</summary>
    Task DelayAssessmentsAsync(IReadOnlyList<AssessmentDelay> delays, CancellationToken cancellation);

    /// <summary>Sales with reservations that are not assessed.</summary>
    Task<IReadOnlyList<AssessmentBacklog>> CountAssessmentsAsync(CancellationToken cancellation);

    /// <summary>Assessments of a sale, newest first; null: in any state.</summary>
    /// <param name="before">Only of reservations older than this one; null from the newest.</param>
    Task<IReadOnlyList<StoredAssessment>> ListAssessmentsAsync(
        SaleId sale, AssessmentState? state, Guid? before, int count, CancellationToken cancellation);

    /// <summary>A dead assessment is due again, as if it had never failed; any other is left as it is. Null when there is none.</summary>
    Task<StoredAssessment?> RetryAssessmentAsync(Guid reservation, Actor actor, CancellationToken cancellation);

    /// <summary>
    /// Somebody decides instead of the rules, or against them. Approving takes the user out of the blacklist where <see cref="BarSource.Risk"/> had put them.
    /// Null when there is no such assessment.
    /// </summary>
    Task<(StoredAssessment Assessment, DecidedReservation Decided, bool Unbarred)?> OverrideAssessmentAsync(
        Guid reservation, bool approved, Actor actor, CancellationToken cancellation);

    /// <summary>Adds to what is known of how users behave.</summary>
    Task AddConductAsync(IReadOnlyList<ConductCount> conduct, CancellationToken cancellation);

    /// <summary>
    /// Erases what is kept of people and whose time is over, a piece at a time; false when there is no more. That is <see cref="Limits.EvidenceKept"/> after it
    /// was counted (conduct), the sale ended (evidence), the coupons could be redeemed (contacts of orders).
    /// </summary>
    Task<bool> ForgetAsync(CancellationToken cancellation);

    /// <summary>Erases the evidence, the conduct and the contacts of a user; what was decided and ordered stays.</summary>
    Task<ErasedEvidence> EraseUserAsync(UserId user, Actor actor, CancellationToken cancellation);

    // ---- sales ----

    /// <summary>Raised by every change of a sale, the blacklist or the limits, in the same transaction: lets an instance notice what another one changed.</summary>
    Task<long> ReadCatalogRevAsync(CancellationToken cancellation);

    Task<IReadOnlyList<Sale>> ListSalesAsync(CancellationToken cancellation);

    /// <summary>The ids in <paramref name="sale"/> are made here. Null when the slug is taken.</summary>
    Task<Sale?> CreateSaleAsync(Sale sale, Actor actor, CancellationToken cancellation);

    /// <summary>
    /// Replaces the definition of a draft and makes new offer ids, or changes times, titles and status of a published sale, whose offers keep their ids, stock,
    /// prices and limits. What may change is the caller's decision; the ledger compares <paramref name="expectedRev"/> and sets.
    /// Publication (draft to published) also writes the stock rows and their first change. Null when the revision is another by now.
    /// </summary>
    /// <param name="action">The word for the audit log, such as <c>sale.pause</c>.</param>
    Task<Sale?> UpdateSaleAsync(Sale sale, long expectedRev, string action, Actor actor, CancellationToken cancellation);

    // ---- limits ----

    /// <summary>As operators set them; the defaults, revision 0, until somebody did.</summary>
    Task<LimitsDocument> ReadLimitsAsync(CancellationToken cancellation);

    /// <summary>Sets all of them, with their next revision. Null when the revision is not the expected one; null expects nothing.</summary>
    Task<LimitsDocument?> SaveLimitsAsync(LimitsDocument limits, long? expectedRev, Actor actor, CancellationToken cancellation);

    // ---- stock ----

    Task<IReadOnlyList<OfferStock>> ReadStockAsync(IReadOnlyList<OfferId> offers, CancellationToken cancellation);

    /// <summary>Adds or takes away units. Null when <c>available</c> is not the expected value, or the stock cannot be adjusted so; then see ReadStock.</summary>
    Task<StockMove?> AdjustStockAsync(OfferId offer, StockAdjustmentRequest request, Actor actor, CancellationToken cancellation);

    /// <summary>What the gate must know of a sale, from one snapshot: warm-up reads it.</summary>
    Task<GateLoad> ReadGateLoadAsync(Sale sale, CancellationToken cancellation);

    // ---- draws ----

    /// <summary>
    /// Enters requests to order for the draw of a sale. Of one user and offer the first counts; what is there already stays as it is, so the same call may be repeated.
    /// </summary>
    /// <returns>False outside of the time from the opening until the list may be fixed, or when it is fixed: nothing was written.</returns>
    Task<bool> EnterDrawAsync(SaleId sale, IReadOnlyList<DrawEntrant> entrants, CancellationToken cancellation);

    /// <summary>Fixes the list of entries, once for all: from then on nobody enters.</summary>
    /// <returns>True when it is fixed, by this call or an earlier one; false before its time, after it, or without a draw.</returns>
    Task<bool> FixDrawAsync(SaleId sale, CancellationToken cancellation);

    /// <summary>Null until the list is fixed: nobody sees the seed before.</summary>
    Task<FixedDraw?> ReadDrawAsync(SaleId sale, CancellationToken cancellation);

    // ---- the published site ----

    Task<SiteHistory> ReadSiteAsync(CancellationToken cancellation);

    /// <summary><see cref="SiteHistory.Rev"/> alone: every storefront instance asks for it again and again (<see cref="Limits.SiteInterval"/>).</summary>
    Task<long> ReadSiteRevAsync(CancellationToken cancellation);

    /// <summary>Contents by hash; one that is no longer of a kept version is missing.</summary>
    Task<IReadOnlyDictionary<string, byte[]>> ReadSiteFilesAsync(IReadOnlyCollection<string> hashes, CancellationToken cancellation);

    /// <summary>
    /// Stores a version and shows it, and deletes those that are no longer kept, all at once. Audited, unless the program itself does it. Null, and nothing was
    /// written, while an operator holds another version, or when the newest version is shown and has this fingerprint.
    /// </summary>
    /// <param name="fingerprint">Printable ASCII.</param>
    /// <param name="files">All of the site, by path; the bounds are <see cref="Limits.SiteFiles"/> and those beside it.</param>
    /// <param name="release">Whether it is published also after a rollback, which is over then: an operator decided it.</param>
    /// <exception cref="ArgumentOutOfRangeException">The site is beyond the bounds.</exception>
    Task<SiteVersion?> PublishSiteAsync(
        string fingerprint, IReadOnlyDictionary<string, byte[]> files, bool release, Actor actor, CancellationToken cancellation);

    /// <summary>Shows the version before the one that is shown, by its number, and holds it: nothing else is published before a release. Null when there is none.</summary>
    Task<SiteVersion?> RollBackSiteAsync(Actor actor, CancellationToken cancellation);

    // ---- work that one instance does for all ----

    /// <summary>
    /// True when the work is this owner's until <paramref name="length"/> from now by the ledger's clock: it had no owner, was this one's, or its owner has not
    /// been heard of for as long as it had asked for.
    /// </summary>
    Task<bool> TryLeaseAsync(string name, string owner, TimeSpan length, CancellationToken cancellation);

    /// <summary>Gives the work up at once, for the next to ask; nothing when it is somebody else's.</summary>
    Task ReleaseLeaseAsync(string name, string owner, CancellationToken cancellation);

    // ---- instances ----

    /// <summary>Keeps what an instance says of itself, in place of what it said before, at the ledger's time.</summary>
    /// <param name="instance">At most 200 characters; no other instance ever has the same.</param>
    Task ReportAsync(string instance, string document, CancellationToken cancellation);

    /// <summary>The newest <see cref="Limits.InstanceReportsRead"/> that are not older, newest first.</summary>
    Task<IReadOnlyList<InstanceReport>> ReadReportsAsync(DateTimeOffset since, CancellationToken cancellation);

    // ---- for auditors ----

    /// <summary>
    /// The change log of an offer after a sequence number, with the stock row of the same snapshot, for a check that goes on where it stood. Null for an offer
    /// without stock.
    /// </summary>
    Task<ChangePage?> ReadChangesAsync(OfferId offer, long afterSeq, int count, CancellationToken cancellation);

    /// <summary>
    /// All rows of a sale from one consistent snapshot (api.md, Export): offer by offer, and in an offer its stock row, changes, orders, coupons and payments
    /// in whatever order, so that a reader can add up an offer at a time.
    /// </summary>
    IAsyncEnumerable<ExportLine> ExportAsync(SaleId sale, CancellationToken cancellation);

    /// <summary>The audit log, newest first.</summary>
    Task<IReadOnlyList<AuditDocument>> ListAuditAsync(long? before, int count, CancellationToken cancellation);

    /// <summary>What was done to one subject (<c>sale/7</c>), newest first.</summary>
    Task<IReadOnlyList<AuditDocument>> ListAuditOfAsync(string subject, long? before, int count, CancellationToken cancellation);

    /// <summary>What was done to any of these subjects behind an entry, oldest first.</summary>
    Task<IReadOnlyList<AuditDocument>> ListAuditAfterAsync(IReadOnlyList<string> subjects, long after, int count, CancellationToken cancellation);

    /// <summary>The last entry of the audit log that the ledger has written, by its number and hash.</summary>
    Task<AuditHeadDocument> ReadAuditHeadAsync(CancellationToken cancellation);

    /// <summary>The audit log from one consistent snapshot: its head, then all entries, oldest first, as they stand in the database.</summary>
    IAsyncEnumerable<AuditLine> ExportAuditAsync(CancellationToken cancellation);

    /// <summary>Orders by state, counted in the ledger.</summary>
    Task<IReadOnlyDictionary<OrderStatus, long>> CountOrdersAsync(CancellationToken cancellation);

    /// <summary>Null when the ledger can read and write; else what is wrong.</summary>
    Task<string?> CheckAsync(CancellationToken cancellation);
}

/// <summary>An order that asks to be placed.</summary>
public sealed record OrderDraft(OrderId Id, SaleId SaleId, OfferId OfferId, UserId UserId, Money Price, int PerUserLimit, TimeSpan PaymentWindow);

public readonly record struct PlacementResult(PlacementOutcome Outcome, Order? Order);

/// <summary>Who enters a draw, and as what. The user is kept so that nobody enters twice, and told to nobody.</summary>
public readonly record struct DrawEntrant(OfferId OfferId, UserId UserId, DrawEntry Entry);

/// <param name="Seed"><see cref="DrawRules.SeedBytes"/> bytes.</param>
/// <param name="Offers">In the order of the sale.</param>
public sealed record FixedDraw(byte[] Seed, DateTimeOffset FixedAt, IReadOnlyList<FixedDrawOffer> Offers);

/// <param name="Stock">Units that were available when the list was fixed.</param>
/// <param name="Entries">In the drawn order.</param>
public sealed record FixedDrawOffer(OfferId OfferId, long Stock, IReadOnlyList<DrawEntry> Entries);

/// <summary>Outcomes by order id, never by position, and the stock of every offer that the batch touched, as committed.</summary>
public sealed record PlacementBatch(IReadOnlyDictionary<OrderId, PlacementResult> Results, IReadOnlyList<OfferStock> Stocks);

/// <summary>The stock of one bucket as committed.</summary>
public readonly record struct OfferStock(OfferId OfferId, int Bucket, StockRow Row);

/// <summary>An order that moved the stock (or an adjustment, without order), and the stock after it.</summary>
public readonly record struct StockMove(OfferStock Stock, OrderId? OrderId, UserId? UserId, OrderStatus? Status)
{
    /// <summary>The user let too many orders expire, and was barred with this one; else null.</summary>
    public DateTimeOffset? BarredUntil { get; init; }
}

/// <summary>A part of the change log, and the stock row as it was at the same instant.</summary>
public sealed record ChangePage(OfferStock Stock, IReadOnlyList<CheckedChange> Changes);

/// <summary>A change with what it must agree with.</summary>
/// <param name="OrderStatus">Null when there is no such order of the offer.</param>
/// <param name="Coupons">Coupons of the order.</param>
/// <param name="PaymentsPaid">Payments of the order that were paid.</param>
public readonly record struct CheckedChange(StockChange Change, OrderStatus? OrderStatus, int Coupons, int PaymentsPaid);

/// <summary>Which orders somebody looks for; null where it does not matter.</summary>
/// <param name="Before">Where an earlier page ended.</param>
public sealed record OrderQuery(UserId? User = null, SaleId? Sale = null, OfferId? Offer = null, OrderStatus? Status = null, long? Before = null)
{
    /// <summary>Whether it is one of those, wherever it stands.</summary>
    public bool Asks(Order order) =>
        (Status is null || order.Status == Status) && (Sale is null || order.SaleId == Sale) && (Offer is null || order.OfferId == Offer)
        && (User is null || order.UserId == User);
}

/// <param name="Next">For <see cref="OrderQuery.Before"/>; null when there is nothing left.</param>
public sealed record FoundOrders(IReadOnlyList<Order> Orders, long? Next);

/// <summary>An order and what happened to it, each with its time by the ledger's clock.</summary>
/// <param name="SoldAt">Null for an order that is not paid.</param>
/// <param name="ReleasedAt">When it gave its unit back.</param>
/// <param name="Deeds">What operators did to it, oldest first.</param>
public sealed record OrderHistory(
    Order Order,
    DateTimeOffset? ExtendedAt,
    OrderPayment? Payment,
    OrderYield? Coupon,
    DateTimeOffset? SoldAt,
    DateTimeOffset? ReleasedAt,
    IReadOnlyList<AuditDocument> Deeds);

public sealed record OrderPayment(PaymentId Id, PaymentStatus Status, DateTimeOffset StartedAt, DateTimeOffset ChangedAt);

/// <summary>The coupon that an order yielded, whatever became of it.</summary>
public sealed record OrderYield(string Code, CouponStatus Status, DateTimeOffset IssuedAt, DateTimeOffset? RedeemedAt, string? RedeemedBy);

public sealed record Payment(PaymentId Id, OrderId OrderId, Money Amount, PaymentStatus Status);

/// <summary>A line of an import.</summary>
public readonly record struct BlacklistLine(BlacklistKind Kind, string Subject, BlacklistRequest Entry);

/// <summary>Who is barred, or what was changed of it.</summary>
/// <param name="Rev">The catalogue's revision that this brings the reader up to.</param>
/// <param name="IsWhole">Everything; what is not among it is not barred. Sales and limits may have changed too.</param>
/// <param name="Changes">In their order.</param>
public sealed record BlacklistNews(long Rev, bool IsWhole, IReadOnlyList<BlacklistChange> Changes);

/// <param name="Until">Null: let in again.</param>
public readonly record struct BlacklistChange(BlacklistKind Kind, string Subject, DateTimeOffset? Until);

/// <summary>What an instance last said of itself: a document of the program, which the ledger only keeps.</summary>
public sealed record InstanceReport(string Instance, DateTimeOffset At, string Document);

/// <summary>Who does it, for the audit log.</summary>
public sealed record Actor(string UserId, string Role, string? Reason, string? TraceId)
{
    /// <summary>The program itself, such as the demo's schedule.</summary>
    public static Actor System(string reason) => new("system", SystemRole, reason, null);

    public bool IsSystem => Role == SystemRole;

    private const string SystemRole = "system";
}

/// <summary>Nothing was written. The message says what is wrong and is for operators, not for shoppers.</summary>
public sealed class LedgerUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The ledger's own queue is full: nothing was written.</summary>
public sealed class LedgerBusyException() : Exception("Too much is waiting for the ledger");

/// <summary>A commit failed in a way that leaves open whether it is there.</summary>
public sealed class LedgerOutcomeUnknownException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A row of the batch cannot be written; nothing of the batch was.</summary>
public sealed class BatchRejectedException(string message, Exception? inner = null) : Exception(message, inner);
