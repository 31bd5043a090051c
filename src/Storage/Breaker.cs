using System.Runtime.ExceptionServices;

using FlashSale.Core;

using Polly;
using Polly.CircuitBreaker;

namespace FlashSale.Storage;

/// <summary>The numbers are those of the metric.</summary>
public enum BreakerState
{
    /// <summary>Every call goes through.</summary>
    Closed = 0,

    /// <summary>One call is on trial and the others are rejected, or the break is over and the next call will be the trial.</summary>
    HalfOpen = 1,

    /// <summary>Calls are rejected until the break is over.</summary>
    Open = 2,
}

/// <summary>
/// Stops asking what does not answer. A business refusal is an answer, and so a success; so are a full queue and a row that cannot be written: only a dependency
/// that is away opens it.
/// </summary>
public sealed class Breaker
{
    private readonly ResiliencePipeline pipeline;
    private readonly CircuitBreakerStateProvider state = new();
    private readonly TimeProvider time;
    private long rejections;
    private long openUntilTicks;

    private Breaker(string name, int calls, TimeSpan window, TimeProvider time)
    {
        Name = name;
        this.time = time;
        pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = calls,
                SamplingDuration = window,
                BreakDuration = Limits.BreakerBreak,
                StateProvider = state,
                OnOpened = arguments =>
                {
                    Interlocked.Exchange(ref openUntilTicks, (time.GetUtcNow() + arguments.BreakDuration).UtcTicks);
                    return default;
                },
                ShouldHandle = static arguments => new(arguments.Outcome.Exception is { } exception && IsFailure(exception)),
            })
            .Build();
    }

    public string Name { get; }

    public BreakerState State => state.CircuitState switch
    {
        CircuitState.Closed => BreakerState.Closed,
        CircuitState.Open when !BreakIsOver => BreakerState.Open,
        _ => BreakerState.HalfOpen,
    };

    /// <summary>A call would be rejected now. False again when the break is over and nobody has tried since.</summary>
    public bool Rejects => state.CircuitState switch
    {
        CircuitState.Closed => false,
        CircuitState.HalfOpen => true,
        _ => !BreakIsOver,
    };

    /// <summary>Calls that were not made because of it.</summary>
    public long Rejections => Interlocked.Read(ref rejections);

    private bool BreakIsOver => time.GetUtcNow().UtcTicks >= Interlocked.Read(ref openUntilTicks);

    /// <summary>For a path that every order may take.</summary>
    public static Breaker ForMany(string name, TimeProvider time) => new(name, Limits.BreakerCalls, Limits.BreakerWindow, time);

    /// <summary>For a path with a few calls a second.</summary>
    public static Breaker ForFew(string name, TimeProvider time) => new(name, Limits.SlowBreakerCalls, Limits.SlowBreakerWindow, time);

    /// <summary>
    /// What is asked is not cancelled with its caller: a trial that somebody walks away from would say nothing.
    /// </summary>
    /// <returns>The answer, or why there is none: the failure, or <see cref="BrokenCircuitException"/>. What is no failure of the dependency is thrown.</returns>
    internal async ValueTask<Outcome<TAnswer>> TryAsync<TAsk, TAnswer>(Func<TAsk, ValueTask<TAnswer>> call, TAsk ask)
    {
        var context = ResilienceContextPool.Shared.Get();
        var outcome = await pipeline.ExecuteOutcomeAsync(
            static async (_, asked) =>
            {
                try
                {
                    return Outcome.FromResult(await asked.call(asked.ask));
                }
                catch (Exception exception)
                {
                    return Outcome.FromException<TAnswer>(exception);
                }
            },
            context,
            (call, ask));
        ResilienceContextPool.Shared.Return(context);
        switch (outcome.Exception)
        {
            case BrokenCircuitException:
                Interlocked.Increment(ref rejections);
                break;
            case { } exception when !IsFailure(exception):
                ExceptionDispatchInfo.Throw(exception);
                break;
        }

        return outcome;
    }

    private static bool IsFailure(Exception exception) =>
        exception is GateUnavailableException or LedgerUnavailableException or LedgerOutcomeUnknownException or ProviderUnavailableException;
}
