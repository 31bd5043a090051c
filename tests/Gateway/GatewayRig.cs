using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Tests.Server;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>A gateway of a test's own in front of a <see cref="StubApplication"/>, which says the state that the test wants.</summary>
internal sealed class GatewayRig : IAsyncDisposable
{
    public const string Orders = "/api/v1/orders";

    /// <summary>The gateway refuses from a state that it asked for half a second ago at the most (gate_sale.lua).</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(450);

    /// <summary>What the gateway may take to read what it was told: far more than it takes, and together with the time between two questions less than the other.</summary>
    private static readonly TimeSpan Reading = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly List<HttpClient> clients = [];
    private HttpClient? shared;

    private GatewayRig(Nginx nginx, StubApplication application, EdgeState state)
    {
        Nginx = nginx;
        Application = application;
        State = state;
    }

    public static byte[] SessionKey { get; } = RandomNumberGenerator.GetBytes(32);

    public static byte[] TokenKey { get; } = RandomNumberGenerator.GetBytes(32);

    public static byte[] PreviousTokenKey { get; } = RandomNumberGenerator.GetBytes(48);

    public Nginx Nginx { get; }

    public StubApplication Application { get; }

    public EdgeState State { get; }

    /// <param name="set">What is to be different from the start on.</param>
    /// <param name="site">The same of the gateway's own settings.</param>
    public static async Task<GatewayRig> StartAsync(Action<EdgeState>? set = null, Func<NginxSite, NginxSite>? site = null)
    {
        var state = new EdgeState();
        state.SetNoOrders();
        set?.Invoke(state);
        var application = new StubApplication { State = state.Write };
        var settings = NginxSite.Of(application.Port) with
        {
            SessionKey = Convert.ToBase64String(SessionKey),
            TokenKeys = [Convert.ToBase64String(TokenKey), Convert.ToBase64String(PreviousTokenKey)],
        };
        var rig = new GatewayRig(await Nginx.StartAsync(site?.Invoke(settings) ?? settings), application, state);
        await Eventually.HoldsAsync(
            async () => !(await rig.GetAsync("/gateway/metrics")).Body.Contains("state_age_seconds +Inf", StringComparison.Ordinal), "the gateway knows the state");
        await rig.KnowsClockAsync();
        application.Requests.Clear();
        return rig;
    }

    /// <summary>The clock is not learned from an answer that took long (poller.lua), and until it is known tokens of any age are passed on.</summary>
    private async Task KnowsClockAsync()
    {
        var asked = 0;
        await Eventually.HoldsAsync(
            async () =>
            {
                // Of addresses that nobody else uses: a test counts the permits of its own.
                using var client = Client($"127.200.{asked / 250}.{(asked++ % 250) + 1}");
                return (await SendAsync(HttpMethod.Get, "/api/v1/time", null, client: client)).Body.Contains("\"epochMs\":", StringComparison.Ordinal);
            },
            "the gateway knows the application's clock");
    }

    /// <summary>
    /// Asks until the gateway has decided. It does so only from a fresh state: a request that it passed on while this machine stood still, so that it had none, proves
    /// nothing; it is forgotten, and asked again.
    /// </summary>
    public async Task<GatewayReply> DecidedAsync(Func<Task<GatewayReply>> ask)
    {
        var time = TimeProvider.System;
        long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
        for (var since = time.GetTimestamp(); ;)
        {
            var sent = time.GetTimestamp();
            var reply = await ask();
            var knew = Application.ToldState(askedAfter: time.GetTimestamp() - Ticks(Fresh), answeredBefore: sent - Ticks(Reading));
            if (!reply.WasPassedOn || knew || time.GetElapsedTime(since) > Patience)
            {
                return reply;
            }

            Application.ForgetLast();
            await Task.Delay(50);
        }
    }

    /// <summary>Refused by the gateway, with this problem, when it knows the state.</summary>
    public async Task<GatewayReply> RefusedAsync(Func<Task<GatewayReply>> ask, ProblemCode code) => (await DecidedAsync(ask)).ExpectProblem(code);

    /// <summary>Refused by the gateway because of what the state says of the sale.</summary>
    public Task<GatewayReply> OrderRefusedAsync(ProblemCode code) => RefusedAsync(() => OrderAsync("alice", Token("alice")), code);

    /// <summary>A token of this age, which is too young, is refused. It grows older on its way: when that was long, it proves nothing.</summary>
    public async Task TooYoungAsync(TimeSpan age)
    {
        for (var attempt = 1; ; attempt++)
        {
            var since = TimeProvider.System.GetTimestamp();
            var reply = await OrderAsync("alice", Token("alice", age));
            if (!reply.WasPassedOn || TimeProvider.System.GetElapsedTime(since) + age < TimeSpan.FromMilliseconds(800) || attempt == 50)
            {
                reply.ExpectProblem(ProblemCode.OrderTokenRejected);
                return;
            }

            Application.ForgetLast();
        }
    }

    /// <summary>The state of this moment is known to every worker.</summary>
    public async Task KnowsStateAsync()
    {
        // The question under way may have had its answer already: two more must have been asked, and their answers read.
        const string Read = """flashsale_gateway_state_polls_total{result="read"}""";
        var before = await MetricAsync(Read);
        await Eventually.HoldsAsync(async () => await MetricAsync(Read) >= before + 2, "the gateway knows the state");
    }

    /// <summary>From an address of this machine's own.</summary>
    public HttpClient Client(string address = "127.0.0.1")
    {
        var handler = new SocketsHttpHandler
        {
            UseCookies = false,
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectCallback = async (context, cancellation) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        var client = new HttpClient(handler) { BaseAddress = Nginx.Address, Timeout = TimeSpan.FromSeconds(15) };
        lock (clients)
        {
            clients.Add(client);
        }

        return client;
    }

    /// <summary>A session token of RFC 7515, with claims that a test may change.</summary>
    public static string Session(string user, byte[]? key = null, object? claims = null, string head = """{"alg":"HS256","typ":"JWT"}""")
    {
        var expires = TimeProvider.System.GetUtcNow().AddHours(12).ToUnixTimeSeconds();
        var body = JsonSerializer.SerializeToUtf8Bytes(claims ?? new { iss = "flashsale", aud = "flashsale", sub = user, exp = expires });
        var signed = $"{Base64Url(Encoding.UTF8.GetBytes(head))}.{Base64Url(body)}";
        return $"{signed}.{Base64Url(HMACSHA256.HashData(key ?? SessionKey, Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>An order token for the offer of the state, as old as is said.</summary>
    public string Token(string user, TimeSpan age, byte[]? key = null, OrderId? order = null, long sale = EdgeState.Sale, long offer = EdgeState.Offer)
    {
        var tokens = new OrderTokens(key ?? TokenKey, [], TokenAges.Default);
        return tokens.Create(new OrderToken(
            State.Now - age, order ?? OrderId.Create(TimeProvider.System.GetUtcNow()), new SaleId(sale), new OfferId(offer), UserId.Parse(user)));
    }

    public string Token(string user) => Token(user, TimeSpan.FromSeconds(5));

    public Task<GatewayReply> OrderAsync(string user, string token) => PostAsync(Orders, user, $$"""{"token":"{{token}}"}""");

    public Task<GatewayReply> PostAsync(string path, string? user, string body, string type = "application/json") =>
        SendAsync(HttpMethod.Post, path, user is null ? null : Session(user), new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue(type)));

    public Task<GatewayReply> GetAsync(string path, params IReadOnlyList<(string Name, string Value)> headers) => SendAsync(HttpMethod.Get, path, null, null, headers);

    public async Task<GatewayReply> SendAsync(
        HttpMethod method, string path, string? session, HttpContent? content = null, IReadOnlyList<(string Name, string Value)>? headers = null, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        if (session is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + session);
        }

        foreach (var (name, value) in headers ?? [])
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await (client ?? (shared ??= Client())).SendAsync(request);
        return new GatewayReply(
            await Reply.ReadAsync(response),
            response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>A metric of the gateway by its name with labels; 0 when it is not there. Workers add theirs up ten times a second.</summary>
    public async Task<long> MetricAsync(string name)
    {
        await Task.Delay(150);
        var text = (await GetAsync("/gateway/metrics")).Expect(HttpStatusCode.OK).Body;
        var line = text.Split('\n').FirstOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line[(name.Length + 1)..]);
    }

    /// <summary>The metric has this value, once each worker has added its own up.</summary>
    public async Task MetricIsAsync(string name, long value)
    {
        var (since, found) = (TimeProvider.System.GetTimestamp(), -1L);
        while ((found = await MetricAsync(name)) != value && TimeProvider.System.GetElapsedTime(since) < Patience)
        {
        }

        Assert.True(found == value, $"{name} is {found} and not {value}");
    }

    /// <summary>Bytes on a connection of their own, and all that comes back until the gateway closes it or is silent: for long, where it is to close it.</summary>
    public async Task<string> TalkAsync(string text, bool closes = false)
    {
        var silence = closes || text.Contains("Connection: close", StringComparison.Ordinal) ? Patience : TimeSpan.FromMilliseconds(400);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Nginx.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text));
        var answer = new StringBuilder();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            using var patience = new CancellationTokenSource(silence);
            try
            {
                var read = await stream.ReadAsync(buffer, patience.Token);
                if (read == 0)
                {
                    return answer.ToString();
                }

                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
            catch (Exception ended) when (ended is IOException or OperationCanceledException)
            {
                return answer.ToString();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients)
        {
            client.Dispose();
        }

        var log = Nginx.ErrorLog;
        await Nginx.DisposeAsync();
        await Application.DisposeAsync();
        // What is refused leaves no line, and no module may break.
        Assert.DoesNotContain("lua entry thread aborted", log, StringComparison.Ordinal);
        Assert.DoesNotContain("runtime error", log, StringComparison.Ordinal);
    }

    private static string Base64Url(ReadOnlySpan<byte> bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}

/// <summary>A <see cref="Reply"/> with its headers.</summary>
internal sealed record GatewayReply(Reply Reply, IReadOnlyDictionary<string, string> Headers)
{
    public HttpStatusCode Status => Reply.Status;

    public string Body => Reply.Body;

    public GatewayReply Expect(HttpStatusCode status)
    {
        Reply.Expect(status);
        return this;
    }

    /// <summary>A problem document that says exactly what the application's list of problems says of this code.</summary>
    public GatewayReply ExpectProblem(ProblemCode code)
    {
        var kind = Problems.Of(code);
        Reply.ExpectProblem((HttpStatusCode)kind.Status, kind.Code, kind.Effect.ToString().ToLowerInvariant());
        Assert.Equal(kind.Title, Reply.Text("title"));
        Assert.Equal("no-store", Headers["Cache-Control"]);
        return this;
    }

    public bool WasPassedOn => Status == HttpStatusCode.OK && Body == "{}";
}
