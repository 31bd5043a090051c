using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Risk;

using Polly;
using Polly.CircuitBreaker;

namespace FlashSale.Storage;

/// <summary>
/// The gate as the order path sees it: one that does not answer is soon not asked any more, until a trial shows that it answers again. A gate of this process
/// cannot be away, and is asked directly.
/// </summary>
public sealed class GateBreaker
{
    private readonly IGate gate;
    private readonly ResiliencePipeline pipeline;
    private readonly CircuitBreakerStateProvider state = new();

    public GateBreaker(IGate gate, TimeProvider time)
    {
        this.gate = gate;
        pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = Limits.BreakerFailures,
                SamplingDuration = Limits.BreakerWindow,
                BreakDuration = Limits.BreakerWindow,
                StateProvider = state,
                ShouldHandle = arguments => new(arguments.Outcome.Exception is GateUnavailableException),
            })
            .Build();
    }

    /// <summary>A breaker is of use for a gate on another machine only.</summary>
    public bool IsShared => gate.IsShared;

    /// <summary>The word of the API: <c>closed</c>, <c>open</c> or <c>half_open</c>.</summary>
    public string State => IsShared
        ? state.CircuitState switch
        {
            CircuitState.Closed => "closed",
            CircuitState.HalfOpen => "half_open",
            _ => "open",
        }
        : "closed";

    /// <summary>Null when the gate cannot be asked: nothing may be concluded, and the admission may have happened.</summary>
    public async ValueTask<AdmissionOutcome?> TryAdmitAsync(AdmissionRequest request, CancellationToken cancellation)
    {
        var outcome = await AskAsync(static (gate, request, cancellation) => gate.AdmitAsync(request, cancellation), request, cancellation);
        return outcome.Exception is null ? outcome.Result : null;
    }

    /// <summary><see cref="Eligibility.Unknown"/> when the gate cannot be asked.</summary>
    public async ValueTask<Eligibility> TryCheckAsync(SaleId sale, UserId user, DateTimeOffset now, CancellationToken cancellation)
    {
        var outcome = await AskAsync(
            static (gate, ask, cancellation) => gate.CheckAsync(ask.sale, ask.user, ask.now, cancellation), (sale, user, now), cancellation);
        return outcome.Exception is null ? outcome.Result : Eligibility.Unknown;
    }

    /// <summary>True when the gate was told.</summary>
    public async ValueTask<bool> TryTellAsync<T>(Func<IGate, T, CancellationToken, ValueTask> tell, T what, CancellationToken cancellation)
    {
        var outcome = await AskAsync(
            static async (gate, told, cancellation) =>
            {
                await told.tell(gate, told.what, cancellation);
                return true;
            },
            (tell, what),
            cancellation);
        return outcome.Exception is null;
    }

    /// <returns>The answer, or why there is none: the gate is not available, or the breaker is open. Any other exception is a defect, and is thrown.</returns>
    private async ValueTask<Outcome<TAnswer>> AskAsync<TAnswer, TAsk>(
        Func<IGate, TAsk, CancellationToken, ValueTask<TAnswer>> ask, TAsk what, CancellationToken cancellation)
    {
        if (!IsShared)
        {
            return Outcome.FromResult(await ask(gate, what, cancellation));
        }

        var context = ResilienceContextPool.Shared.Get(cancellation);
        var outcome = await pipeline.ExecuteOutcomeAsync(
            static async (context, asked) =>
            {
                try
                {
                    return Outcome.FromResult(await asked.ask(asked.gate, asked.what, context.CancellationToken));
                }
                catch (GateUnavailableException exception)
                {
                    return Outcome.FromException<TAnswer>(exception);
                }
            },
            context,
            (gate, ask, what));
        ResilienceContextPool.Shared.Return(context);
        return outcome;
    }
}
