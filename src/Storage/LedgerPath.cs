using FlashSale.Core;

using Polly.CircuitBreaker;

namespace FlashSale.Storage;

/// <summary>One way to the ledger, with a breaker of its own: what fails here need not fail elsewhere.</summary>
public sealed class LedgerPath(Breaker breaker, TimeProvider time)
{
    public Breaker Breaker => breaker;

    /// <summary>At most <see cref="Limits.LedgerReadPatience"/>.</summary>
    /// <exception cref="LedgerUnavailableException">It failed, did not answer in time, or was not asked.</exception>
    public Task<T> ReadAsync<TAsk, T>(Func<TAsk, Task<T>> read, TAsk ask) => RunAsync(
        static async all =>
        {
            try
            {
                return await all.read(all.ask).WaitAsync(Limits.LedgerReadPatience, all.time);
            }
            catch (TimeoutException exception)
            {
                StorageMeter.CountLedgerTimeout(wrote: false);
                throw new LedgerUnavailableException($"The ledger did not answer within {Limits.LedgerReadPatience.TotalSeconds:0} s.", exception);
            }
        },
        (read, ask, time));

    /// <summary>At most <see cref="Limits.LedgerWritePatience"/>; what takes longer goes on all the same.</summary>
    /// <exception cref="LedgerUnavailableException">Nothing was written: it failed, or was not asked.</exception>
    /// <exception cref="LedgerOutcomeUnknownException">It may have been written, or may still be.</exception>
    public Task<T> WriteAsync<TAsk, T>(Func<TAsk, Task<T>> write, TAsk ask) =>
        RunAsync(static all => all.path.JoinAsync(all.write(all.ask)), (path: this, write, ask));

    /// <summary>Waits for a write that somebody else has asked for, at most <see cref="Limits.LedgerWritePatience"/>. The breaker has counted that one, and does not count this.</summary>
    /// <exception cref="LedgerUnavailableException">Nothing was written: it failed.</exception>
    /// <exception cref="LedgerOutcomeUnknownException">It may have been written, or may still be.</exception>
    public async Task<T> JoinAsync<T>(Task<T> underWay)
    {
        try
        {
            return await underWay.WaitAsync(Limits.LedgerWritePatience, time);
        }
        catch (TimeoutException exception)
        {
            StorageMeter.CountLedgerTimeout(wrote: true);
            throw new LedgerOutcomeUnknownException($"The ledger did not answer within {Limits.LedgerWritePatience.TotalSeconds:0} s.", exception);
        }
    }

    /// <summary>For a caller that stays until the outcome is known, however long that takes.</summary>
    /// <exception cref="LedgerUnavailableException">Nothing was written: it failed, or was not asked.</exception>
    public async Task<T> RunAsync<TAsk, T>(Func<TAsk, Task<T>> call, TAsk ask)
    {
        var outcome = await breaker.TryAsync(static all => new ValueTask<T>(all.call(all.ask)), (call, ask));
        if (outcome.Exception is BrokenCircuitException exception)
        {
            throw new LedgerUnavailableException($"The breaker \"{breaker.Name}\" is open: the ledger has not answered there.", exception);
        }

        outcome.ThrowIfException();
        return outcome.Result!;
    }
}
