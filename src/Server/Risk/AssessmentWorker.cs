using System.Collections.Concurrent;

using FlashSale.Core;
using FlashSale.Core.Risk;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Risk;

/// <summary>
/// Assesses what has been reserved: takes a batch that is due, gathers what is known, asks the providers side by side, and decides in one transaction. Any
/// number of instances do it at once. What fails is tried again after a pause, and nobody is approved because something failed; whatever it was in the middle
/// of when it died, another takes up (docs/decisions/0016).
/// </summary>
public sealed class AssessmentWorker(
    ILedger ledger,
    Settlements settlements,
    SaleCatalog catalog,
    RiskOptions options,
    RiskProviders providers,
    AssessmentNews news,
    RiskMetrics metrics,
    Readiness readiness,
    TraceChoice traces,
    ILogger<AssessmentWorker> log) : BackgroundService
{
    private bool failing;

    /// <summary>The pause after so many failed attempts: doubled each time, and spread, so that what failed together does not come back together.</summary>
    public static TimeSpan PauseAfter(int attempts)
    {
        var pause = Math.Min(Limits.AssessmentPauseMax.TotalMilliseconds, Limits.AssessmentPause.TotalMilliseconds * Math.Pow(2, attempts - 1));
        return TimeSpan.FromMilliseconds(pause * (0.5 + (Random.Shared.NextDouble() / 2)));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Starting must not wait for the first step.
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            var isMore = false;
            try
            {
                // The gate is loaded first: what is decided before that would be missing from it.
                isMore = readiness.Warm && await StepAsync(stoppingToken);
                failing = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                if (!failing)
                {
                    log.LogError("Assessments failed and are tried again: {Problem}", exception.Message);
                }

                failing = true;
            }

            if (!isMore)
            {
                await news.ListenAsync(Limits.AssessmentPoll, stoppingToken);
            }
        }
    }

    /// <returns>Whether more may be due.</returns>
    private async Task<bool> StepAsync(CancellationToken stopping)
    {
        var count = providers.WorthClaiming;
        if (count == 0)
        {
            return false;
        }

        var claims = await ledger.ClaimAssessmentsAsync(count, Limits.AssessmentVisibility, stopping);
        if (claims.Count == 0)
        {
            return false;
        }

        var inputs = await ledger.ReadRiskInputsAsync(claims, stopping);
        var decisions = new ConcurrentBag<AssessmentDecision>();
        var delays = new ConcurrentBag<AssessmentDelay>();
        if (providers.AreAsked)
        {
            var asked = new Task[claims.Count];
            for (var i = 0; i < asked.Length; i++)
            {
                asked[i] = AssessAsync(claims[i], inputs[i], decisions, delays);
                await Task.Delay(Limits.AssessmentPace, stopping);
            }

            await Task.WhenAll(asked);
        }
        else
        {
            for (var i = 0; i < claims.Count; i++)
            {
                await AssessAsync(claims[i], inputs[i], decisions, delays);
            }
        }

        // Once begun it is ended, so that the gate learns of it.
        await KeepAsync([.. decisions], [.. delays]);
        return claims.Count == count;
    }

    private async Task AssessAsync(
        ClaimedAssessment claim, RiskInputs inputs, ConcurrentBag<AssessmentDecision> decisions, ConcurrentBag<AssessmentDelay> delays)
    {
        // What a provider is asked is part of it, and carries its trace id.
        using var trace = traces.TakesWork() ? Traces.StartWork("assess reservation") : null;
        try
        {
            var sale = catalog.Find(claim.SaleId)?.Sale ?? throw new LedgerUnavailableException($"Sale {claim.SaleId} is not loaded");
            await providers.AskAsync(claim.UserId, inputs);
            var decision = AssessmentDecision.Of(claim, inputs, options.Rules, sale);
            metrics.RecordScore(decision.Result.Score);
            decisions.Add(decision);
        }
        catch (ProviderUnavailableException exception) when (!exception.WasAsked)
        {
            // Nobody is to blame for that, and it must not count: a provider may be away for long.
            metrics.Count(AssessmentOutcome.Postponed);
            delays.Add(new AssessmentDelay(claim, claim.Attempts, PauseAfter(1), Dead: false, exception.Message));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var attempts = claim.Attempts + 1;
            var dead = attempts >= Limits.AssessmentAttempts;
            metrics.Count(dead ? AssessmentOutcome.Dead : AssessmentOutcome.Failed);
            delays.Add(new AssessmentDelay(claim, attempts, PauseAfter(attempts), dead, exception.Message));
        }
    }

    private async Task KeepAsync(IReadOnlyList<AssessmentDecision> decisions, IReadOnlyList<AssessmentDelay> delays)
    {
        foreach (var piece in decisions.Chunk(Limits.AssessmentPiece))
        {
            var decided = await ledger.DecideAssessmentsAsync(piece, CancellationToken.None);
            await Task.WhenAll(decided.Select(TellAsync));
        }

        await ledger.DelayAssessmentsAsync(delays, CancellationToken.None);
    }

    private Task TellAsync(DecidedReservation decided)
    {
        metrics.Count(decided);
        return settlements.TellAsync(decided, CancellationToken.None).AsTask();
    }
}
