using System.Runtime.CompilerServices;
using System.Threading.Channels;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Storage.Sql;

namespace FlashSale.Storage.MySql;

/// <param name="ConnectionString">As the operator writes it: server, port, database, user, password, TLS. The rest is set by the ledger.</param>
/// <param name="WritePattern">Whether a batch writes change-log rows or the stock row first. Both keep the same promises.</param>
/// <param name="WriterLanes">Connections that place orders, 1 to 16; the offers are shared out among them.</param>
/// <param name="Connections">Connections for everything else, 2 to 64: half of them for what writes stock, the others for what does not wait for it.</param>
public sealed record MySqlLedgerOptions(
    string ConnectionString, WritePattern WritePattern = WritePattern.LogFirst, int WriterLanes = 2, int Connections = 8)
{
    /// <summary>The ledger's time instead of the database's, for tests.</summary>
    internal TimeProvider? Clock { get; init; }

    /// <summary>Without the connection string, and so without the password.</summary>
    public override string ToString() => $"{nameof(MySqlLedgerOptions)} {{ {WritePattern}, {WriterLanes} lanes, {Connections} connections }}";
}

/// <summary>
/// The ledger on MariaDB or MySQL, for any number of instances. Each lane places orders on a connection of its own (<see cref="MySqlLane"/>); everything else
/// shares a few connections. Time is the database's.
/// </summary>
public sealed class MySqlLedger : SqlLedger
{
    // What an export keeps ahead of its reader: 16 blocks of 256 lines.
    private const int ExportBlock = 256;
    private const int ExportBlocks = 16;
    private const int ExportsAtOnce = 4;


    private static readonly MySqlTimeouts Timeouts = new(ConnectSeconds: 3, CommandSeconds: 5);

    // A row of an export may be read much later than the one before, when whoever reads it takes its time.
    private static readonly MySqlTimeouts ExportTimeouts = new(ConnectSeconds: 3, CommandSeconds: 600);

    private static readonly StorageCall PlaceCall = new("mysql", "place");
    private static readonly StorageCall ReadCall = new("mysql", "read");
    private static readonly StorageCall WriteCall = new("mysql", "write");
    private static readonly StorageCall KeepCall = new("mysql", "keep");
    private readonly MySqlLedgerOptions options;
    private readonly MySqlTarget exportTarget;
    private readonly string sessionSettings;
    // Payments, cancellations and expiries of an offer come one after the other, since each has the offer's stock row to itself; when many wait, so does whatever
    // shares their connections. Readers, leases and the check of the ledger must not: the gate would go uncorrected, and the instance would not be ready.
    private readonly MySqlConnections connections;
    private readonly MySqlConnections prompt;
    private readonly MySqlConnections[] writers;
    private readonly MySqlLane[] lanes;
    private readonly SemaphoreSlim exports = new(ExportsAtOnce);

    private MySqlLedger(MySqlLedgerOptions options, string sessionSettings, MySqlConnections connections, MySqlConnections prompt, MySqlConnections[] writers)
        : base(options.WritePattern)
    {
        this.options = options;
        exportTarget = MySqlDriver.Pin(options.ConnectionString, ExportTimeouts);
        this.sessionSettings = sessionSettings;
        this.connections = connections;
        this.prompt = prompt;
        this.writers = writers;
        lanes = [.. writers.Select(_ => new MySqlLane(options.WritePattern))];
    }

    public override int WriterLanes => lanes.Length;

    public override int LaneOf(OfferId offer) => (int)(offer.Value % lanes.Length);

    public override IReadOnlyList<ConnectionPool> Pools =>
    [
        PoolOf("orders", writers),
        PoolOf("changes", connections),
        PoolOf("reads", prompt),
    ];

    /// <summary>Checks the server, brings the schema up to date and opens all connections.</summary>
    /// <exception cref="LedgerUnavailableException">
    /// The server cannot be reached, the database is not there or not ours, settings of the server would break promises, or the schema is newer than this
    /// program, or was edited. It says all that is wrong, and what to change.
    /// </exception>
    public static async Task<MySqlLedger> OpenAsync(MySqlLedgerOptions options, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Math.Clamp(options.WriterLanes, 1, 16), options.WriterLanes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(Math.Clamp(options.Connections, 2, 64), options.Connections);
        cancellation.ThrowIfCancellationRequested();
        var target = MySqlDriver.Pin(options.ConnectionString, Timeouts);
        var settings = await MySqlThread.Start("mysql ledger start", () => MySqlSetup.Prepare(target, options.Clock));
        var opened = new List<MySqlConnections>();
        try
        {
            MySqlSession Open() => MySqlSession.Open(target, settings, options.Clock);
            opened.Add(await MySqlConnections.StartAsync("mysql ledger", options.Connections - (options.Connections / 2), Open));
            opened.Add(await MySqlConnections.StartAsync("mysql ledger prompt", options.Connections / 2, Open));
            for (var lane = 0; lane < options.WriterLanes; lane++)
            {
                opened.Add(await MySqlConnections.StartAsync("mysql ledger lane", 1, Open));
            }

            return new MySqlLedger(options, settings, opened[0], opened[1], [.. opened.Skip(2)]);
        }
        catch
        {
            foreach (var connection in opened)
            {
                await connection.DisposeAsync();
            }

            throw;
        }
    }

    public override Task<DateTimeOffset> ReadClockAsync(CancellationToken cancellation) => prompt.RunAsync(session => session.Now, cancellation);

    public override async Task<PlacementBatch> PlaceAsync(IReadOnlyList<OrderDraft> drafts, CancellationToken cancellation)
    {
        if (drafts.Count == 0)
        {
            return new PlacementBatch(new Dictionary<OrderId, PlacementResult>(), []);
        }

        var lane = LaneOf(drafts[0].OfferId);
        return await StorageMeter.MeasureLedgerAsync(
            PlaceCall, static all => all.writer.RunAsync(session => all.lane.Place(session, all.drafts), all.cancellation), (writer: writers[lane], lane: lanes[lane], drafts, cancellation));
    }

    private static ConnectionPool PoolOf(string name, params ReadOnlySpan<MySqlConnections> all)
    {
        var (size, used, waiting) = (0, 0, 0);
        foreach (var one in all)
        {
            size += one.Count;
            used += one.Used;
            waiting += one.Waiting;
        }

        return new ConnectionPool(name, size, used, waiting, all.Length * Limits.LedgerJobQueue);
    }

    /// <summary>From one snapshot, read on a connection and a thread of its own.</summary>
    private protected override async IAsyncEnumerable<T> ExportAsync<T>(
        Func<SqlSession, IEnumerable<T>> read, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await exports.WaitAsync(cancellation);
        var blocks = Channel.CreateBounded<List<T>>(ExportBlocks);
        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var reading = MySqlThread.Start("mysql ledger export", () => ReadInto(blocks.Writer, read, abandoned.Token));
        try
        {
            await foreach (var block in blocks.Reader.ReadAllAsync(cancellation))
            {
                foreach (var line in block)
                {
                    yield return line;
                }
            }
        }
        finally
        {
            await abandoned.CancelAsync();
            await reading;
            exports.Release();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var writer in writers)
        {
            await writer.DisposeAsync();
        }

        await connections.DisposeAsync();
        await prompt.DisposeAsync();
    }

    private protected override Task<T> TransactAsync<T>(Func<SqlSession, T> work, CancellationToken cancellation) => TransactAsync(WriteCall, connections, work, cancellation);

    private protected override Task<T> TransactPromptlyAsync<T>(Func<SqlSession, T> work, CancellationToken cancellation) => TransactAsync(KeepCall, prompt, work, cancellation);

    private static Task<T> TransactAsync<T>(StorageCall call, MySqlConnections on, Func<SqlSession, T> work, CancellationToken cancellation) => StorageMeter.MeasureLedgerAsync(
        call,
        static all => all.on.RunAsync(
            session =>
            {
                session.Begin();
                var result = all.work(session);
                session.Commit();
                return result;
            },
            all.cancellation),
        (on, work, cancellation));

    private protected override Task<T> ReadAsync<T>(Func<SqlSession, T> read, CancellationToken cancellation) => StorageMeter.MeasureLedgerAsync(
        ReadCall, static all => all.prompt.RunAsync(all.read, all.cancellation), (prompt, read, cancellation));

    private void ReadInto<T>(ChannelWriter<List<T>> blocks, Func<SqlSession, IEnumerable<T>> read, CancellationToken abandoned)
    {
        try
        {
            using var session = MySqlSession.Open(exportTarget, sessionSettings, options.Clock);
            session.ExecuteScript(MySqlSetup.MayBeIdle);
            session.BeginSnapshot();
            var block = new List<T>(ExportBlock);
            foreach (var line in read(session))
            {
                block.Add(line);
                if (block.Count == ExportBlock)
                {
                    if (!Send(blocks, block, abandoned))
                    {
                        session.StopStream();
                        break;
                    }

                    block = new List<T>(ExportBlock);
                }
            }

            Send(blocks, block, abandoned);
            blocks.Complete();
        }
        catch (MySqlFault fault)
        {
            blocks.Complete(new LedgerUnavailableException(fault.Message, fault));
        }
        catch (Exception error)
        {
            blocks.Complete(error);
        }
    }

    /// <returns>False when nobody reads any more.</returns>
    private static bool Send<T>(ChannelWriter<List<T>> blocks, List<T> block, CancellationToken abandoned)
    {
        try
        {
            // This thread is the export's own: it may wait.
            if (!abandoned.IsCancellationRequested && !blocks.TryWrite(block))
            {
                blocks.WriteAsync(block, abandoned).AsTask().GetAwaiter().GetResult();
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        return !abandoned.IsCancellationRequested;
    }
}
