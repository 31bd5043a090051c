namespace FlashSale.Storage;

/// <summary>Wakes the worker of this process when there is something to assess. What other instances queue is seen in the ledger; nothing is lost with it.</summary>
public sealed class AssessmentNews : IDisposable
{
    private readonly SemaphoreSlim rung = new(0, 1);

    public void Ring()
    {
        if (rung.CurrentCount == 0)
        {
            try
            {
                rung.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else has rung at this moment.
            }
        }
    }

    /// <summary>Until somebody rings, and no longer than <paramref name="patience"/>.</summary>
    public async Task ListenAsync(TimeSpan patience, CancellationToken cancellation) => await rung.WaitAsync(patience, cancellation);

    public void Dispose() => rung.Dispose();
}
