using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;

using FlashSale.Core.Wire;
using FlashSale.Tests.Server;
using FlashSale.Tools;
using FlashSale.Tools.History;
using FlashSale.Tools.Load;
using FlashSale.Tools.Verify;

using Xunit;

namespace FlashSale.Tests.Crash;

/// <summary>
/// A sale on a real server, and the calls of everybody in it. Each call is in the history, whatever became of it; at the end the auditor compares that with
/// the ledger.
/// </summary>
internal sealed class RecordedShop : IAsyncDisposable
{
    public const int PaymentWindowSeconds = 2;
    private const long Price = 9_900;
    private const string OperatorId = "olga";
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly string[] ExpectedRefusals = ["sold-out", "order-not-payable", "order-not-cancellable", "purchase-limit-reached"];

    private readonly TestServer server;
    private readonly TemporaryFolder folder = new();
    private readonly HttpClient http;
    private readonly HistoryWriter history;
    private readonly ConcurrentDictionary<string, int> answered = new();
    private readonly ConcurrentDictionary<string, string> sessions = new();

    private RecordedShop(TestServer server, HistorySale sale, Uri? front)
    {
        this.server = server;
        Sale = sale;
        Offers = [.. sale.Offers.Select(offer => new OfferProgress(offer.Id, (int)offer.Stock))];
        http = new HttpClient(new SocketsHttpHandler { UseCookies = false, UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(2) })
        {
            BaseAddress = front ?? server.Address,
            Timeout = CallTimeout,
        };
        history = new HistoryWriter(HistoryFile, new HistoryHeader
        {
            Target = server.Address.ToString(),
            StartedAt = Now,
            // One machine, one clock; what remains is that the ledger counts milliseconds.
            ClockError = 1_000,
            Sales = [sale],
        });
    }

    public HistorySale Sale { get; }

    public IReadOnlyList<OfferProgress> Offers { get; }

    /// <summary>Answers that no fault explains: neither a success, nor an expected refusal, nor a 503 that says what it left behind.</summary>
    public ConcurrentQueue<string> Unexpected { get; } = new();

    /// <summary>Answers with status 503, as code and effect.</summary>
    public ConcurrentQueue<(string? Code, string? Effect)> Unavailable { get; } = new();

    private string HistoryFile => folder.File("history.jsonl");

    private static long Now => (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>A sale that is open, with as many units of each offer.</summary>
    /// <param name="front">Where shoppers go instead, such as a balancer in front of several instances; null to the server itself.</param>
    public static async Task<RecordedShop> OpenAsync(TestServer server, int offers, int stock, int perUserLimit, Uri? front = null)
    {
        var created = await DraftAsync(server, offers, stock, perUserLimit);
        using var published = await server.Operator(OperatorId).PostAsync(
            new Uri($"/api/v1/admin/sales/{created.Id}/publication", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.OK, published.StatusCode);
        return await OpenAsync(server, created, stock, perUserLimit, front);
    }

    /// <summary>The shop of a sale that was published already.</summary>
    public static async Task<RecordedShop> OpenAsync(TestServer server, SaleDocument sale, int stock, int perUserLimit, Uri? front = null)
    {
        var shop = new RecordedShop(server, new HistorySale
        {
            Id = sale.Id,
            Slug = sale.Slug,
            OpensAt = sale.OpensAt.ToUnixTimeMilliseconds() * 1_000,
            PaymentWindowSeconds = PaymentWindowSeconds,
            Offers = [.. sale.Offers.Select(offer => new HistoryOffer(offer.Id, stock, perUserLimit, Price))],
        }, front);
        var now = Now;
        await shop.history.WriteAsync(new HistoryRecord
        {
            Op = HistoryOps.AdminPrefix + "publish",
            At = now,
            Sent = now,
            End = now,
            User = OperatorId,
            Sale = sale.Id,
            Subject = sale.Id,
            Status = 200,
        });
        return shop;
    }

    public static async Task<SaleDocument> DraftAsync(TestServer server, int offers, int stock, int perUserLimit)
    {
        var now = TimeProvider.System.GetUtcNow();
        var title = new { zh = "优惠券", en = "Coupons" };
        var body = JsonSerializer.SerializeToUtf8Bytes(new
        {
            slug = $"crash-{Guid.NewGuid():N}",
            title,
            opensAt = now.AddSeconds(-1).UtcDateTime,
            closesAt = now.AddHours(1).UtcDateTime,
            requiresReservation = false,
            paymentWindowSeconds = PaymentWindowSeconds,
            offers = Enumerable.Range(0, offers).Select(i => new
            {
                sku = $"sku-{i}",
                title,
                faceValue = new { amount = 3_000_000, currency = "CNY" },
                price = new { amount = Price, currency = "CNY" },
                stock,
                perUserLimit,
                validFrom = now.UtcDateTime,
                validUntil = now.AddDays(30).UtcDateTime,
            }),
        });
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var created = await server.Operator(OperatorId).PostAsync(new Uri("/api/v1/admin/sales", UriKind.Relative), content);
        var text = await created.Content.ReadAsStringAsync();
        Assert.True(created.StatusCode == HttpStatusCode.Created, text);
        return JsonSerializer.Deserialize(text, WireJson.Default.SaleDocument)!;
    }

    /// <summary>How many calls of this kind were answered with success.</summary>
    public int Succeeded(string op) => answered.GetValueOrDefault(op);

    public async Task ReachAsync(Func<bool> reached, CancellationToken over)
    {
        while (!reached())
        {
            await Task.Delay(2, over);
        }
    }

    // ---- what shoppers do ----

    public Task<Answer> GetTokenAsync(string user, OfferProgress offer) => SendAsync(new HistoryCall(HistoryOps.Token, user)
    {
        Path = $"/api/v1/offers/{offer.Id}/order-tokens",
        Offer = offer.Id,
    });

    public Task<Answer> OrderAsync(string user, OfferProgress offer, string token) => SendAsync(new HistoryCall(HistoryOps.Order, user)
    {
        Path = "/api/v1/orders",
        Offer = offer.Id,
        Token = HistoryRecord.Fingerprint(token),
        Body = JsonSerializer.SerializeToUtf8Bytes(new { token }),
    });

    public Task<Answer> ReadAsync(string user, OfferProgress offer, string order) => SendAsync(new HistoryCall(HistoryOps.Read, user)
    {
        Method = HttpMethod.Get,
        Path = $"/api/v1/orders/{order}",
        Offer = offer.Id,
        Order = order,
    });

    public Task<Answer> CancelAsync(string user, OfferProgress offer, string order) => SendAsync(new HistoryCall(HistoryOps.Cancel, user)
    {
        Path = $"/api/v1/orders/{order}/cancellation",
        Offer = offer.Id,
        Order = order,
    });

    public Task<Answer> StartPaymentAsync(string user, OfferProgress offer, string order) => SendAsync(new HistoryCall(HistoryOps.Pay, user)
    {
        Path = $"/api/v1/orders/{order}/payments",
        Offer = offer.Id,
        Order = order,
    });

    /// <summary>The callback of the payment provider, signed with its secret.</summary>
    public Task<Answer> ConfirmPaymentAsync(string user, OfferProgress offer, string order, string payment)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new { paymentId = payment, orderId = order, amount = new { amount = Price, currency = "CNY" }, status = "paid" });
        return SendAsync(new HistoryCall(HistoryOps.PayPage, user)
        {
            Path = "/api/v1/payment-callbacks/sandbox",
            Offer = offer.Id,
            Order = order,
            Body = body,
            Signature = Convert.ToBase64String(HMACSHA256.HashData(server.SandboxSecret, body)),
        });
    }

    // ---- the end ----

    /// <summary>
    /// All that was promised is kept, and every unit of every offer is sold. The auditor speaks first, also when <paramref name="shopping"/> came to no end: it knows why.
    /// </summary>
    public async Task AssertAllSoldAndAllPromisesHoldAsync(Task shopping)
    {
        var endless = await Record.ExceptionAsync(() => shopping);
        var report = await AuditAsync();
        Assert.True(report.ExitCode == ExitCodes.Holds, Describe(report));
        Assert.True(Unexpected.IsEmpty, string.Join('\n', Unexpected.Distinct().Take(10)));
        Assert.True(endless is null, $"The shopping came to no end: {endless}");
        var text = await server.Operator().GetStringAsync(new Uri($"/api/v1/admin/sales/{Sale.Id}/reconciliation", UriKind.Relative));
        var offers = JsonSerializer.Deserialize(text, WireJson.Default.ReconciliationDocument)!.Offers;
        Assert.Equal(Offers.Count, offers.Count);
        Assert.All(offers, offer => Assert.True(offer.Sold == offer.Initial && offer is { Available: 0, Held: 0, GateStock: 0, GatePending: 0 }, text));
    }

    public async Task<AuditReport> AuditAsync()
    {
        await history.DisposeAsync();
        return await new Auditor(server.Address, Convert.FromBase64String(server.AuthKey), TimeProvider.System).RunAsync(HistoryFile);
    }

    public async ValueTask DisposeAsync()
    {
        await history.DisposeAsync();
        http.Dispose();
        folder.Dispose();
    }

    private static string Describe(AuditReport report) => report.Verdict + "\n" + string.Join('\n', report.Findings
        .Where(finding => finding.State == FindingState.Violated)
        .Select(finding => $"{finding.Id} {finding.Title}: {finding.Figures}\n  {string.Join("\n  ", finding.Examples)}"));

    private sealed record HistoryCall(string Op, string User)
    {
        public HttpMethod Method { get; init; } = HttpMethod.Post;
        public required string Path { get; init; }
        public string? Offer { get; init; }
        public string? Order { get; init; }
        public string? Token { get; init; }
        public byte[]? Body { get; init; }
        public string? Signature { get; init; }
    }

    private async Task<Answer> SendAsync(HistoryCall call)
    {
        var answer = new Answer();
        var sent = Now;
        try
        {
            using var request = new HttpRequestMessage(call.Method, new Uri(call.Path, UriKind.Relative));
            if (call.Body is not null)
            {
                request.Content = new ByteArrayContent(call.Body);
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            }

            request.Headers.TryAddWithoutValidation(
                call.Signature is null ? "Authorization" : "X-Signature",
                call.Signature ?? "Bearer " + sessions.GetOrAdd(call.User, user => server.CreateSession(user)));
            using var response = await http.SendAsync(request);
            answer.Read(await response.Content.ReadAsByteArrayAsync());
            answer.Status = (int)response.StatusCode;
        }
        catch (OperationCanceledException)
        {
            answer.Code = "timeout";
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            answer.Code = "transport";
        }

        await RecordAsync(call, answer, sent);
        return answer;
    }

    private async Task RecordAsync(HistoryCall call, Answer answer, long sent)
    {
        await history.WriteAsync(new HistoryRecord
        {
            Op = call.Op,
            At = sent,
            Sent = sent,
            End = Now,
            User = call.User,
            Sale = Sale.Id,
            Offer = call.Offer,
            Token = call.Token ?? (answer.Token is null ? null : HistoryRecord.Fingerprint(answer.Token)),
            Status = answer.Status,
            Code = answer.Code,
            Effect = answer.Effect,
            Order = call.Order ?? (call.Op == HistoryOps.Order && answer.IsSuccess ? answer.Id : null),
            State = answer.IsSuccess ? answer.State : null,
            Coupon = answer.Coupon,
            Payment = call.Op == HistoryOps.Pay && answer.IsSuccess ? answer.Id : null,
        });
        if (answer.IsSuccess)
        {
            answered.AddOrUpdate(call.Op, 1, (_, count) => count + 1);
        }
        else if (answer.Status == 503)
        {
            Unavailable.Enqueue((answer.Code, answer.Effect));
        }

        if (!answer.IsSuccess && answer.Status is not (0 or 503) && !ExpectedRefusals.Contains(answer.Code))
        {
            Unexpected.Enqueue($"{call.Op} of {call.User}: {answer.Status} {answer.Code}, effect {answer.Effect}, order {call.Order}");
        }
    }
}

/// <summary>What the shoppers know of an offer.</summary>
internal sealed class OfferProgress(string id, int stock)
{
    private int paid;

    public string Id { get; } = id;

    public bool AllSold => Volatile.Read(ref paid) >= stock;

    public void CountPaid() => Interlocked.Increment(ref paid);
}
