using FlashSale.Core.Wire;

namespace FlashSale.Tools.Verify;

/// <summary>What the server says about a sale after the run.</summary>
/// <param name="Export">The lines of <c>/export</c>, in any order.</param>
/// <param name="Readiness">Null when the server does not know the sale.</param>
/// <param name="Reconciliation">Null when the server does not know the sale.</param>
/// <param name="Ended">After its end the gate may let go of a sale.</param>
/// <param name="QuietAfter">How long it took until gate and ledger agreed, or the time after which the auditor gave up.</param>
public sealed record SaleFacts(
    IReadOnlyList<ExportLine> Export,
    ReadinessDocument? Readiness,
    ReconciliationDocument? Reconciliation,
    bool Ended,
    TimeSpan QuietAfter);

/// <param name="Sales">By sale id.</param>
/// <param name="AuditLog">All pages.</param>
public sealed record AuditFacts(IReadOnlyDictionary<string, SaleFacts> Sales, IReadOnlyList<AuditDocument> AuditLog);
