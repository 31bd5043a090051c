using FlashSale.Core;

namespace FlashSale.Storage.Sql;

public abstract partial class SqlLedger
{
    private readonly Lock checking = new();
    private Task<string?> check = Task.FromResult<string?>(null);

    /// <summary>
    /// One check at a time, shared by all who ask meanwhile, so that nothing piles up on a disk or server that hangs. One that takes long is itself an answer.
    /// </summary>
    public async Task<string?> CheckAsync(CancellationToken cancellation)
    {
        Task<string?> running;
        lock (checking)
        {
            if (check.IsCompleted)
            {
                check = WriteAndReadAsync();
            }

            running = check;
        }

        var patience = 2 * Limits.LedgerBusyTimeout;
        try
        {
            return await running.WaitAsync(patience, cancellation);
        }
        catch (TimeoutException)
        {
            return $"The ledger has not answered within {patience.TotalSeconds} s";
        }
    }

    private async Task<string?> WriteAndReadAsync()
    {
        const string SelectHeartbeat = "SELECT heartbeat FROM ledger_state";
        try
        {
            var written = await KeepAsync(
                session =>
                {
                    session.Execute("UPDATE ledger_state SET heartbeat = heartbeat + 1");
                    return session.First(SelectHeartbeat, row => row.Long(0));
                },
                CancellationToken.None);
            var read = await ReadAsync(session => session.First(SelectHeartbeat, row => row.Long(0)), CancellationToken.None);
            return read >= written ? null : $"The ledger wrote {written} and then read {read}";
        }
        catch (Exception error) when (error is LedgerUnavailableException or LedgerBusyException or LedgerOutcomeUnknownException)
        {
            return error.Message;
        }
    }
}
