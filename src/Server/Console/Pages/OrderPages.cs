using System.Globalization;
using System.Runtime.CompilerServices;

using FlashSale.Core;
using FlashSale.Core.Coupons;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console.Pages;

/// <summary>What somebody looks for, as it was typed.</summary>
public sealed record OrderSearch(string Sale, string Offer, string User, string Status, string Order, string Coupon)
{
    /// <summary>The query of an address, without a cursor.</summary>
    public string Query => string.Join('&', new[] { ("sale", Sale), ("offer", Offer), ("user", User), ("status", Status), ("order", Order), ("coupon", Coupon) }
        .Where(one => one.Item2.Length > 0).Select(one => $"{one.Item1}={Uri.EscapeDataString(one.Item2)}"));

    public static OrderSearch Of(IQueryCollection query) => new(
        Text(query["sale"]), Text(query["offer"]), Text(query["user"]), Text(query["status"]), Text(query["order"]), Text(query["coupon"]));

    private static string Text(string? typed) => typed?.Trim() is { } text ? text[..Math.Min(text.Length, 2 * Limits.UserIdLength)] : "";
}

/// <param name="Errors">By field; with any of them nothing was looked for.</param>
/// <param name="More">The cursor of the next page.</param>
public sealed record OrderListModel(OrderSearch Search, IReadOnlyDictionary<string, string> Errors, IReadOnlyList<Sale> Sales, IReadOnlyList<Order> Orders, string? More);

/// <param name="Contact">Personal data: operators alone see it, and only here.</param>
/// <param name="Error">Why the last action was refused.</param>
public sealed record OrderModel(OrderHistoryDocument History, Sale? Sale, OrderContact? Contact, string? Error, string? ReasonError);

/// <summary>Orders of anybody: find one, see what happened to it, cancel it, note its refund.</summary>
public static class OrderPages
{
    private const Roles Readers = Roles.Operator | Roles.Auditor;

    public static void MapOrders(this PageMap pages)
    {
        pages.Get("/orders", Readers, ListAsync);
        pages.Get("/orders.csv", Readers, CsvAsync);
        pages.Get("/orders/{orderId}", Readers, (visit, context) => ShowAsync(visit, context, null, null, StatusCodes.Status200OK));
        pages.Post("/orders/{orderId}/cancellation", Roles.Operator, CancelAsync);
        pages.Post("/orders/{orderId}/refund", Roles.Operator, RefundAsync);
    }

    private static async Task<IResult> ListAsync(ConsoleVisit visit, HttpContext context)
    {
        var search = OrderSearch.Of(context.Request.Query);
        Dictionary<string, string> errors = [];
        var (id, query) = await ReadAsync(visit.Texts, search, context, errors);
        var cursor = context.Request.Query["cursor"].ToString();
        long before = 0;
        if (cursor.Length > 0 && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out before))
        {
            return PageMap.NotFound(visit);
        }

        var found = errors.Count > 0
            ? new FoundOrders([], null)
            : await Desk(context).FindAsync(id, query with { Before = cursor.Length > 0 ? before : null }, Limits.PageSize, context.RequestAborted);
        var sales = await context.RequestServices.GetRequiredService<ILedger>().ListSalesAsync(context.RequestAborted);
        return visit.Show<OrderListPage>(
            new OrderListModel(search, errors, [.. sales.Where(sale => sale.Status != SaleStatus.Draft).OrderByDescending(sale => sale.OpensAt)], found.Orders, found.Next?.ToString(CultureInfo.InvariantCulture)),
            errors.Count > 0 ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK);
    }

    /// <summary>What was typed, as the ledger is asked; with errors where it is no such thing.</summary>
    private static async Task<(OrderId? Id, OrderQuery Query)> ReadAsync(ConsoleTexts texts, OrderSearch search, HttpContext context, Dictionary<string, string> errors)
    {
        var user = Read<UserId>("user", search.User, UserId.TryParse);
        var sale = Read<SaleId>("sale", search.Sale, (text, out value) => SaleId.TryParse(text, out value));
        var offer = Read<OfferId>("offer", search.Offer, (text, out value) => OfferId.TryParse(text, out value));
        if (sale is { } chosen && offer is { } named && context.RequestServices.GetRequiredService<SaleCatalog>().TryFind(named, out var live) && live.Sale.Sale.Id != chosen)
        {
            // Another sale was chosen than the offer was of.
            offer = null;
        }

        var status = Read<OrderStatus>("status", search.Status, Words<OrderStatus>.ByWord.TryGetValue);
        var id = Read<OrderId>("order", search.Order, (text, out value) => OrderId.TryParse(text, out value));
        if (search.Coupon.Length > 0)
        {
            var coupon = CouponCode.TryNormalize(search.Coupon, out var code)
                ? await context.RequestServices.GetRequiredService<ILedger>().FindCouponAsync(code, context.RequestAborted)
                : null;
            if (coupon is null || (id is { } asked && asked != coupon.OrderId))
            {
                errors["coupon"] = texts.NoSuchCoupon;
            }

            id ??= coupon?.OrderId;
        }

        return (id, new OrderQuery(user, sale, offer, status));

        T? Read<T>(string name, string text, Reader<T> read)
            where T : struct
        {
            if (text.Length == 0)
            {
                return null;
            }

            if (read(text, out var value))
            {
                return value;
            }

            errors[name] = texts.NotSuchAValue;
            return null;
        }
    }

    private delegate bool Reader<T>(string text, out T value);

    private static async Task<IResult> CsvAsync(ConsoleVisit visit, HttpContext context)
    {
        Dictionary<string, string> errors = [];
        var (id, query) = await ReadAsync(visit.Texts, OrderSearch.Of(context.Request.Query), context, errors);
        if (errors.Count > 0)
        {
            return PageMap.Notice(visit, visit.Texts.InvalidSearch, string.Join(" ", errors.Values), StatusCodes.Status422UnprocessableEntity);
        }

        var t = visit.Texts;
        return await CsvFile.OfAsync(
            visit,
            "orders",
            [t.OrderWord, t.StateWord, t.UserWord, t.SaleWord, t.OfferWord, t.AmountWord, t.CurrencyWord, t.PlacedWord, t.PayBeforeWord],
            RowsAsync(t, Desk(context), id, query, context.RequestAborted),
            context.RequestAborted);
    }

    private static async IAsyncEnumerable<IReadOnlyList<object?>> RowsAsync(
        ConsoleTexts t, OrderDesk desk, OrderId? id, OrderQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        FoundOrders found;
        do
        {
            found = await desk.FindAsync(id, query, Limits.FilterPiece, cancellation);
            foreach (var order in found.Orders)
            {
                yield return
                [
                    order.Id, t.Order(order.Status), order.UserId.Value, order.SaleId.ToString(), order.OfferId.ToString(), (order.Price.Amount / 100m).ToString("0.00", CultureInfo.InvariantCulture),
                    order.Price.Currency, order.CreatedAt, order.PayBefore,
                ];
            }

            query = query with { Before = found.Next };
        }
        while (found.Next is not null);
    }

    private static async Task<IResult> ShowAsync(ConsoleVisit visit, HttpContext context, string? error, string? reasonError, int status)
    {
        var ledger = context.RequestServices.GetRequiredService<ILedger>();
        if (!OrderId.TryParse(IdOf(context), out var id) || await ledger.ReadOrderHistoryAsync(id, context.RequestAborted) is not { } history)
        {
            return PageMap.NotFound(visit);
        }

        var sale = (await ledger.ListSalesAsync(context.RequestAborted)).FirstOrDefault(one => one.Id == history.Order.SaleId);
        var contact = visit.May(Roles.Operator) ? await ledger.FindContactAsync(id, history.Order.UserId, context.RequestAborted) : null;
        return visit.Show<OrderPage>(new OrderModel(OrderDesk.Document(history), sale, contact, error, reasonError), status);
    }

    private static async Task<IResult> CancelAsync(ConsoleVisit visit, IFormCollection form, HttpContext context)
    {
        var (reason, wrong) = FormFields.Reason(form, visit.Texts, required: true);
        if (wrong is not null)
        {
            return await ShowAsync(visit, context, null, wrong, StatusCodes.Status422UnprocessableEntity);
        }

        var (outcome, _) = OrderId.TryParse(IdOf(context), out var id) ? await Desk(context).CancelAsync(id, visit.Actor(context, reason)) : (CancellationOutcome.NotFound, null);
        return outcome switch
        {
            CancellationOutcome.Cancelled or CancellationOutcome.AlreadyCancelled => visit.See($"/orders/{id}", "cancelled"),
            CancellationOutcome.NotFound => PageMap.NotFound(visit),
            _ => await ShowAsync(visit, context, visit.Texts.NotCancellable, null, StatusCodes.Status409Conflict),
        };
    }

    private static async Task<IResult> RefundAsync(ConsoleVisit visit, IFormCollection form, HttpContext context)
    {
        var (reason, wrong) = FormFields.Reason(form, visit.Texts, required: true);
        if (wrong is not null)
        {
            return await ShowAsync(visit, context, null, wrong, StatusCodes.Status422UnprocessableEntity);
        }

        var (outcome, _) = OrderId.TryParse(IdOf(context), out var id) ? await Desk(context).RefundAsync(id, visit.Actor(context, reason)) : (RefundOutcome.NotFound, null);
        return outcome switch
        {
            RefundOutcome.Refunded or RefundOutcome.AlreadyRefunded => visit.See($"/orders/{id}", "refunded"),
            RefundOutcome.NotFound => PageMap.NotFound(visit),
            _ => await ShowAsync(visit, context, visit.Texts.NotRefundable(outcome), null, StatusCodes.Status409Conflict),
        };
    }

    private static string IdOf(HttpContext context) => (string)context.Request.RouteValues["orderId"]!;

    private static OrderDesk Desk(HttpContext context) => context.RequestServices.GetRequiredService<OrderDesk>();
}
