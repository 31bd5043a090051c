using System.Text;

using FlashSale.Core.Wire;
using FlashSale.Tools;
using FlashSale.Tools.Load;
using FlashSale.Tools.Overload;
using FlashSale.Tools.Verify;

using Xunit;

namespace FlashSale.Tests.Tools.Overload;

public sealed class OverloadPartsTests
{
    private static readonly Uri Target = new("http://shop.test:81");
    private static readonly People People = new(3, "r", new SessionTokens(new byte[32]), DateTimeOffset.UnixEpoch);

    [Fact]
    public void Orders_AsTheyAreWritten_AreWhatTheContractSays()
    {
        var demand = Orders("tok-1", "tok-2");
        Assert.True(demand.TryTake(out var item));

        var lines = Write(demand, item).Split("\r\n");

        Assert.Equal("POST /api/v1/orders HTTP/1.1", lines[0]);
        Assert.Equal("Host: shop.test:81", lines[1]);
        Assert.StartsWith("Authorization: Bearer ey", lines[2], StringComparison.Ordinal);
        Assert.Equal(["Content-Type: application/json", "Content-Length: 17", "", "{\"token\":\"tok-1\"}"], lines[3..]);
    }

    [Fact]
    public void Orders_AfterARefusalForNow_ComeBackAtTheEnd()
    {
        var demand = Orders("a", "b", "c");
        Answer(demand, 0, 503, "overloaded");
        Answer(demand, 1, 409, "sold-out");
        Answer(demand, 2, 201, "", "{\"id\":\"x\"}");

        Assert.True(demand.TryTake(out var item));
        Assert.Equal(0, item);
        Assert.False(demand.TryTake(out _));
        Assert.Equal(0, demand.InDoubt);
    }

    [Theory]
    [InlineData(0, "timeout", 1)]
    [InlineData(0, "cut", 1)]
    [InlineData(0, "not-connected", 0)]
    [InlineData(503, "outcome-unknown", 1)]
    [InlineData(503, "overloaded", 0)]
    [InlineData(502, "", 1)]
    public void Orders_WhoseAnswerIsLost_AreInDoubtUntilOneComes(int status, string code, int inDoubt)
    {
        var demand = Orders("a");
        Answer(demand, 0, status, code);
        Assert.Equal(inDoubt, demand.InDoubt);

        Answer(demand, 0, 200, "", "{\"id\":\"x\"}");
        Assert.Equal(0, demand.InDoubt);
    }

    [Fact]
    public void Orders_OfNaiveClients_AreSentThreeTimesMore()
    {
        var demand = Orders(naive: true, "a");
        Assert.True(demand.TryTake(out _));

        Assert.Equal([true, true, true, false], Enumerable.Range(1, 4).Select(tries => demand.TakeAnswer(0, tries, new PumpAnswer(429, "rate-limited", default))));
        Assert.True(demand.TryTake(out _));
    }

    [Fact]
    public void Tokens_ThatWereRefused_AreAskedForAgain()
    {
        var tokens = new TokenStore(4);
        var demand = new TokenDemand(Target, ["o1", "o2"], People, first: 1, count: 4, tokens);
        List<string> asked = [];
        for (var n = 0; demand.TryTake(out var item); n++)
        {
            asked.Add(Write(demand, item).Split(' ')[1]);
            demand.TakeAnswer(item, 1, n == 0 ? new PumpAnswer(503, "overloaded", default) : new PumpAnswer(201, "", Encoding.ASCII.GetBytes($"{{\"token\":\"t{item}\"}}")));
        }

        Assert.Equal(["o1", "o1", "o1", "o2", "o2"], asked.Select(path => path.Split('/')[4]).Order());
        Assert.Equal(4, tokens.Count);
        Assert.Equal(["0 t2", "1 t0", "1 t3", "2 t1"], Enumerable.Range(0, 4).Select(i => $"{tokens.UserOf(i)} {Encoding.ASCII.GetString(tokens.Text(i))}").Order());
    }

    [Fact]
    public void Judge_WhenAnAcknowledgedOrderIsMissing_IsViolated()
    {
        Assert.Equal(ExitCodes.Holds, Judge(["a", "b"], ["a", "b"]).ExitCode);
        Assert.Equal(["I2"], Violated(Judge(["a", "b"], ["a", "c"])));
        Assert.Equal(ExitCodes.ProvesNothing, Judge([], []).ExitCode);
    }

    [Fact]
    public void Judge_WhenThereAreMoreOrdersThanAnswers_LooksAtWhatIsInDoubt()
    {
        Assert.Equal(["I4"], Violated(Judge(["a"], ["a", "b"])));
        Assert.Empty(Violated(Judge(["a"], ["a", "b"], inDoubt: 1)));
    }

    [Theory]
    [InlineData(0, 10, 0, false)]
    [InlineData(0, 9, 2, true)]
    [InlineData(-1, 6, 5, true)]
    public void Judge_WhenMoreIsSoldThanThereWas_IsViolated(int available, int held, int sold, bool violated)
    {
        var stock = new ExportLine { Type = "stock", Initial = 10, Adjustments = 0, Available = available, Held = held, Sold = sold };

        Assert.Equal(violated, Violated(LedgerCheck.Judge(Acknowledged("a"), 0, ["a"], [stock])).Contains("I1"));
    }

    [Fact]
    public void RecoveredAfter_TakesTwoGoodWindowsInARow()
    {
        var timeline = new Timeline(0);
        // Spike; slow; good; too few; good; good.
        (int Count, long Latency)[] windows = [(10, 5_000), (100, 900_000), (100, 5_000), (94, 5_000), (96, 5_000), (100, 5_000)];
        foreach (var ((count, latency), at) in windows.Select((window, at) => (window, at)))
        {
            var tally = new Tally(timeline);
            for (var i = 0; i < count; i++)
            {
                tally.Answered((at * 250_000) + 1, 201, "", latency);
            }
        }

        Assert.Equal(0.75, OverloadRun.RecoveredAfter(timeline, end: 250_000, until: 1_500_000, offered: 400, calmP99: 20));
        Assert.Null(OverloadRun.RecoveredAfter(timeline, end: 250_000, until: 1_250_000, offered: 400, calmP99: 20));
    }

    private static OrderDemand Orders(params string[] tokens) => Orders(naive: false, tokens);

    private static OrderDemand Orders(bool naive, params string[] tokens)
    {
        var store = new TokenStore(tokens.Length);
        Assert.All(tokens, token => Assert.True(store.TryAdd(0, Encoding.ASCII.GetBytes(token))));
        return new OrderDemand(Target, People, store, naive, new Ledgered());
    }

    private static void Answer(OrderDemand demand, int item, int status, string code, string body = "")
    {
        if (status != 200)
        {
            Assert.True(demand.TryTake(out var taken));
            Assert.Equal(item, taken);
        }

        Assert.False(demand.TakeAnswer(item, 1, new PumpAnswer(status, code, Encoding.ASCII.GetBytes(body))));
    }

    private static string Write(IDemand demand, int item)
    {
        var buffer = new byte[2_048];
        var writer = new RequestWriter(buffer);
        demand.Write(item, ref writer);
        return Encoding.ASCII.GetString(buffer, 0, writer.Length);
    }

    private static Ledgered Acknowledged(params string[] orders)
    {
        var ledgered = new Ledgered();
        Assert.All(orders, order => ledgered.Acknowledge(Encoding.ASCII.GetBytes(order)));
        return ledgered;
    }

    private static AuditReport Judge(string[] acknowledged, string[] orders, int inDoubt = 0) => LedgerCheck.Judge(Acknowledged(acknowledged), inDoubt, orders, []);

    private static IEnumerable<string> Violated(AuditReport report) => report.Findings.Where(finding => finding.State == FindingState.Violated).Select(finding => finding.Id);
}
