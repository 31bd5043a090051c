namespace FlashSale.Core.Orders;

/// <summary>What the gate says to a request to order.</summary>
public enum AdmissionOutcome
{
    /// <summary>A unit was taken in the gate and the order noted as pending. The ledger decides next.</summary>
    Admitted,

    /// <summary>All units left are pending for others: the ledger decides in order of arrival. Nothing was taken.</summary>
    Standby,

    /// <summary>The gate has seen this order before: the ledger knows what became of it. Nothing was taken.</summary>
    Repeated,

    /// <summary>Nothing was taken.</summary>
    SaleNotOpen,

    /// <summary>Nothing was taken.</summary>
    SalePaused,

    /// <summary>Nothing was taken.</summary>
    SaleEnded,

    /// <summary>The sale asks for an approved reservation, and the user has none. Nothing was taken.</summary>
    NotReserved,

    /// <summary>Blacklisted or rejected. Nothing was taken.</summary>
    NotEligible,

    /// <summary>The user's live and pending orders reach the limit. Nothing was taken.</summary>
    LimitReached,

    /// <summary>The ledger had no unit available when it last settled. Nothing was taken.</summary>
    SoldOut,

    /// <summary>The offer is not loaded into the gate: nothing is known, nothing was taken, and nothing may be concluded.</summary>
    NotWarm,

    /// <summary>The gate is not asked for the moment; after admission: nor may this order go without it. Nothing was taken by this one.</summary>
    Unavailable,
}

/// <summary>What the ledger did with an order.</summary>
public enum PlacementOutcome
{
    /// <summary>The order is durable and holds a unit.</summary>
    Placed,

    /// <summary>The order was there already; nothing was written.</summary>
    AlreadyPlaced,

    /// <summary>No unit was available inside the transaction; nothing was written for this order.</summary>
    SoldOut,

    /// <summary>The unique index of live orders refused it; nothing was written for this order.</summary>
    LimitReached,
}

/// <summary>The two transaction patterns of the seed, row 10.</summary>
public enum WritePattern
{
    /// <summary>Pattern 1: change-log rows first, the hot stock row last, so that it is locked for the shortest time.</summary>
    LogFirst,

    /// <summary>Pattern 2: the stock row first.</summary>
    StockFirst,
}

/// <summary>What became of a payment that a provider reported.</summary>
public enum PaymentOutcome
{
    /// <summary>The order is paid and its coupon issued.</summary>
    Paid,

    /// <summary>The order had lost its unit and none could be taken again: a refund is due. No coupon was issued.</summary>
    RefundDue,

    /// <summary>The provider reported a failure; the payment says so, the order is as it was and may still be paid.</summary>
    Failed,

    /// <summary>This was reported before; nothing was written.</summary>
    Repeated,

    /// <summary>Nothing was written.</summary>
    UnknownPayment,

    /// <summary>Nothing was written.</summary>
    WrongAmount,
}

/// <summary>What became of a request to cancel.</summary>
public enum CancellationOutcome
{
    /// <summary>The order is cancelled and its unit is back.</summary>
    Cancelled,

    /// <summary>It was cancelled before; nothing was written.</summary>
    AlreadyCancelled,

    /// <summary>It is paid, expired or refunded; nothing was written.</summary>
    NotCancellable,

    /// <summary>No such order of this user; nothing was written.</summary>
    NotFound,
}

/// <summary>What became of a refund.</summary>
public enum RefundOutcome
{
    /// <summary>The order is refunded; of one that was paid the coupon is revoked and the unit is back.</summary>
    Refunded,

    /// <summary>It was refunded before; nothing was written.</summary>
    AlreadyRefunded,

    /// <summary>Nobody has paid for it; nothing was written.</summary>
    NotPaid,

    /// <summary>Its coupon was redeemed; nothing was written.</summary>
    Redeemed,

    /// <summary>It was paid late, after its unit had gone back once, and an order gives a unit back once only; nothing was written.</summary>
    PaidLate,

    /// <summary>No such order; nothing was written.</summary>
    NotFound,
}

/// <summary>What became of a request for more time to pay.</summary>
public enum ExtensionOutcome
{
    Extended,

    /// <summary>It was extended before, its time is over, or it is not held; nothing was written.</summary>
    NotExtendable,

    /// <summary>No such order of this user; nothing was written.</summary>
    NotFound,
}

/// <summary>What became of the contact of an order.</summary>
public enum ContactOutcome
{
    /// <summary>In place of the one before.</summary>
    Kept,

    /// <summary>The order is not live; nothing was written.</summary>
    Closed,

    /// <summary>No such order of this user; nothing was written.</summary>
    NotFound,
}

/// <summary>What became of a coupon at the dealer.</summary>
public enum RedemptionOutcome
{
    Redeemed,

    /// <summary>It was redeemed before; nothing was written.</summary>
    AlreadyRedeemed,

    /// <summary>It was revoked, or is not valid now; nothing was written.</summary>
    NotValid,

    /// <summary>No such coupon; nothing was written.</summary>
    NotFound,
}
