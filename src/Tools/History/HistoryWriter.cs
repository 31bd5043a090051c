using System.Text.Json;
using System.Threading.Channels;

namespace FlashSale.Tools.History;

/// <summary>
/// Writes a history in the background. Callers wait only when 65,536 records are waiting for the disk. What was written is in the file after
/// <see cref="DisposeAsync"/>.
/// </summary>
public sealed class HistoryWriter : IAsyncDisposable
{
    private const int QueueLength = 65_536;
    private const int FlushBytes = 256 * 1024;

    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);

    private readonly Channel<HistoryRecord> queue =
        Channel.CreateBounded<HistoryRecord>(new BoundedChannelOptions(QueueLength) { SingleReader = true });

    private readonly FileStream file;
    private readonly Task drained;

    /// <summary>Replaces the file.</summary>
    public HistoryWriter(string path, HistoryHeader header)
    {
        file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0, useAsync: true);
        drained = DrainAsync(header);
    }

    public ValueTask WriteAsync(HistoryRecord record, CancellationToken cancellationToken = default) =>
        queue.Writer.TryWrite(record) ? ValueTask.CompletedTask : queue.Writer.WriteAsync(record, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        try
        {
            await drained;
        }
        finally
        {
            await file.DisposeAsync();
        }
    }

    private async Task DrainAsync(HistoryHeader header)
    {
        try
        {
            using var buffer = new MemoryStream(FlushBytes * 2);
            Append(buffer, JsonSerializer.SerializeToUtf8Bytes(header, HistoryJson.Default.HistoryHeader));
            while (await queue.Reader.WaitToReadAsync())
            {
                while (queue.Reader.TryRead(out var record))
                {
                    Append(buffer, JsonSerializer.SerializeToUtf8Bytes(record, HistoryJson.Default.HistoryRecord));
                    if (buffer.Length >= FlushBytes)
                    {
                        await FlushAsync(buffer);
                    }
                }

                // A little more at once: waking up and writing for every record would cost more than the records.
                await FlushAsync(buffer);
                await Task.Delay(Gather);
            }

            await FlushAsync(buffer);
        }
        catch (Exception problem)
        {
            // A full disk must stop the writers, not leave them waiting for room in the queue.
            queue.Writer.TryComplete(problem);
            throw;
        }
    }

    private static void Append(MemoryStream buffer, byte[] line)
    {
        buffer.Write(line);
        buffer.WriteByte((byte)'\n');
    }

    private async Task FlushAsync(MemoryStream buffer)
    {
        await file.WriteAsync(buffer.GetBuffer().AsMemory(0, checked((int)buffer.Length)));
        buffer.SetLength(0);
    }
}
