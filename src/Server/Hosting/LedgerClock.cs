using FlashSale.Storage;

namespace FlashSale.Server.Hosting;

/// <summary>
/// The ledger's time, on every instance: the machine's clock, corrected by what it differs from the ledger's. So a token that one instance made is as old on
/// every other, and a sale opens everywhere at once, though the clock of a machine be wrong.
/// </summary>
/// <param name="wrongBy">For tests: how far the machine's clock is to be taken as wrong.</param>
public sealed class LedgerClock(TimeSpan wrongBy) : TimeProvider
{
    /// <summary>A smaller difference is the way of the question and its answer, more than it is the clocks'.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(20);
    private long correctionTicks;

    /// <summary>The ledger's clock less the machine's, as last measured.</summary>
    public TimeSpan Correction => new(Interlocked.Read(ref correctionTicks));

    public override DateTimeOffset GetUtcNow() => MachineNow() + Correction;

    /// <summary>Measures, and corrects at once: each question halves the uncertainty by its own duration.</summary>
    /// <exception cref="LedgerUnavailableException">The correction stays as it was.</exception>
    public async Task AdjustAsync(ILedger ledger, CancellationToken cancellation)
    {
        var asked = GetTimestamp();
        var before = MachineNow();
        var clock = await ledger.ReadClockAsync(cancellation);
        var way = GetElapsedTime(asked);
        var difference = clock - (before + (way / 2));
        if ((difference - Correction).Duration() > Tolerance + (way / 2))
        {
            Interlocked.Exchange(ref correctionTicks, difference.Ticks);
        }
    }

    private DateTimeOffset MachineNow() => System.GetUtcNow() + wrongBy;
}
