namespace FlashSale.Core.Risk;

/// <summary>Who reserved, from where: kept with the assessment until it is erased (docs/risk.md, Privacy).</summary>
/// <param name="Device">Null for a client that named none.</param>
/// <param name="DeviceSince">When the device was first seen.</param>
/// <param name="Network">The IPv4 address, or the /64 of IPv6; empty when it is not known.</param>
/// <param name="VisitedAt">When this user opened the page of this sale; null for a client that did not.</param>
/// <param name="AskedForChallenge">A challenge had to be solved, and was.</param>
/// <param name="SolvedByWork">By work; false by an answer to the question.</param>
public sealed record Evidence(
    string? Device, DateTimeOffset? DeviceSince, string Network, DateTimeOffset? VisitedAt, bool AskedForChallenge, bool SolvedByWork)
{
    public static Evidence Unknown { get; } = new(null, null, "", null, false, false);

    /// <summary>The inputs that follow from it alone.</summary>
    public RiskInputs ToInputs(DateTimeOffset reservedAt) => new()
    {
        [RiskInput.HasDevice] = Device is null ? 0 : 1,
        [RiskInput.HasVisit] = VisitedAt is null ? 0 : 1,
        [RiskInput.DeviceAgeSeconds] = Number(reservedAt - DeviceSince, TimeSpan.TicksPerSecond),
        [RiskInput.PageToReservationMs] = Number(reservedAt - VisitedAt, TimeSpan.TicksPerMillisecond),
        [RiskInput.ChallengeSolved] = AskedForChallenge ? SolvedByWork ? 2 : 1 : null,
    };

    /// <summary>A time that lies ahead, by a clock that is a little off, counts as now.</summary>
    private static int? Number(TimeSpan? span, long ticks) => span is { } time ? (int)Math.Clamp(time.Ticks / ticks, 0, int.MaxValue) : null;
}
