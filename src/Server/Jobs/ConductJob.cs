using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Jobs;

/// <summary>
/// Writes once a second how users of this instance behaved. So many at once, and in small pieces: a crowd that asks for its order tokens is in no hurry to be
/// remembered, and the ledger has orders to write.
/// </summary>
public sealed class ConductJob(ConductLog conduct, ILedger ledger, TimeProvider time, ILogger<ConductJob> log)
    : RepeatingJob(TimeSpan.FromSeconds(1), time, log)
{
    protected override async Task StepAsync(CancellationToken stopping)
    {
        foreach (var piece in conduct.Take(Limits.ConductPerSecond).Chunk(Limits.ConductPiece))
        {
            try
            {
                await ledger.AddConductAsync(
                    [.. piece.Select(one => new ConductCount(one.User, one.Kind.Word(), one.Count))], stopping);
            }
            catch (Exception exception) when (exception is LedgerUnavailableException or LedgerBusyException)
            {
                // Nothing was written. Whether an unknown outcome was, nobody knows: then it is counted once too seldom rather than once too often.
                foreach (var (user, kind, count) in piece)
                {
                    conduct.PutBack(user, kind, count);
                }
            }
        }
    }
}
