using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;
using FlashSale.Server.Orders;
using FlashSale.Server.Payments;
using FlashSale.Server.Storefront.Views;
using FlashSale.Storage;

namespace FlashSale.Server.Storefront;

/// <param name="Offer">Null when the sale is not known here.</param>
/// <param name="Payable">False where there is no way to pay.</param>
/// <param name="Notice">What became of the form that was just sent; null otherwise.</param>
public sealed record OrderModel(Order Order, LiveOffer? Offer, bool Payable, string? Notice);

/// <param name="Older">The cursor of the next page; null on the last one.</param>
public sealed record OrdersModel(IReadOnlyList<OrderModel> Orders, string? Older);

/// <summary>My orders, one order with its forms to pay and cancel, and its coupon.</summary>
public static class OrderPages
{
    public static void MapOrderPages(this IEndpointRouteBuilder app, Language language)
    {
        app.MapGet("/orders", (string? cursor, HttpContext context, ILedger ledger, ShopperReader shoppers) =>
            ListAsync(cursor, Visit.Begin(context, language), ledger, shoppers, context));
        app.MapGet("/orders/{orderId}", (string orderId, HttpContext context, ShopperReader shoppers) =>
            ShowAsync(orderId, Visit.Begin(context, language), shoppers, context));
        app.MapGet("/coupons/{orderId}", (string orderId, HttpContext context, ShopperReader shoppers) =>
            ShowCouponAsync(orderId, Visit.Begin(context, language), shoppers, context));
        app.MapPost("/orders/{orderId}/payment", (string orderId, HttpContext context, PaymentDesk desk, ShopperReader shoppers) =>
            PayAsync(orderId, Visit.Begin(context, language), desk, shoppers, context));
        app.MapPost("/orders/{orderId}/cancellation", (string orderId, HttpContext context, CancelOrder cancel, ShopperReader shoppers) =>
            CancelAsync(orderId, Visit.Begin(context, language), cancel, shoppers, context));
    }

    private static async Task<IResult> ListAsync(string? cursor, Visit visit, ILedger ledger, ShopperReader shoppers, HttpContext context)
    {
        if (visit.Session is not { } session)
        {
            return visit.SignIn("/orders");
        }

        OrderId? before = OrderId.TryParse(cursor, out var parsed) ? parsed : null;
        var orders = await ledger.ListOrdersAsync(session.User, before, Limits.PageSize + 1, context.RequestAborted);
        return visit.Show<OrdersPage>(new OrdersModel(
            [.. orders.Take(Limits.PageSize).Select(order => Model(order, shoppers, context))],
            orders.Count > Limits.PageSize ? orders[Limits.PageSize - 1].Id.ToString() : null));
    }

    private static async Task<IResult> ShowAsync(string orderId, Visit visit, ShopperReader shoppers, HttpContext context)
    {
        if (visit.Session is null)
        {
            return visit.SignIn("/orders/" + orderId);
        }

        return await shoppers.FindOrderAsync(orderId, visit, context.RequestAborted) is { } order
            ? visit.Show<OrderPage>(Model(order, shoppers, context))
            : ProblemPages.Show(visit, ProblemCode.NotFound, context);
    }

    private static async Task<IResult> ShowCouponAsync(string orderId, Visit visit, ShopperReader shoppers, HttpContext context)
    {
        if (visit.Session is null)
        {
            return visit.SignIn("/coupons/" + orderId);
        }

        return await shoppers.FindOrderAsync(orderId, visit, context.RequestAborted) is { Coupon: not null } order
            ? visit.Show<CouponPage>(Model(order, shoppers, context))
            : ProblemPages.Show(visit, ProblemCode.NotFound, context);
    }

    private static async Task<IResult> PayAsync(string orderId, Visit visit, PaymentDesk desk, ShopperReader shoppers, HttpContext context)
    {
        if (visit.Session is not { } session)
        {
            return SessionPages.Refuse(visit, "/orders/" + orderId, context);
        }

        if (!OrderId.TryParse(orderId, out var id) || await shoppers.FindOrderAsync(orderId, visit, context.RequestAborted) is not { } order)
        {
            return ProblemPages.Show(visit, ProblemCode.NotFound, context);
        }

        var model = Model(order, shoppers, context);
        if (!model.Payable)
        {
            return visit.Show<OrderPage>(model with { Notice = visit.Texts.NoPayments }, StatusCodes.Status409Conflict);
        }

        var started = await desk.StartAsync(id, session.User, PaymentId.Create(visit.Now));
        return started is (_, { } payment)
            ? visit.See(SandboxProvider.PayUrl(payment))
            : visit.Show<OrderPage>(model with { Notice = visit.Texts.NotPayable }, StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> CancelAsync(string orderId, Visit visit, CancelOrder cancel, ShopperReader shoppers, HttpContext context)
    {
        if (visit.Session is not { } session)
        {
            return SessionPages.Refuse(visit, "/orders/" + orderId, context);
        }

        var (outcome, order) = OrderId.TryParse(orderId, out var id)
            ? await cancel.CancelAsync(id, session.User)
            : (CancellationOutcome.NotFound, null);
        return outcome switch
        {
            CancellationOutcome.Cancelled or CancellationOutcome.AlreadyCancelled => visit.See("/orders/" + id),
            CancellationOutcome.NotCancellable when (order ?? await shoppers.FindOrderAsync(orderId, visit, context.RequestAborted)) is { } known =>
                visit.Show<OrderPage>(Model(known, shoppers, context) with { Notice = visit.Texts.NotCancellable }, StatusCodes.Status409Conflict),
            _ => ProblemPages.Show(visit, ProblemCode.NotFound, context),
        };
    }

    private static OrderModel Model(Order order, ShopperReader shoppers, HttpContext context) => new(
        order,
        shoppers.FindOffer(order.OfferId),
        order.Status == OrderStatus.Held && context.RequestServices.GetService<SandboxProvider>() is not null,
        null);
}
