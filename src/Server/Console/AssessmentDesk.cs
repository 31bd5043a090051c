using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>People who decide about a reservation instead of risk control. Once begun, the gate must learn of it, so no call ends with its request.</summary>
public sealed class AssessmentDesk(ILedger ledger, Settlements settlements, RiskMetrics metrics, AssessmentNews news)
{
    /// <summary>Null when there is no such assessment.</summary>
    public async Task<StoredAssessment?> RetryAsync(string reservationId, Actor actor)
    {
        var found = TryParse(reservationId, out var id) ? await ledger.RetryAssessmentAsync(id, actor, CancellationToken.None) : null;
        news.Ring();
        return found;
    }

    /// <summary>The same; approving lifts the ban that the rules put on the user.</summary>
    public async Task<StoredAssessment?> DecideAsync(string reservationId, bool approved, Actor actor)
    {
        if (!TryParse(reservationId, out var id)
            || await ledger.OverrideAssessmentAsync(id, approved, actor, CancellationToken.None) is not var (assessment, decided, unbarred))
        {
            return null;
        }

        metrics.CountReservation(decided.Status);
        if (unbarred)
        {
            await settlements.BarAsync(decided.UserId, until: null, CancellationToken.None);
        }

        await settlements.ReserveAsync(decided.SaleId, decided.UserId, approved, CancellationToken.None);
        return assessment;
    }

    private static bool TryParse(string reservationId, out Guid id) => Guid.TryParseExact(reservationId, "N", out id);
}
