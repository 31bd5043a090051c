using System.Text;

using FlashSale.Tests.Server;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>Bytes on a socket that two servers could read in two ways: the application must see what the gateway has seen, and no second request within the first.</summary>
public sealed class SmugglingTests
{
    private const string Hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

    public static TheoryData<string> Forms => new(
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nContent-Length: {Hidden.Length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: {Hidden.Length + 5}\r\n\r\nabcde{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nabcde{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nabcde{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer\tEncoding: chunked\r\nContent-Length: {Hidden.Length + 5}x\r\n\r\n0\r\n\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{Hidden}",
        $"POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n{Hidden}",
        $"GET /api/v1/other HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n{Hidden}",
        $"GET /api/v1/other HTTP/1.1\r\nHost: a\r\nX: 1\0\r\n\r\n{Hidden}",
        $"GET /api/v1/other HTTP/1.1 x\r\nHost: a\r\n\r\n{Hidden}",
        $"GET  HTTP/1.1\r\nHost: a\r\n\r\n{Hidden}");

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Request_ThatCanBeReadInTwoWays_IsRefusedOnce(string request)
    {
        await using var rig = await GatewayRig.StartAsync();

        var answer = await rig.TalkAsync(request, closes: true);

        // Either an answer with nothing behind it, or no word at all; the hidden request is read by nobody.
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal), answer);
        Assert.DoesNotContain("HTTP/1.1 ", answer.Length > 0 ? answer[9..] : "", StringComparison.Ordinal);
        Assert.DoesNotContain(rig.Application.Requests, arrived => arrived.Head.Contains("/hidden", StringComparison.Ordinal) || arrived.Body.Contains("/hidden", StringComparison.Ordinal));
    }

    public static TheoryData<string> WithBody => new("passed on", "refused by the session's limit", "refused by the token", "sold out", "answered here", "too large");

    /// <summary>What is in a body stays there, also when the answer does not wait for it.</summary>
    [Theory]
    [MemberData(nameof(WithBody))]
    public async Task Body_WithARequestInIt_IsNoRequest(string what)
    {
        await using var rig = await GatewayRig.StartAsync(state => (state.SoldOut, state.User) = (true, what.StartsWith("refused by the session", StringComparison.Ordinal) ? EdgeState.Once(1) : (50, 200)));
        var (path, body) = what switch
        {
            "sold out" => (GatewayRig.Orders, $$"""{"token":"{{rig.Token("alice")}}"}"""),
            "refused by the token" => (GatewayRig.Orders, """{"token":"nonsense"}"""),
            "answered here" => ("/icon.svg", Hidden),
            "too large" => (GatewayRig.Orders, string.Concat(Enumerable.Repeat(Hidden, 200))),
            _ => ("/api/v1/other", Hidden),
        };
        var session = $"Authorization: Bearer {GatewayRig.Session("alice")}\r\nContent-Type: application/json\r\n";
        await rig.TalkAsync($"GET /api/v1/other HTTP/1.1\r\nHost: a\r\n{session}Connection: close\r\n\r\n");
        rig.Application.Requests.Clear();

        foreach (var framed in new[] { $"Content-Length: {body.Length}\r\n\r\n{body}", $"Transfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n" })
        {
            var answer = await rig.TalkAsync($"POST {path} HTTP/1.1\r\nHost: a\r\n{session}{framed}GET /legal HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            Assert.InRange(answer.Split("HTTP/1.1 ").Length - 1, 1, 2);
        }

        Assert.DoesNotContain(rig.Application.Requests, arrived => arrived.Line.Contains("/hidden", StringComparison.Ordinal));
        Assert.InRange(rig.Application.Requests.Count(arrived => arrived.Line.Contains("/legal", StringComparison.Ordinal)), what == "too large" ? 0 : 2, 2);
    }

    [Fact]
    public async Task Chunks_OfALegalBody_ArriveAsOneBodyWithALength()
    {
        await using var rig = await GatewayRig.StartAsync();

        await rig.TalkAsync("POST /api/v1/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2;ext=\"a\"\r\nab\r\n3\r\ncde\r\n0\r\nTrailer: x\r\n\r\n");

        var arrived = Assert.Single(rig.Application.Requests);
        Assert.Equal(("5", null, "abcde"), (arrived.Header("Content-Length"), arrived.Header("Transfer-Encoding"), arrived.Body));
    }

    [Fact]
    public async Task Lines_ThatEndWithoutACarriageReturn_ArriveAsOneRequest()
    {
        await using var rig = await GatewayRig.StartAsync();

        await rig.TalkAsync($"POST /api/v1/other HTTP/1.1\nHost: a\nContent-Length: {Hidden.Length}\nConnection: close\n\n{Hidden}");

        var arrived = Assert.Single(rig.Application.Requests);
        Assert.Equal((Hidden.Length.ToString(), Hidden), (arrived.Header("Content-Length"), arrived.Body));
        Assert.DoesNotContain("\n", arrived.Head.Replace("\r\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_InOneWrite_AreEachDecidedInOrder()
    {
        await using var rig = await GatewayRig.StartAsync(state => state.Address = EdgeState.Once(3));
        const string Get = "GET /api/v1/other HTTP/1.1\r\nHost: a\r\n";

        var answer = await rig.TalkAsync(string.Concat(Enumerable.Repeat(Get + "\r\n", 5)) + Get + "Connection: close\r\n\r\n");

        Assert.Equal(["200", "200", "200", "429", "429", "429"], answer.Split("HTTP/1.1 ").Skip(1).Select(part => part[..3]));
        Assert.Equal(3, rig.Application.Requests.Count);
    }

    [Fact]
    public async Task Upgrade_AndConnectionHeaders_GoNoFurther()
    {
        await using var rig = await GatewayRig.StartAsync();

        await rig.TalkAsync("GET /api/v1/other HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, X-Forwarded-For, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n");

        await Eventually.HoldsAsync(() => !rig.Application.Requests.IsEmpty, "it arrives");
        var arrived = Assert.Single(rig.Application.Requests);
        Assert.Equal((null, null, "127.0.0.1"), (arrived.Header("Connection"), arrived.Header("Upgrade"), arrived.Header("X-Forwarded-For")));
    }

    // ---- too much ----

    [Theory]
    [InlineData("GET /{9000} HTTP/1.1\r\nHost: a\r\n\r\n", "414", "malformed-request")]
    [InlineData("GET /api/v1/other HTTP/1.1\r\nHost: a\r\nX: {9000}\r\n\r\n", "431", "malformed-request")]
    [InlineData("GET /api/v1/other HTTP/1.1\r\nHost: a\r\nX: {8000}\r\nY: {8000}\r\nZ: {8000}\r\n\r\n", "431", "malformed-request")]
    [InlineData("POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n", "413", "body-too-large")]
    [InlineData("POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1001\r\n{4097}\r\n0\r\n\r\n", "413", "body-too-large")]
    [InlineData("POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n", "413", "body-too-large")]
    [InlineData("POST /api/v1/admin/sales HTTP/1.1\r\nHost: a\r\nContent-Length: 600000\r\n\r\n", "413", "body-too-large")]
    [InlineData("garbage\r\n\r\n", "400", "malformed-request")]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\r\n\r\n", "400", "malformed-request")]
    public async Task Request_ThatIsTooMuch_IsAProblemDocument(string request, string status, string code)
    {
        await using var rig = await GatewayRig.StartAsync();
        request = System.Text.RegularExpressions.Regex.Replace(request, @"\{(\d+)\}", match => new string('x', int.Parse(match.Groups[1].Value)));

        var answer = await rig.TalkAsync(request, closes: true);

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/problem+json", answer, StringComparison.Ordinal);
        Assert.Contains($"\"status\":{status},\"code\":\"{code}\",\"effect\":\"none\"", answer, StringComparison.Ordinal);
        Assert.Empty(rig.Application.Requests);
    }

    [Fact]
    public async Task Request_AsLargeAsIsAllowed_IsPassedOn()
    {
        await using var rig = await GatewayRig.StartAsync();

        var heads = await rig.TalkAsync($"GET /api/v1/other HTTP/1.1\r\nHost: a\r\nX: {new string('x', 8_000)}\r\nY: {new string('x', 7_000)}\r\nConnection: close\r\n\r\n");
        var body = await rig.TalkAsync($"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 4096\r\nConnection: close\r\n\r\n{new string('x', 4_096)}");
        var admin = await rig.TalkAsync($"POST /api/v1/admin/sales HTTP/1.1\r\nHost: a\r\nContent-Length: 524288\r\nConnection: close\r\n\r\n{new string('x', 524_288)}");

        Assert.All(new[] { heads, body, admin }, answer => Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal));
        Assert.Equal([0, 4_096, 524_288], rig.Application.Requests.Select(arrived => Encoding.Latin1.GetByteCount(arrived.Body)));
    }
}
