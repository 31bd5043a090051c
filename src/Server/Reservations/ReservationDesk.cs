using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Reservations;

/// <param name="AtOnce">This instance has the role <c>risk</c> and asks no providers: a reservation is assessed as it is made.</param>
public sealed record ReservationOptions(RiskRules Rules, bool AtOnce);

/// <summary>Takes reservations; each is assessed as it is made, or waits for its assessment (docs/risk.md).</summary>
public sealed class ReservationDesk(
    ILedger ledger, Settlements settlements, AssessmentNews news, RiskMetrics metrics, ReservationOptions options, TimeProvider time)
{
    /// <summary>The user's reservation, new or as it was; null outside the reservation window, unless there is one already.</summary>
    public async Task<(bool Created, Reservation? Reservation)> ReserveAsync(Sale sale, UserId user, CallerFacts facts, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        if (!SalePhases.ReservationsAreOpen(sale, now))
        {
            return (false, await ledger.FindReservationAsync(sale.Id, user, cancellation));
        }

        var asked = new Reservation(Guid.CreateVersion7(now), sale.Id, user, ReservationStatus.Pending);
        if (!options.AtOnce)
        {
            var queued = await ledger.ReserveAsync(asked, EvidenceOf(facts), cancellation);
            news.Ring();
            if (queued.Created)
            {
                metrics.CountReservation(ReservationStatus.Pending);
            }

            return queued;
        }

        var score = 0;
        var (created, reservation, decided) = await ledger.ReserveAssessedAsync(asked, EvidenceOf(facts), Assess, cancellation);
        if (decided is { } one)
        {
            metrics.Count(one);
            metrics.RecordScore(score);
            await settlements.TellAsync(one, CancellationToken.None);
        }

        return (created, reservation);

        AssessmentDecision Assess(ClaimedAssessment claim, RiskInputs inputs)
        {
            var decision = AssessmentDecision.Of(claim, inputs, options.Rules, sale);
            score = decision.Result.Score;
            return decision;
        }
    }

    private static Evidence EvidenceOf(CallerFacts facts) => new(
        facts.Device.IsKnown ? facts.Device.ToString() : null, facts.DeviceSince, facts.Network, facts.VisitedAt, facts.AskedForChallenge, facts.SolvedChallenge);
}
