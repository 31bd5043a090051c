using Polly.CircuitBreaker;

namespace FlashSale.Storage;

/// <summary>The way to a provider of risk signals.</summary>
public sealed class ProviderPath(Breaker breaker)
{
    public Breaker Breaker => breaker;

    /// <summary>The answer of a call that bounds its own time.</summary>
    /// <exception cref="ProviderUnavailableException">It failed; or it was not asked, since it has not answered others.</exception>
    public async Task<T> AskAsync<TAsk, T>(Func<TAsk, Task<T>> call, TAsk ask)
    {
        var outcome = await breaker.TryAsync(static all => new ValueTask<T>(all.call(all.ask)), (call, ask));
        if (outcome.Exception is BrokenCircuitException exception)
        {
            throw new ProviderUnavailableException($"The breaker \"{breaker.Name}\" is open: the provider has not answered.", exception) { WasAsked = false };
        }

        outcome.ThrowIfException();
        return outcome.Result!;
    }
}

/// <summary>A provider of risk signals gave no answer that can be used. The message is for operators.</summary>
public sealed class ProviderUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>False when its breaker was open.</summary>
    public bool WasAsked { get; init; } = true;
}
