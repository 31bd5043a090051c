using System.Net;
using System.Net.Sockets;

using FlashSale.Tools.Load;

namespace FlashSale.Tools.Overload;

/// <summary>Connections that wait for work, in turn. What several lanes share is theirs together; another pool's connections are not touched.</summary>
internal sealed class Pool
{
    private readonly Queue<int> idle = new();

    public bool TryTake(out int connection) => idle.TryDequeue(out connection);

    public void Return(int connection) => idle.Enqueue(connection);
}

/// <summary>One stream of requests.</summary>
/// <param name="rate">Arrivals a second, at even distances; null: closed, the next one as soon as there is an answer.</param>
/// <param name="width">Requests in flight at most.</param>
internal sealed class Lane(IDemand demand, Pool pool, Tally tally, double? rate = null, int width = int.MaxValue)
{
    public IDemand Demand => demand;
    public Pool Pool => pool;
    public Tally Tally => tally;
    public double? Rate => rate;
    public int Width => width;
    public long Start { get; set; }
    public long Arrived { get; set; }
    public int InFlight { get; set; }
    public bool Exhausted { get; set; }
}

/// <summary>
/// The load: one thread, many connections, HTTP/1.1 with keep-alive and one request at a time on each. Requests are written into one buffer and answers are
/// read where they lie, so that a request costs its system calls and little else.
/// </summary>
internal sealed class Pump(Uri target, IPEndPoint endPoint, TimeSpan patience, RunClock clock) : IDisposable
{
    private const int LargestRequest = 8 * 1024;
    private const int FirstBuffer = 2 * 1024;
    private const int LargestAnswer = 4 * 1024 * 1024;
    private const long LookForLateEvery = 50_000;

    private readonly Epoll epoll = new();
    private readonly List<Connection> connections = [];
    private readonly KnownCodes codes = new();
    private readonly byte[] request = new byte[LargestRequest];
    private readonly long patienceMicros = (long)patience.TotalMicroseconds;
    private long lookedForLate;

    public Uri Target => target;
    public RunClock Clock => clock;

    /// <summary>More connections, opened when they are needed, each from the next of the given addresses.</summary>
    public Pool AddPool(int count, Func<int, IPAddress?> source)
    {
        var pool = new Pool();
        for (var i = 0; i < count; i++)
        {
            pool.Return(connections.Count);
            connections.Add(new Connection(source(i)));
        }

        return pool;
    }

    /// <summary>Lets the lanes run until a time, or until closed ones have nothing left. What is in flight then stays there, and is counted by its own lane.</summary>
    public void Run(Lane[] lanes, long until, CancellationToken cancellationToken)
    {
        foreach (var lane in lanes)
        {
            lane.Start = clock.Now;
        }

        Epoll.GoFirst(true);
        try
        {
            while (!cancellationToken.IsCancellationRequested && clock.Now < until
                && !Array.TrueForAll(lanes, static lane => lane.Exhausted && lane.InFlight == 0))
            {
                foreach (var lane in lanes)
                {
                    Dispatch(lane);
                }

                Turn();
            }
        }
        finally
        {
            // The thread may be one of the pool, and others come after.
            Epoll.GoFirst(false);
        }
    }

    /// <summary>Waits for what is in flight; after the patience for an answer nothing is.</summary>
    public void Drain(Lane[] lanes, CancellationToken cancellationToken)
    {
        while (Array.Exists(lanes, static lane => lane.InFlight > 0) && !cancellationToken.IsCancellationRequested)
        {
            Turn();
        }
    }

    public void Dispose()
    {
        foreach (var connection in connections)
        {
            connection.Socket?.Dispose();
        }

        epoll.Dispose();
    }

    private void Turn()
    {
        var ready = epoll.Wait(1);
        for (var i = 0; i < ready; i++)
        {
            Handle(epoll.Ready(i));
        }

        if (clock.Now - lookedForLate > LookForLateEvery)
        {
            lookedForLate = clock.Now;
            GiveUpLate();
        }
    }

    private void Dispatch(Lane lane)
    {
        if (lane.Rate is not { } rate)
        {
            Fill(lane);
            return;
        }

        var now = clock.Now;
        var due = (long)((now - lane.Start) * rate / 1_000_000) + 1;
        while (lane.Arrived < due)
        {
            var at = lane.Start + (long)(lane.Arrived * 1_000_000 / rate);
            lane.Arrived++;
            lane.Tally.Offered++;
            lane.Tally.Lag.Record(now - at);
            if (lane.InFlight >= lane.Width || !lane.Pool.TryTake(out var connection))
            {
                lane.Tally.CutOff(now);
            }
            else if (!lane.Demand.TryTake(out var item))
            {
                lane.Tally.NothingLeft++;
                lane.Pool.Return(connection);
            }
            else
            {
                Begin(connection, lane, item, at);
            }
        }
    }

    private void Fill(Lane lane)
    {
        // No more than that at once: where nothing can be sent, each comes back at once.
        for (var most = lane.Width; most > 0 && lane.InFlight < lane.Width && lane.Pool.TryTake(out var connection); most--)
        {
            if (!lane.Demand.TryTake(out var item))
            {
                lane.Exhausted = true;
                lane.Pool.Return(connection);
                return;
            }

            lane.Exhausted = false;
            lane.Tally.Offered++;
            Begin(connection, lane, item, clock.Now);
        }
    }

    private void Begin(int id, Lane lane, int item, long at)
    {
        var connection = connections[id];
        connection.Lane = lane;
        connection.Item = item;
        connection.Tries = 0;
        connection.At = at;
        lane.InFlight++;
        Send(id, connection);
    }

    private void Send(int id, Connection connection)
    {
        connection.Deadline = clock.Now + patienceMicros;
        connection.Tries++;
        if (connection.Socket is null && !Open(id, connection))
        {
            return;
        }

        if (!connection.IsConnecting)
        {
            Write(id, connection);
        }
    }

    /// <returns>Whether there is a socket, connected or about to be.</returns>
    private bool Open(int id, Connection connection)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, Blocking = false };
        connection.Socket = socket;
        connection.Length = 0;
        try
        {
            if (connection.Source is { } source)
            {
                socket.Bind(new IPEndPoint(source, 0));
            }

            socket.Connect(endPoint);
        }
        catch (SocketException problem) when (problem.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // On its way: the loop hears when it is there.
            connection.IsConnecting = true;
        }
        catch (SocketException)
        {
            Fail(id, connection, "not-connected");
            return false;
        }

        epoll.Watch(socket, id, untilConnected: connection.IsConnecting);
        return true;
    }

    private void Write(int id, Connection connection)
    {
        var lane = connection.Lane!;
        var writer = new RequestWriter(request);
        lane.Demand.Write(connection.Item, ref writer);
        lane.Tally.Sent++;
        var sent = connection.Socket!.Send(request.AsSpan(0, writer.Length), SocketFlags.None, out _);
        // Nothing else waits in the buffer of a connection that carries one request at a time: what does not fit has nowhere to go.
        if (sent != writer.Length)
        {
            Fail(id, connection, "cut");
        }
    }

    private void Handle(int id)
    {
        var connection = connections[id];
        if (connection.Socket is not { } socket)
        {
            return;
        }

        if (connection.IsConnecting)
        {
            connection.IsConnecting = false;
            if (socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is not 0)
            {
                Fail(id, connection, "not-connected");
                return;
            }

            epoll.WatchForReading(socket, id);
            Write(id, connection);
            return;
        }

        connection.Reserve();
        var read = socket.Receive(connection.Buffer.AsSpan(connection.Length), SocketFlags.None, out var error);
        if (error is SocketError.WouldBlock)
        {
            return;
        }

        if (connection.Lane is null)
        {
            // Nothing was asked: the server has closed it.
            Close(connection);
            return;
        }

        connection.Length += Math.Max(0, read);
        Read(id, connection, ended: read <= 0);
    }

    private void Read(int id, Connection connection, bool ended)
    {
        try
        {
            var received = connection.Buffer.AsSpan(0, connection.Length);
            if (ResponseHead.TryRead(received, out var head))
            {
                var body = received[head.Bytes..];
                var whole = head.Framing switch
                {
                    Framing.Length => body.Length >= head.Length ? head.Length : -1,
                    Framing.Chunked => Chunks.Join(body),
                    _ => ended ? body.Length : -1,
                };
                if (whole >= 0)
                {
                    Complete(id, connection, head, body[..whole]);
                    return;
                }
            }

            if (ended || connection.Length > LargestAnswer)
            {
                Fail(id, connection, "cut");
            }
        }
        catch (IOException)
        {
            Fail(id, connection, "not-http");
        }
    }

    private void Complete(int id, Connection connection, in ResponseHead head, ReadOnlySpan<byte> body)
    {
        var success = head.Status is >= 200 and < 300;
        var code = success ? "" : codes.Of(JsonText.Find(body, "\"code\":"u8));
        connection.Length = 0;
        if (head.Closes)
        {
            Close(connection);
        }

        End(id, connection, new PumpAnswer(head.Status, code, body));
    }

    private void Fail(int id, Connection connection, string why)
    {
        Close(connection);
        if (connection.Lane is not null)
        {
            End(id, connection, new PumpAnswer(0, why, default));
        }
    }

    private void End(int id, Connection connection, in PumpAnswer answer)
    {
        var lane = connection.Lane!;
        var now = clock.Now;
        lane.Tally.Answered(now, answer.Status, answer.Code, now - connection.At);
        if (lane.Demand.TakeAnswer(connection.Item, connection.Tries, answer))
        {
            connection.At = now;
            Send(id, connection);
            return;
        }

        connection.Lane = null;
        lane.InFlight--;
        lane.Pool.Return(id);
    }

    private void GiveUpLate()
    {
        var now = clock.Now;
        for (var id = 0; id < connections.Count; id++)
        {
            if (connections[id] is { Lane: not null } connection && connection.Deadline < now)
            {
                Fail(id, connection, "timeout");
            }
        }
    }

    /// <summary>A closed descriptor leaves the epoll by itself.</summary>
    private static void Close(Connection connection)
    {
        connection.Socket?.Dispose();
        connection.Socket = null;
        connection.IsConnecting = false;
        connection.Length = 0;
    }

    private sealed class Connection(IPAddress? source)
    {
        public IPAddress? Source => source;
        public Socket? Socket { get; set; }
        public bool IsConnecting { get; set; }
        public byte[] Buffer { get; private set; } = new byte[FirstBuffer];
        public int Length { get; set; }

        /// <summary>Null while nothing is asked.</summary>
        public Lane? Lane { get; set; }
        public int Item { get; set; }
        public int Tries { get; set; }
        public long At { get; set; }
        public long Deadline { get; set; }

        public void Reserve()
        {
            if (Length == Buffer.Length)
            {
                var larger = Buffer;
                Array.Resize(ref larger, Buffer.Length * 2);
                Buffer = larger;
            }
        }
    }
}
