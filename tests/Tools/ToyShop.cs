using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FlashSale.Tests.Tools;

/// <summary>What a <see cref="ToyShop"/> does wrong.</summary>
public enum Fault
{
    None,
    SellsOneTooMany,
    TakesForgedTokens,
    TakesYoungTokens,
    TakesStolenTokens,
    SellsWithoutReservation,
    NewOrderForEveryTry,
    LosesOrders,
    LosesUnits,
    SaysSoldOutTooSoon,
    IgnoresTheLimit,
    OrdersAndSaysNo,
    WritesNoAudit,
    IssuesNoCoupons,
    AlwaysNotOpen,
}

/// <summary>
/// A shop of the same API in a few lines, one lock and no storage, that can be told to break a promise: it shows that the tools find what
/// is wrong with a server, and nothing in one that is right.
/// </summary>
internal sealed class ToyShop : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly byte[] tokenKey = RandomNumberGenerator.GetBytes(32);
    private readonly Fault fault;
    private readonly WebApplication app;
    private readonly List<ToySale> sales = [];
    private readonly Dictionary<string, ToyOrder> orders = [];
    private readonly Dictionary<string, ToyOrder> byToken = [];
    private readonly HashSet<(string, string)> pending = [];
    private readonly HashSet<(string, string)> reserved = [];
    private readonly List<AuditDocument> audit = [];

    private ToyShop(Fault fault)
    {
        this.fault = fault;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.Run(AnswerAsync);
    }

    public byte[] AuthKey { get; } = RandomNumberGenerator.GetBytes(32);
    public string Address => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public static async Task<ToyShop> StartAsync(Fault fault)
    {
        var shop = new ToyShop(fault);
        await shop.app.StartAsync();
        return shop;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        var path = context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries).Skip(2).ToArray();
        var user = FindUser(context.Request.Headers.Authorization.ToString());
        (int Status, byte[] Body) answer;
        lock (gate)
        {
            Expire();
            answer = path switch
            {
                ["time"] => Json(200, new TimeDocument(Now, Now.ToUnixTimeMilliseconds()), WireJson.Default.TimeDocument),
                ["pay", var id] => Paid(id, body),
                _ when user is null => Problem(ProblemCode.Unauthenticated),
                ["admin", .. var rest] => Administer(context.Request.Method, rest, body, user),
                ["sales", var sale, "reservations", ..] => Reserve(sale, user),
                ["offers", var offer, "order-tokens"] => IssueToken(offer, user),
                ["orders"] => Place(body, user),
                ["orders", var id, ..] when !orders.TryGetValue(id, out var order) || order.User != user => Problem(ProblemCode.NotFound),
                ["orders", var id, "payments"] => Pay(id),
                ["orders", var id, "cancellation"] => Cancel(orders[id]),
                ["orders", var id] => Show(200, orders[id]),
                _ => Problem(ProblemCode.NotFound),
            };
        }

        context.Response.StatusCode = answer.Status;
        await context.Response.Body.WriteAsync(answer.Body);
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private (int, byte[]) Administer(string method, string[] path, string body, string user)
    {
        if (path is ["sales"])
        {
            var request = JsonSerializer.Deserialize(body, WireJson.Default.SaleRequest)!;
            var made = new ToySale($"{sales.Count + 1}", request);
            sales.Add(made);
            Audit(user, "create", made.Id);
            return Json(201, made.Describe(), WireJson.Default.SaleDocument);
        }

        if (path is ["audit"])
        {
            return Json(200, new Page<AuditDocument>(audit, null), WireJson.Default.PageAuditDocument);
        }

        var sale = sales.First(one => one.Id == path[1]);
        if (method == "POST")
        {
            Audit(user, path[2], sale.Id);
        }

        return path switch
        {
            [_, _, "readiness"] => Json(200, sale.Readiness(), WireJson.Default.ReadinessDocument),
            [_, _, "reconciliation"] => Json(200, new ReconciliationDocument(sale.Id, Now, [], []), WireJson.Default.ReconciliationDocument),
            [_, _, "export"] => (200, Encoding.UTF8.GetBytes(string.Join('\n', Export(sale).Select(line => JsonSerializer.Serialize(line, WireJson.Default.ExportLine))))),
            _ => Json(200, sale.Describe(), WireJson.Default.SaleDocument),
        };
    }

    private void Audit(string user, string action, string sale)
    {
        if (fault != Fault.WritesNoAudit)
        {
            audit.Add(new AuditDocument($"{audit.Count}", Now, user, "operator", action, sale, null, null, null, null));
        }
    }

    private IEnumerable<ExportLine> Export(ToySale sale)
    {
        foreach (var offer in sale.Offers)
        {
            yield return new ExportLine
            {
                Type = "stock",
                OfferId = offer.Id,
                Bucket = 0,
                Initial = offer.Initial,
                Adjustments = 0,
                Available = offer.Available,
                Held = offer.Held,
                Sold = offer.Sold,
                Seq = offer.Log.Count,
            };
            foreach (var change in offer.Log)
            {
                yield return change;
            }
        }

        foreach (var (order, index) in orders.Values.Select((order, index) => (order, index)))
        {
            if (order.Sale != sale || (fault == Fault.LosesOrders && index % 10 == 3))
            {
                continue;
            }

            yield return new ExportLine { Type = "order", Id = order.Id, OfferId = order.Offer.Id, UserId = order.User, Status = order.Status, CreatedAt = order.CreatedAt };
            if (order.Status == "paid")
            {
                yield return new ExportLine { Type = "payment", Id = "p" + order.Id, OrderId = order.Id, Status = "paid", Amount = order.Offer.Price };
                if (fault != Fault.IssuesNoCoupons)
                {
                    yield return new ExportLine { Type = "coupon", Code = "c" + order.Id, OrderId = order.Id, Status = "issued" };
                }
            }
        }
    }

    private (int, byte[]) Reserve(string sale, string user)
    {
        // Nobody is approved at once: shoppers have to ask again.
        if (pending.Add((sale, user)))
        {
            return Json(201, new ReservationDocument("r", sale, ReservationStatus.Pending), WireJson.Default.ReservationDocument);
        }

        reserved.Add((sale, user));
        return Json(200, new ReservationDocument("r", sale, ReservationStatus.Approved), WireJson.Default.ReservationDocument);
    }

    private bool MayBuy(ToySale sale, string user) =>
        !sale.Request.RequiresReservation || reserved.Contains((sale.Id, user)) || fault == Fault.SellsWithoutReservation;

    private (int, byte[]) IssueToken(string offerId, string user)
    {
        var sale = sales.First(one => one.Offers.Any(offer => offer.Id == offerId));
        if (!MayBuy(sale, user))
        {
            return Problem(ProblemCode.NotReserved);
        }

        var text = Encoding.UTF8.GetBytes($"{Now.ToUnixTimeMilliseconds()} {Guid.NewGuid():N} {offerId} {user}");
        var token = Base64Url.EncodeToString([.. text, .. HMACSHA256.HashData(tokenKey, text)]);
        return Json(201, new OrderTokenDocument(token, Now.AddSeconds(1), Now.AddMinutes(10)), WireJson.Default.OrderTokenDocument);
    }

    private (int, byte[]) Place(string body, string user)
    {
        if (ReadToken(body) is not [var issued, var id, var offerId, var owner] || (owner != user && fault != Fault.TakesStolenTokens))
        {
            return Problem(ProblemCode.OrderTokenRejected);
        }

        var age = Now.ToUnixTimeMilliseconds() - long.Parse(issued, CultureInfo.InvariantCulture);
        var sale = sales.First(one => one.Offers.Any(offer => offer.Id == offerId));
        if (age < 1_000 && fault != Fault.TakesYoungTokens)
        {
            return Problem(ProblemCode.OrderTokenRejected);
        }

        if (Now < sale.Request.OpensAt || fault == Fault.AlwaysNotOpen)
        {
            return Problem(ProblemCode.SaleNotOpen, sale.Request.OpensAt);
        }

        if (byToken.TryGetValue(id, out var known) && fault != Fault.NewOrderForEveryTry)
        {
            return Show(200, known);
        }

        var offer = sale.Offers.First(one => one.Id == offerId);
        var live = orders.Values.Count(order => order.Offer == offer && order.User == user && order.Status is "held" or "paid");
        if (live > 0 && fault is not (Fault.IgnoresTheLimit or Fault.NewOrderForEveryTry))
        {
            return Problem(ProblemCode.PurchaseLimitReached);
        }

        var spare = fault == Fault.SellsOneTooMany ? -1 : fault == Fault.SaysSoldOutTooSoon ? 2 : 0;
        if (offer.Available <= spare)
        {
            return Problem(ProblemCode.SoldOut);
        }

        var placed = new ToyOrder($"o{orders.Count:x8}{id[..8]}", sale, offer, user, Now, Now.AddSeconds(sale.Request.PaymentWindowSeconds));
        orders.Add(placed.Id, placed);
        byToken[id] = placed;
        offer.Write(StockChangeKind.Hold, -1, placed.Id);
        offer.Held++;
        return fault == Fault.OrdersAndSaysNo && orders.Count % 10 == 3 ? Problem(ProblemCode.Overloaded) : Show(201, placed);
    }

    private string[]? ReadToken(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var bytes = Base64Url.DecodeFromChars(document.RootElement.GetProperty("token").GetString());
            var good = HMACSHA256.HashData(tokenKey, bytes.AsSpan(0, bytes.Length - 32)).AsSpan().SequenceEqual(bytes.AsSpan(bytes.Length - 32));
            return good || fault == Fault.TakesForgedTokens ? Encoding.UTF8.GetString(bytes.AsSpan(0, bytes.Length - 32)).Split(' ') : null;
        }
        catch (Exception problem) when (problem is JsonException or FormatException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    private (int, byte[]) Pay(string id) =>
        orders[id].Status == "held"
            ? Json(201, new PaymentDocument("p" + id, PaymentStatus.Pending, $"/api/v1/pay/{id}"), WireJson.Default.PaymentDocument)
            : Problem(ProblemCode.OrderNotPayable);

    private (int, byte[]) Paid(string id, string body)
    {
        if (body == "status=paid" && orders.TryGetValue(id, out var order) && order.Status == "held")
        {
            order.Status = "paid";
            order.Offer.Held--;
            order.Offer.Sold++;
            order.Offer.Write(StockChangeKind.Sell, 0, id);
        }

        return (204, []);
    }

    private (int, byte[]) Cancel(ToyOrder order)
    {
        if (order.Status != "held")
        {
            return Problem(ProblemCode.OrderNotCancellable);
        }

        Release(order, "cancelled");
        return Show(200, order);
    }

    private void Expire()
    {
        foreach (var order in orders.Values.Where(order => order.Status == "held" && order.PayBefore < Now).ToList())
        {
            Release(order, "expired");
        }
    }

    private void Release(ToyOrder order, string status)
    {
        order.Status = status;
        if (fault == Fault.LosesUnits)
        {
            return;
        }

        order.Offer.Held--;
        order.Offer.Write(StockChangeKind.Release, 1, order.Id);
    }

    private static (int, byte[]) Show(int status, ToyOrder order) => Json(
        status,
        new OrderDocument(
            order.Id,
            order.Sale.Id,
            order.Offer.Id,
            order.User,
            JsonSerializer.Deserialize<FlashSale.Core.Orders.OrderStatus>($"\"{order.Status}\""),
            order.Offer.Price,
            order.CreatedAt,
            order.PayBefore,
            order.Status == "paid" ? new FlashSale.Core.Orders.OrderCoupon("c" + order.Id, Now, Now) : null),
        WireJson.Default.OrderDocument);

    private static (int, byte[]) Problem(ProblemCode code, DateTimeOffset? opensAt = null)
    {
        var kind = Problems.Of(code);
        return Json(kind.Status, new ProblemDocument(kind.Type, kind.Title, kind.Status, kind.Code, kind.Effect, "t", OpensAt: opensAt), WireJson.Default.ProblemDocument);
    }

    private static (int, byte[]) Json<T>(int status, T document, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        (status, JsonSerializer.SerializeToUtf8Bytes(document, type));

    private string? FindUser(string authorization)
    {
        if (authorization.Split(' ') is not ["Bearer", var token] || token.Split('.') is not [var head, var claims, var signature])
        {
            return null;
        }

        var expected = Base64Url.EncodeToString(HMACSHA256.HashData(AuthKey, Encoding.ASCII.GetBytes($"{head}.{claims}")));
        using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(claims));
        return signature == expected && document.RootElement.GetProperty("exp").GetInt64() > Now.ToUnixTimeSeconds()
            ? document.RootElement.GetProperty("sub").GetString()
            : null;
    }

    private sealed class ToyOrder(string id, ToySale sale, ToyOffer offer, string user, DateTimeOffset createdAt, DateTimeOffset payBefore)
    {
        public string Id => id;
        public ToySale Sale => sale;
        public ToyOffer Offer => offer;
        public string User => user;
        public DateTimeOffset CreatedAt => createdAt;
        public DateTimeOffset PayBefore => payBefore;
        public string Status { get; set; } = "held";
    }

    private sealed class ToyOffer
    {
        public ToyOffer(string id, OfferRequest request)
        {
            Id = id;
            Price = request.Price;
            Initial = request.Stock;
            Write(StockChangeKind.Initial, request.Stock, null);
        }

        public string Id { get; }
        public Money Price { get; }
        public int Initial { get; }
        public long Available { get; private set; }
        public long Held { get; set; }
        public long Sold { get; set; }
        public List<ExportLine> Log { get; } = [];

        public void Write(StockChangeKind kind, long delta, string? order)
        {
            Available += delta;
            Log.Add(new ExportLine { Type = "stockChange", OfferId = Id, Bucket = 0, Seq = Log.Count + 1, Kind = kind, Delta = delta, BalanceAfter = Available, OrderId = order });
        }
    }

    private sealed class ToySale(string id, SaleRequest request)
    {
        public string Id => id;
        public SaleRequest Request => request;
        public ToyOffer[] Offers { get; } = [.. request.Offers.Select((offer, index) => new ToyOffer($"{id}0{index}", offer))];

        public SaleDocument Describe() => new(
            id, request.Slug, request.Title, SalePhase.Open, request.ReservationOpensAt, request.ReservationClosesAt, request.OpensAt, request.ClosesAt,
            request.RequiresReservation, request.Ordering, request.Deduction, request.PaymentWindowSeconds,
            [.. request.Offers.Zip(Offers, (asked, offer) => new OfferDocument(
                offer.Id, asked.Sku, asked.Title, asked.FaceValue, asked.Price, asked.Stock, asked.PerUserLimit, 0, asked.ValidFrom, asked.ValidUntil))]);

        public ReadinessDocument Readiness() => new(
            id, true, [], new WarmUpDocument(id, true, Offers.Length, Offers.Length, 0, 0, Now, null),
            [.. Offers.Select(offer => new OfferReadiness(offer.Id, true, offer.Available, offer.Available, 0, 0))],
            0, new Dictionary<string, string>());
    }
}
