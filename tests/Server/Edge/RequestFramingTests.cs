using System.Net;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

/// <summary>
/// Where a request ends, when it is written so that two readers could disagree (RFC 9112, section 11.2): each form is refused, or read in one way, and what
/// might be taken for a second request is not carried out. The second request would place an order.
/// </summary>
public sealed class RequestFramingTests(FramingShop shop) : IClassFixture<FramingShop>
{
    private const string Empty = "0\r\n\r\n";

    [Theory]
    // The length is said twice, or in no number.
    [InlineData("Content-Length: 5\r\nContent-Length: 5")]
    [InlineData("Content-Length: 5, 5")]
    [InlineData("Content-Length: 0x5")]
    [InlineData("Content-Length: 5 5")]
    [InlineData("Content-Length: 5;q=1")]
    [InlineData("Content-Length: 5.0")]
    [InlineData("Content-Length: 18446744073709551621")]
    [InlineData("Content-Length: ")]
    [InlineData("Content-Length : 5")]
    [InlineData(" Content-Length: 5")]
    // A coding that one reader knows and another does not.
    [InlineData("Transfer-Encoding: xchunked")]
    [InlineData("Transfer-Encoding: chunked, identity")]
    [InlineData("Transfer-Encoding: chunked;q=1")]
    [InlineData("Transfer-Encoding: \"chunked\"")]
    [InlineData("Transfer-Encoding: identity")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding: identity, chunked")]
    [InlineData("X: y\nTransfer-Encoding: chunked")]
    [InlineData("X: y\nContent-Length: 5")]
    [InlineData("X: y\n")]
    [InlineData("Transfer-Encoding : chunked")]
    [InlineData("Transfer-Encoding\t: chunked")]
    [InlineData("Transfer-Encoding:\u000bchunked")]
    [InlineData("Transfer-Encoding: chunked\u0000")]
    [InlineData("X: y\rTransfer-Encoding: chunked")]
    [InlineData("X: y\r\n Transfer-Encoding: chunked")]
    [InlineData("X: y\u0000z\r\nTransfer-Encoding: chunked")]
    public async Task Head_ThatTwoReadersTakeDifferently_IsRefusedAndTheConnectionEnds(string lines) =>
        await AssertRefusedAsync($"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\n{shop.Authorization}Content-Type: application/json\r\n{lines}\r\n\r\n{Empty}");

    [Theory]
    [InlineData("10000000000000005\r\nhello\r\n")]
    [InlineData("fffffffffffffffb\r\nhello\r\n")]
    [InlineData("80000005\r\nhello\r\n")]
    [InlineData("0x5\r\nhello\r\n")]
    [InlineData("+5\r\nhello\r\n")]
    [InlineData("5 5\r\nhello\r\n")]
    [InlineData("5\nhello\r\n")]
    [InlineData("5\r\nhello\n")]
    [InlineData("5\r\nhelloXX")]
    [InlineData("5;a\nb\r\nhello\r\n")]
    [InlineData("\r\n5\r\nhello\r\n")]
    [InlineData("5\r\r\nhello\r\n")]
    public async Task Chunks_ThatTwoReadersTakeDifferently_AreRefusedAndTheConnectionEnds(string chunks) =>
        await AssertRefusedAsync(
            $"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\n{shop.Authorization}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{Empty}");

    [Theory]
    [InlineData("POST http://b/api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("POST //b/api/v1/orders HTTP/1.1 x\r\nHost: a\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nHost : b\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("POST /api/v1/orders HTTP/1.1\r\nHost: a@b/c\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("POST /api/v1/orders\u0000 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("POST /api/v1/orders HTTP/1.2\r\nHost: a\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("POST /api/v1/orders\r\nHost: a\r\nContent-Length: 0\r\n\r\n")]
    public async Task RequestLine_ThatTwoReadersTakeDifferently_IsRefusedAndTheConnectionEnds(string request) => await AssertRefusedAsync(request);

    [Theory]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 5")]
    public async Task Head_WithALengthBesideItsChunks_EndsTheConnection(string lines) =>
        await AssertRefusedAsync($"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\n{shop.Authorization}Content-Type: application/json\r\n{lines}\r\n\r\n{Empty}");

    /// <summary>Refused, or read as what it says: then what follows is the next request to every reader, and has a caller of its own.</summary>
    [Fact]
    public async Task Head_WithASignBeforeItsLength_IsRefusedOrReadInOneWay()
    {
        var answers = await RawHttp.TalkAsync(
            shop.Address, $"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\n{shop.Authorization}Content-Type: application/json\r\nContent-Length: +5\r\n\r\n{Empty}{shop.OrderRequest()}");

        Assert.True(answers.Closed, answers.ToString());
        Assert.InRange(answers.Statuses.First(), 400, 499);
        Assert.True(answers.All.Count == 1 || answers.Statuses.Skip(1).Single() is 200 or 201, answers.ToString());
    }

    /// <summary>Of HTTP/2 without its handshake nothing is answered.</summary>
    [Fact]
    public async Task Preface_OfHttp2_EndsTheConnection()
    {
        var before = await shop.DecisionsAsync();

        var answers = await RawHttp.TalkAsync(shop.Address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + shop.OrderRequest());

        Assert.True(answers.Closed && answers.All.Count <= 1 && answers.Statuses.All(status => status >= 400), answers.ToString());
        Assert.Equal(before, await shop.DecisionsAsync());
    }

    /// <summary>The length decides, whatever the body looks like: the second request is a body and nothing else.</summary>
    [Theory]
    [InlineData("GET", "/api/v1/time", 200)]
    [InlineData("GET", "/api/v1/nothing", 404)]
    [InlineData("POST", "/api/v1/nothing", 404)]
    [InlineData("CONNECT", "/api/v1/time", 405)]
    [InlineData("DELETE", "/api/v1/orders", 405)]
    public async Task Body_ThatLooksLikeARequest_IsNone(string method, string path, int status)
    {
        var before = await shop.DecisionsAsync();
        var smuggled = shop.OrderRequest();

        var answers = await RawHttp.TalkAsync(
            shop.Address,
            $"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {smuggled.Length}\r\n\r\n{smuggled}GET /api/v1/time HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.True(answers.Closed, answers.ToString());
        Assert.Equal(status, answers.Statuses.First());
        // After a method or a body that it does not take the server may end the connection; what it reads then is the true next request.
        Assert.True(answers.All.Count == 1 || answers.Statuses.Skip(1).SequenceEqual([200]), answers.ToString());
        Assert.Equal(before, await shop.DecisionsAsync());
    }

    [Theory]
    [InlineData("GET /api/v1/time HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")]
    [InlineData("GET /api/v1/time HTTP/1.0\r\n\r\n")]
    public async Task Request_AfterTheLastOne_IsNotSeen(string last)
    {
        var before = await shop.DecisionsAsync();

        var answers = await RawHttp.TalkAsync(shop.Address, last + shop.OrderRequest());

        Assert.True(answers is { Closed: true, All.Count: 1 }, answers.ToString());
        Assert.Equal(before, await shop.DecisionsAsync());
    }

    [Fact]
    public async Task Requests_AHundredInOnePacket_AreAnsweredInOrderAndCountedOnce()
    {
        const int Requests = 100;
        var (before, placedBefore) = (await shop.DecisionsAsync(), await shop.DecisionsAsync("placed"));
        var tokens = await shop.TokensAsync(Requests);

        var answers = await RawHttp.TalkAsync(shop.Address, string.Concat(tokens.Select((token, i) => shop.OrderRequest(token, close: i == Requests - 1))));

        Assert.True(answers.Closed, answers.ToString());
        Assert.Equal(Enumerable.Repeat(201, Requests), answers.Statuses);
        Assert.Equal(before + Requests, await shop.DecisionsAsync());
        Assert.Equal(placedBefore + Requests, await shop.DecisionsAsync("placed"));
        // The same token again yields the same order: so each answer belonged to its request.
        for (var i = 0; i < Requests; i += 9)
        {
            var again = await RawHttp.TalkAsync(shop.Address, shop.OrderRequest(tokens[i], close: true));
            Assert.Equal(FramingShop.OrderIn(again.All[0]), FramingShop.OrderIn(answers.All[i]));
        }
    }

    [Fact]
    public async Task Requests_InOnePacketWithARefusedOneAmongThem_AreAnsweredUpToIt()
    {
        var before = await shop.DecisionsAsync("placed");
        var tokens = await shop.TokensAsync(3);

        var answers = await RawHttp.TalkAsync(
            shop.Address, $"{shop.OrderRequest(tokens[0])}{shop.OrderRequest(tokens[1])}GET /api/v1/time HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n{shop.OrderRequest(tokens[2])}");

        Assert.True(answers.Closed, answers.ToString());
        Assert.Equal([201, 201, 400], answers.Statuses);
        Assert.Equal(before + 2, await shop.DecisionsAsync("placed"));
    }

    [Theory]
    [InlineData(98, 200)]
    [InlineData(101, 431)]
    public async Task Headers_UpToAHundred_AreTaken(int headers, int status)
    {
        var many = string.Concat(Enumerable.Range(0, headers).Select(i => $"X{i}: 1\r\n"));
        await AssertStatusAsync(status, $"GET /api/v1/time HTTP/1.1\r\nHost: a\r\n{many}Connection: close\r\n\r\n");
    }

    [Theory]
    [InlineData(15 * 1024, 200)]
    [InlineData(17 * 1024, 431)]
    public async Task Headers_UpToSixteenKilobytes_AreTaken(int bytes, int status) =>
        await AssertStatusAsync(status, $"GET /api/v1/time HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: {new string('x', bytes)}\r\n\r\n");

    [Theory]
    [InlineData(8_000, 404)]
    [InlineData(8_300, 414)]
    public async Task RequestLine_UpToEightKilobytes_IsTaken(int bytes, int status) =>
        await AssertStatusAsync(status, $"GET /{new string('x', bytes)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

    [Theory]
    [InlineData(4_000, 403)]
    [InlineData(4_200, 413)]
    public async Task OrderBody_UpToFourKilobytes_IsTaken(int bytes, int status)
    {
        var body = $$"""{"token":"{{new string('x', bytes - 12)}}"}""";
        var head = $"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{shop.Authorization}Content-Type: application/json\r\n";
        await AssertStatusAsync(status, $"{head}Content-Length: {body.Length}\r\n\r\n{body}");
        // Byte by byte: each chunk is far below any limit.
        await AssertStatusAsync(status, $"{head}Transfer-Encoding: chunked\r\n\r\n{string.Concat(body.Select(letter => $"1\r\n{letter}\r\n"))}{Empty}");
    }

    [Theory]
    [InlineData("Content-Length: 3000000")]
    [InlineData("Content-Length: 9223372036854775807")]
    public async Task Body_ThatIsFarTooLarge_IsRefusedBeforeItComes(string length)
    {
        var before = await shop.DecisionsAsync("placed");
        var answers = await RawHttp.TalkAsync(
            shop.Address, $"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\n{shop.Authorization}Content-Type: application/json\r\n{length}\r\n\r\n");

        Assert.True(answers.Closed && answers.Statuses.SequenceEqual([413]), answers.ToString());
        Assert.Equal(before, await shop.DecisionsAsync("placed"));
    }

    /// <summary>One answer, which says no; then the end; and the request behind it was not seen.</summary>
    private async Task AssertRefusedAsync(string request)
    {
        var (before, placed) = (await shop.DecisionsAsync(), await shop.DecisionsAsync("placed"));

        var answers = await RawHttp.TalkAsync(shop.Address, request + shop.OrderRequest());

        Assert.True(answers is { Closed: true, All.Count: 1 }, answers.ToString());
        Assert.InRange(answers.Statuses.Single(), 400, 505);
        Assert.Equal(placed, await shop.DecisionsAsync("placed"));
        Assert.InRange(await shop.DecisionsAsync() - before, 0, 1);
    }

    private async Task AssertStatusAsync(int status, string request)
    {
        var answers = await RawHttp.TalkAsync(shop.Address, request);
        Assert.True(answers.Closed && answers.Statuses.SequenceEqual([status]), $"{request[..40]}: {answers}");
    }
}

/// <summary>A server of its own, whose decisions nobody else adds to, and an open sale.</summary>
public sealed class FramingShop : IAsyncLifetime
{
    private TestServer server = null!;
    private ShopSale sale = null!;
    private HttpClient client = null!;
    private string session = "";
    private string token = "";
    private int shoppers;

    public Uri Address => server.Address;

    /// <summary>One header line.</summary>
    public string Authorization => $"Authorization: Bearer {session}\r\n";

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"));
        sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock: 1_000, Limit: 10));
        client = server.Anonymous();
        session = server.CreateSession("mallory");
        token = (await sale.Named("mallory").AskTokenAsync()).Expect(HttpStatusCode.Created).Text("token");
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await server.DisposeAsync();
    }

    /// <summary>A request that would place an order, and is the last one on its connection.</summary>
    public string OrderRequest() => OrderRequest((session, token), close: true);

    public string OrderRequest((string Session, string Token) of, bool close = false)
    {
        var body = $$"""{"token":"{{of.Token}}"}""";
        return $"POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {of.Session}\r\nContent-Type: application/json\r\n{(close ? "Connection: close\r\n" : "")}Content-Length: {body.Length}\r\n\r\n{body}";
    }

    /// <summary>Of as many people.</summary>
    public async Task<List<(string Session, string Token)>> TokensAsync(int count)
    {
        List<(string Session, string Token)> made = [];
        for (var i = 0; i < count; i++)
        {
            var name = $"shopper-{++shoppers}";
            made.Add((server.CreateSession(name), await sale.Named(name).TokenAsync()));
        }

        return made;
    }

    /// <summary>Requests to order that the server has decided, one way or the other.</summary>
    /// <param name="reason">Only those; null: all.</param>
    public async Task<long> DecisionsAsync(string? reason = null)
    {
        var text = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        return text.Split('\n')
            .Where(line => line.StartsWith("flashsale_decisions_total{", StringComparison.Ordinal) && (reason is null || line.Contains($"reason=\"{reason}\"", StringComparison.Ordinal)))
            .Sum(line => long.Parse(line[(line.LastIndexOf(' ') + 1)..]));
    }

    public static string OrderIn(string answer)
    {
        var at = answer.IndexOf("\"id\":\"", StringComparison.Ordinal) + 6;
        return answer[at..answer.IndexOf('"', at)];
    }
}
