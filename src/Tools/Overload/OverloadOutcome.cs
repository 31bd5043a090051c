using FlashSale.Tools.Verify;

namespace FlashSale.Tools.Overload;

/// <summary>Everything that a report of an overload run tells. Rates are a second, latencies milliseconds from the intended send time.</summary>
internal sealed record OverloadOutcome(OverloadSettings Settings, DateTimeOffset StartedAt)
{
    /// <summary>Durable orders a second in a closed loop.</summary>
    public double Peak { get; set; }
    public double PeakP99 { get; set; }

    /// <summary>The same once more at the end: how far the machine, or a fuller ledger, has moved it.</summary>
    public double PeakAtTheEnd { get; set; }

    /// <summary>At 80 % of the peak, in an open schedule.</summary>
    public double CalmRate { get; set; }
    public double CalmP50 { get; set; }
    public double CalmP99 { get; set; }
    public List<SpikeOutcome> Spikes { get; } = [];
    public AuditReport Report { get; set; } = new([], 0, 0);
    public TimeSpan Duration { get; set; }
}

/// <summary>One factor: the spike and what came after it.</summary>
internal sealed class SpikeOutcome
{
    public required double Factor { get; init; }
    public required double Seconds { get; init; }
    public required Tally Orders { get; init; }
    public required IReadOnlyList<ProbeOutcome> Probes { get; init; }
    public required Timeline Timeline { get; init; }

    /// <summary>Of the spike itself, by the time at which the answers came.</summary>
    public required IReadOnlyList<Timeline.Window> During { get; init; }

    /// <summary>Seconds after the spike until two windows in a row had at least 95 % of what was offered, at the latency of a calm time; null: never.</summary>
    public required double? RecoveredAfter { get; init; }

    private double WindowSeconds => During.Count / (double)Timeline.PerSecond;

    public double Offered => Orders.Offered / Seconds;
    public double Sent => Orders.Sent / Seconds;
    public double Goodput => During.Sum(window => window.Admitted) / WindowSeconds;
    public double Refusals => During.Sum(window => window.Refused) / WindowSeconds;
    public double Cut => During.Sum(window => window.Cut) / WindowSeconds;
    public double Unanswered => During.Sum(window => window.Unanswered) / WindowSeconds;
    public double P50 => Orders.Admitted.Percentile(50) / 1000.0;
    public double P99 => Orders.Admitted.Percentile(99) / 1000.0;
    public double RefusedP99 => Orders.Refused.Percentile(99) / 1000.0;

    /// <summary>Share of the tries to pay, cancel and read that succeeded at once, in percent.</summary>
    public double Protected => Share(Probes.Where(probe => probe.IsProtected));

    public double ShareOf(string probe) => Share(Probes.Where(one => one.Name == probe));

    private static double Share(IEnumerable<ProbeOutcome> probes)
    {
        var all = probes.ToList();
        return all.Sum(probe => probe.Tally.Succeeded) * 100.0 / Math.Max(1, all.Sum(probe => probe.Tally.Offered));
    }
}

/// <summary>Somebody who does something else meanwhile.</summary>
/// <param name="IsProtected">Shed last, so that it has to succeed.</param>
internal sealed record ProbeOutcome(string Name, bool IsProtected, Tally Tally);
