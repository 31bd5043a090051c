using System.Net;
using System.Net.Http.Json;

using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;

using Microsoft.AspNetCore.Http;

using Xunit;

namespace FlashSale.Tests.Server.Telemetry;

/// <summary>From the sender of a request to the commit and back, and to the providers.</summary>
public sealed class TraceTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string Sender = "b7ad6b7169203331";

    [Fact]
    public async Task Order_ThatItsSenderTraces_IsOneTraceThatItsBatchIsLinkedTo()
    {
        await using var collector = await Collector.StartAsync();
        await using var server = await TestServer.StartAsync(
            ("FlashSale__Telemetry__OtlpEndpoint", collector.Url), ("FlashSale__Telemetry__TraceRatio", "0.000001"), ("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var sale = await ShopSale.OpenAsync(server, new ShopTerms());
        var buyer = server.CreateSession("somebody-who-buys");
        var mine = await TokenOfAsync(sale, buyer);

        (await SendAsync(sale, buyer, mine, $"00-{Trace}-{Sender}-01")).Expect(HttpStatusCode.Created);
        await Eventually.HoldsAsync(() => collector.Spans.Any(span => span.Trace == Trace && span.Parent == Sender) && collector.Spans.Any(span => span.Name == "database commit"), "the spans come");

        var spans = collector.Spans.ToArray();
        var order = Assert.Single(spans, span => span.Trace == Trace && span.Parent == Sender);
        Assert.Equal("POST /api/v1/orders", order.Name);
        var stages = spans.Where(span => span.Parent == order.Id).ToArray();
        Assert.Equal(["checks", "gate", "ledger"], stages.Select(span => span.Name).Order(StringComparer.Ordinal));
        var ledger = stages.Single(span => span.Name == "ledger");
        var batch = Assert.Single(spans, span => span.Name == "ledger batch");
        Assert.NotEqual(Trace, batch.Trace);
        Assert.Equal([ledger.Id], batch.Links);
        Assert.Equal([batch.Id], ledger.Links);
        var commit = Assert.Single(spans, span => span.Name == "database commit");
        Assert.Equal((batch.Trace, batch.Id), (commit.Trace, commit.Parent));

        // Neither who they are nor what signs for them.
        Assert.All(spans, span => Assert.DoesNotContain("somebody-who-buys", span.Text, StringComparison.Ordinal));
        Assert.All(spans, span => Assert.DoesNotContain(mine, span.Text, StringComparison.Ordinal));
        await Eventually.HoldsAsync(() => collector.Metrics.Any(body => body.Contains("flashsale.decisions", StringComparison.Ordinal)
            && body.Contains("dotnet.gc.collections", StringComparison.Ordinal) && body.Contains("flashsale.order.stage.duration", StringComparison.Ordinal)), "the metrics come");
    }

    [Fact]
    public async Task Provider_WhenAReservationIsAssessed_IsAskedWithTheTrace()
    {
        await using var collector = await Collector.StartAsync();
        await using var server = await TestServer.StartAsync(
            ("FlashSale__Telemetry__OtlpEndpoint", collector.Url), ("FlashSale__Telemetry__TraceRatio", "1"), ("FlashSale__Risk__Credit__Url", collector.Url + "/risk"));
        var sale = await ShopSale.OpenAsync(server, new ShopTerms { RequiresReservation = true, OpensIn = TimeSpan.FromMinutes(5) });

        await sale.NewShopper().ReserveAsync();
        await Eventually.HoldsAsync(() => collector.Spans.Any(span => span.Name == "assess reservation") && collector.Spans.Any(span => span.Name == "GET"), "the spans come");

        var assessment = collector.Spans.First(span => span.Name == "assess reservation");
        var call = collector.Spans.First(span => span.Name == "GET");
        Assert.Equal((assessment.Trace, assessment.Id), (call.Trace, call.Parent));
        Assert.Contains($"00-{call.Trace}-{call.Id}-01", collector.Asked);
    }

    /// <summary>Without a collector nobody is traced; the id is the sender's all the same, so that both find the same request in their logs.</summary>
    [Theory]
    [InlineData($"00-{Trace}-{Sender}-00", true)]
    [InlineData($"00-{Trace}-{Sender}-01", true)]
    [InlineData($"cc-{Trace}-{Sender}-01-what-comes-later", true)]
    [InlineData($"00-{Trace}-{Sender}-01-more", false)]
    [InlineData($"ff-{Trace}-{Sender}-01", false)]
    [InlineData($"00-00000000000000000000000000000000-{Sender}-01", false)]
    [InlineData($"00-{Trace}-0000000000000000-01", false)]
    [InlineData($"00-0AF7651916CD43DD8448EB211C80319C-{Sender}-01", false)]
    [InlineData($"00-{Trace}-{Sender}", false)]
    [InlineData("00-\"}{\"0af7651916cd43dd8448eb211c8-b7ad6b7169203331-01", false)]
    public void TraceId_OfARequest_IsTheSendersWhenThatIsWellFormed(string header, bool isTaken)
    {
        var context = new DefaultHttpContext { TraceIdentifier = "own" };
        context.Request.Headers.TraceParent = header;

        Assert.Equal(isTaken ? Trace : "own", context.TraceId());
        Assert.Equal(isTaken ? Trace : "own", context.TraceIdChars().ToString());
    }

    [Fact]
    public async Task Problem_AndAuditLog_HaveTheTraceIdOfTheSender()
    {
        await using var server = await TestServer.StartAsync();
        var sale = await ShopSale.OpenAsync(server, new ShopTerms());

        var refused = await SendAsync(sale, server.CreateSession("anna"), "forged", $"00-{Trace}-{Sender}-01");
        using var pause = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/v1/admin/sales/{sale.Id}/pause", UriKind.Relative)) { Content = JsonContent.Create(new { reason = "a test" }) };
        pause.Headers.TryAddWithoutValidation("Authorization", "Bearer " + server.CreateSession("olga", "operator"));
        pause.Headers.TryAddWithoutValidation("traceparent", $"00-{Trace}-{Sender}-00");
        (await sale.SendAsync(pause)).Expect(HttpStatusCode.OK);

        Assert.Equal(Trace, refused.ExpectProblem(HttpStatusCode.Forbidden, "order-token-rejected").Text("traceId"));
        Assert.Contains(Trace, (await sale.AdminAsync(HttpMethod.Get, "audit")).Expect(HttpStatusCode.OK).Body, StringComparison.Ordinal);
    }

    /// <summary>A crowd that asks to be traced is a crowd that asks to be paid for.</summary>
    [Fact]
    public void Choice_WhenEverybodyAsksToBeTraced_TakesSoManyASecond()
    {
        var choice = new TraceChoice(new TelemetryOptions(true, null, 0, false, ""), new StoppedTime());
        var asks = new System.Diagnostics.ActivityContext(
            System.Diagnostics.ActivityTraceId.CreateRandom(), System.Diagnostics.ActivitySpanId.CreateRandom(), System.Diagnostics.ActivityTraceFlags.Recorded, isRemote: true);

        Assert.Equal(FlashSale.Core.Limits.TracesPerSecond, Enumerable.Range(0, 1_000).Count(_ => choice.Takes(asks)));
        Assert.False(choice.Takes(default));
    }

    private static async Task<string> TokenOfAsync(ShopSale sale, string session) =>
        (await sale.SendAsync(HttpMethod.Post, $"/api/v1/offers/{sale.OfferId}/order-tokens", session)).Expect(HttpStatusCode.Created).Text("token");

    private static async Task<Reply> SendAsync(ShopSale sale, string session, string token, string parent)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/orders", UriKind.Relative)) { Content = JsonContent.Create(new { token }) };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + session);
        request.Headers.TryAddWithoutValidation("traceparent", parent);
        return await sale.SendAsync(request);
    }

    private sealed class StoppedTime : TimeProvider
    {
        public override long GetTimestamp() => 1_000_000_000;
    }
}
