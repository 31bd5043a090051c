using System.Net;
using System.Net.Sockets;
using System.Text;

using FlashSale.Tools.Load;
using FlashSale.Tools.Overload;

using Xunit;

namespace FlashSale.Tests.Tools.Overload;

/// <summary>The pump against a server of a few lines that answers, refuses, breaks off or says nothing, as the path asks.</summary>
[Collection(PeakCollection.Name)]
public sealed class PumpTests : IDisposable
{
    private const string Created = "HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n{\"id\":\"ab\"}";
    private const string Busy = "HTTP/1.1 503 Service Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"code\r\n10\r\n\":\"overloaded\"}\n\r\n0\r\n\r\n";
    private const string Closing = "HTTP/1.1 409 Conflict\r\nConnection: close\r\nContent-Length: 19\r\n\r\n{\"code\":\"sold-out\"}";
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly RunClock clock = new(TimeProvider.System);
    private readonly HashSet<IPAddress> sources = [];
    private int requests;

    public PumpTests() => listener.Start();

    private Uri Target => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    [Fact]
    public void Run_ClosedLane_AnswersEachOnceAndEnds()
    {
        Serve(_ => Created);
        var demand = new Requests(100, "a");

        var tally = Run(demand, width: 8);

        Assert.Equal(Enumerable.Range(0, 100), demand.Answers.Select(answer => answer.Item).Order());
        Assert.Equal((100L, 100L, 100L), (tally.Offered, tally.Sent, tally.Succeeded));
        Assert.Equal(100, requests);
        Assert.All(demand.Answers, answer => Assert.Equal("ab", answer.Id));
        Assert.Equal(100, tally.Admitted.Count);
        Assert.Equal(2, sources.Count);
    }

    [Fact]
    public void Run_AnswersOfEveryForm_AreCountedByStatusAndCode()
    {
        Serve(number => number % 4 == 0 ? Created : number % 4 == 1 ? Busy : number % 4 == 2 ? Closing : null);

        var tally = Run(new Requests(40, "a"), width: 1);

        Assert.Equal([(0, "cut", 10L), (201, "", 10L), (409, "sold-out", 10L), (503, "overloaded", 10L)], tally.Answers);
        Assert.Equal((10L, 10L), (tally.Unanswered, tally.Succeeded));
        Assert.Equal(20, tally.Refused.Count);
    }

    [Fact]
    public void Run_WhenADemandWantsItAgain_SendsTheSameAtOnce()
    {
        Serve(number => number % 4 == 3 ? Created : Busy);
        var demand = new Requests(10, "a") { TriesMost = 4 };

        var tally = Run(demand, width: 1);

        Assert.Equal((10L, 40L, 10L), (tally.Offered, tally.Sent, tally.Succeeded));
        Assert.Equal([1, 2, 3, 4], demand.Answers.Take(4).Select(answer => answer.Tries));
        Assert.Equal(Enumerable.Repeat(0, 4), demand.Answers.Take(4).Select(answer => answer.Item));
    }

    [Fact]
    public void Run_OpenLane_KeepsItsScheduleWhateverTheServerDoes()
    {
        // It reads and never answers: two connections take two arrivals, and the others find none free.
        Serve(_ => "");
        var start = clock.Now;
        var tally = Run(new Requests(10_000, "a"), rate: 1_000, until: start + 500_000, drain: false);

        var due = (clock.Now - start) / 1_000;
        Assert.InRange(tally.Offered, 400, due + 1);
        Assert.Equal(2, tally.Sent);
        Assert.Equal(tally.Offered, tally.Sent + tally.Cut);
    }

    [Fact]
    public void Run_WhenNoAnswerComes_CountsATimeoutAndUsesAnotherConnection()
    {
        Serve(number => number == 0 ? "" : Created);

        var tally = Run(new Requests(3, "a"), width: 1, patience: TimeSpan.FromMilliseconds(200));

        Assert.Equal([(0, "timeout", 1L), (201, "", 2L)], tally.Answers);
    }

    [Fact]
    public void Run_WhenNobodyListens_SaysSoForEachAndEnds()
    {
        listener.Stop();

        var tally = Run(new Requests(5, "a"), width: 2, target: new Uri("http://127.0.0.1:9"));

        Assert.Equal([(0, "not-connected", 5L)], tally.Answers);
        Assert.Equal(0, tally.Sent);
    }

    [Fact]
    public void Run_LaneThatIsStillInFlight_IsCountedByItsOwnTally()
    {
        Serve(number => number < 2 ? "wait" : Created);
        using var pump = MakePump(TimeSpan.FromSeconds(5), Target);
        var pool = pump.AddPool(4, _ => null);
        var first = MakeLane(new Requests(2, "a"), pool, width: 2);
        var second = MakeLane(new Requests(5, "a"), pool, width: 2);

        pump.Run([first], clock.Now + 100_000, CancellationToken.None);
        pump.Run([second], clock.Now + 1_000_000, CancellationToken.None);
        pump.Drain([first, second], CancellationToken.None);

        Assert.Equal((2L, 5L), (first.Tally.Succeeded, second.Tally.Succeeded));
        Assert.True(first.Tally.Admitted.Max >= 100_000);
    }

    public void Dispose() => listener.Dispose();

    private Pump MakePump(TimeSpan patience, Uri target) => new(target, new IPEndPoint(IPAddress.Loopback, target.Port), patience, clock);

    private Lane MakeLane(IDemand demand, Pool pool, double? rate = null, int width = int.MaxValue) =>
        new(demand, pool, new Tally(new Timeline(clock.Now)), rate, width);

    private Tally Run(
        IDemand demand, double? rate = null, int width = int.MaxValue, long? until = null, TimeSpan? patience = null, Uri? target = null, bool drain = true)
    {
        using var pump = MakePump(patience ?? TimeSpan.FromSeconds(5), target ?? Target);
        var pool = pump.AddPool(2, i => IPAddress.Parse($"127.0.0.{i + 1}"));
        var lane = MakeLane(demand, pool, rate, width);
        pump.Run([lane], until ?? clock.Now + 20_000_000, CancellationToken.None);
        if (drain)
        {
            pump.Drain([lane], CancellationToken.None);
        }

        return lane.Tally;
    }

    /// <param name="answer">To the request of this number; null: breaks off; empty: says nothing; <c>wait</c>: after a third of a second.</param>
    private void Serve(Func<int, string?> answer) => _ = AcceptAsync(answer);

    private async Task AcceptAsync(Func<int, string?> answer)
    {
        try
        {
            while (true)
            {
                _ = TalkAsync(await listener.AcceptTcpClientAsync(), answer);
            }
        }
        catch (Exception problem) when (problem is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task TalkAsync(TcpClient client, Func<int, string?> answer)
    {
        using var mine = client;
        lock (sources)
        {
            sources.Add(((IPEndPoint)client.Client.RemoteEndPoint!).Address);
        }

        try
        {
            var stream = client.GetStream();
            var buffer = new byte[4_096];
            for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
            {
                Assert.EndsWith("\r\n\r\n", Encoding.ASCII.GetString(buffer, 0, read), StringComparison.Ordinal);
                var text = answer(Interlocked.Increment(ref requests) - 1);
                if (text is null)
                {
                    return;
                }

                if (text == "wait")
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(300));
                    text = Created;
                }

                await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
                if (text == Closing)
                {
                    return;
                }
            }
        }
        catch (IOException)
        {
            // The pump gave up.
        }
    }

    private sealed class Requests(int count, string path) : IDemand
    {
        private int next;

        public int TriesMost { get; init; } = 1;

        public List<(int Item, int Tries, int Status, string Id)> Answers { get; } = [];

        public bool TryTake(out int item)
        {
            item = next;
            return next < count && next++ >= 0;
        }

        public void Write(int item, ref RequestWriter to)
        {
            to.Add("GET /");
            to.Add(path);
            to.Add(" HTTP/1.1\r\nHost: a\r\n\r\n"u8);
        }

        public bool TakeAnswer(int item, int tries, in PumpAnswer answer)
        {
            Answers.Add((item, tries, answer.Status, Encoding.ASCII.GetString(answer.Text("\"id\":"u8))));
            return !answer.IsSuccess && tries < TriesMost;
        }
    }
}
