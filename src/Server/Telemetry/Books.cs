using System.Collections.Concurrent;

using FlashSale.Core;

namespace FlashSale.Server.Telemetry;

/// <summary>What the continuous reconciliation of this instance found. Only the instance that has the lease knows anything; the ledger pauses the sale for all.</summary>
public sealed class Books
{
    private readonly ConcurrentDictionary<OfferId, Finding> findings = new();
    private long checkedChanges;

    public Books(SaleMetrics metrics)
    {
        metrics.Observe("flashsale.reconciliation.violations", "Offers whose books do not agree, as this instance found", () =>
            [new System.Diagnostics.Metrics.Measurement<long>(findings.Count)]);
        metrics.ObserveCount("flashsale.reconciliation.checked", "Rows of the change log that this instance checked since its start", () =>
            [new System.Diagnostics.Metrics.Measurement<long>(Checked)]);
    }

    /// <summary>Rows of the change log, since the start.</summary>
    public long Checked => Interlocked.Read(ref checkedChanges);

    public IReadOnlyList<string> Violations(SaleId sale) => [.. findings.Values.Where(finding => finding.Sale == sale).Select(finding => finding.Text)];

    public void CountChecked(int changes) => Interlocked.Add(ref checkedChanges, changes);

    /// <summary>False when it was known.</summary>
    public bool Report(SaleId sale, OfferId offer, string text) => findings.TryAdd(offer, new Finding(sale, text));

    public void Clear(OfferId offer) => findings.TryRemove(offer, out _);

    private sealed record Finding(SaleId Sale, string Text);
}
