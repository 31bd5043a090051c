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
public sealed record OrderModel(Order Order, LiveOffer? Offer, bool Payable, string? Notice)
{
    /// <summary><see cref="Notice"/> is good news.</summary>
    public bool Good { get; init; }

    /// <summary>Whom the dealer may call: what is kept, or what was just typed and is not good.</summary>
    public ContactForm Contact { get; init; } = ContactForm.Empty;
    public bool HasContact { get; init; }

    /// <summary>By how much the time to pay can be extended; null when it cannot, or was.</summary>
    public TimeSpan? Extension { get; init; }
}

/// <param name="Qr">Leads a dealer who scans it to the coupon.</param>
public sealed record CouponModel(Order Order, LiveOffer? Offer, QrImage Qr);

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
        app.MapPost("/orders/{orderId}/extension", (string orderId, HttpContext context, ILedger ledger, ShopperReader shoppers) =>
            ExtendAsync(orderId, Visit.Begin(context, language), ledger, shoppers, context));
        app.MapPost("/orders/{orderId}/contact", (string orderId, HttpContext context, ILedger ledger, ShopperReader shoppers) =>
            KeepContactAsync(orderId, Visit.Begin(context, language), ledger, shoppers, context));
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
            ? await ShowAsync(visit, order, shoppers, context, NoticeOf(visit, context))
            : ProblemPages.Show(visit, ProblemCode.NotFound, context);
    }

    /// <summary>The page with all that its forms need to know.</summary>
    private static async Task<IResult> ShowAsync(
        Visit visit, Order order, ShopperReader shoppers, HttpContext context, (string Text, bool Good)? notice, ContactForm? typed = null, int status = StatusCodes.Status200OK)
    {
        var ledger = context.RequestServices.GetRequiredService<ILedger>();
        var contact = await ledger.FindContactAsync(order.Id, order.UserId, context.RequestAborted);
        var extends = await context.RequestServices.GetRequiredService<ExtendOrder>().MayExtendAsync(order, visit.Now, context.RequestAborted);
        return visit.Show<OrderPage>(
            Model(order, shoppers, context) with
            {
                Notice = notice?.Text,
                Good = notice is { Good: true },
                Contact = typed ?? (contact is null ? ContactForm.Empty : new ContactForm(contact.Name, contact.Phone, contact.City)),
                HasContact = contact is not null,
                Extension = extends ? PaymentExtension.Extend(order) - order.PayBefore : null,
            },
            status);
    }

    /// <summary>What the form that led here did.</summary>
    private static (string, bool)? NoticeOf(Visit visit, HttpContext context) => context.Request.Query["done"].ToString() switch
    {
        "extension" => (visit.Texts.Extended, true),
        "contact" => (visit.Texts.ContactSaved, true),
        "contact-wrong" => (visit.Texts.ContactWrong, false),
        _ => null,
    };

    private static async Task<IResult> ExtendAsync(string orderId, Visit visit, ILedger ledger, ShopperReader shoppers, HttpContext context)
    {
        if (visit.Session is not { } session)
        {
            return SessionPages.Refuse(visit, "/orders/" + orderId, context);
        }

        var (outcome, order) = OrderId.TryParse(orderId, out var id)
            ? await ledger.ExtendAsync(id, session.User, CancellationToken.None)
            : (ExtensionOutcome.NotFound, null);
        return outcome switch
        {
            ExtensionOutcome.Extended => visit.See($"/orders/{id}?done=extension"),
            ExtensionOutcome.NotFound => ProblemPages.Show(visit, ProblemCode.NotFound, context),
            _ when (order ?? await shoppers.FindOrderAsync(orderId, visit, context.RequestAborted)) is { } known =>
                await ShowAsync(visit, known, shoppers, context, (visit.Texts.NotExtendable, false), status: StatusCodes.Status409Conflict),
            _ => ProblemPages.Show(visit, ProblemCode.NotFound, context),
        };
    }

    private static async Task<IResult> KeepContactAsync(string orderId, Visit visit, ILedger ledger, ShopperReader shoppers, HttpContext context)
    {
        if (visit.Session is not { } session)
        {
            return SessionPages.Refuse(visit, "/orders/" + orderId, context);
        }

        if (await Visit.ReadFormAsync(context) is not { } form)
        {
            return ProblemPages.Show(visit, ProblemCode.MalformedRequest, context);
        }

        if (await shoppers.FindOrderAsync(orderId, visit, context.RequestAborted) is not { } order)
        {
            return ProblemPages.Show(visit, ProblemCode.NotFound, context);
        }

        var typed = ContactForm.Of(form) with { Checked = true };
        if (typed.ToContact() is not { } contact)
        {
            return await ShowAsync(visit, order, shoppers, context, (visit.Texts.ContactWrong, false), typed, StatusCodes.Status422UnprocessableEntity);
        }

        return await ledger.KeepContactAsync(order.Id, session.User, contact, CancellationToken.None) == ContactOutcome.Kept
            ? visit.See($"/orders/{order.Id}?done=contact")
            : await ShowAsync(visit, order, shoppers, context, (visit.Texts.ContactClosed, false), status: StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> ShowCouponAsync(string orderId, Visit visit, ShopperReader shoppers, HttpContext context)
    {
        if (visit.Session is null)
        {
            return visit.SignIn("/coupons/" + orderId);
        }

        return await shoppers.FindOrderAsync(orderId, visit, context.RequestAborted) is { Coupon: not null } order
            ? visit.Show<CouponPage>(new CouponModel(order, shoppers.FindOffer(order.OfferId), QrImage.Of(AddressOf(visit.Link(DealerPages.PathOf(order.Coupon.Code)), context.Request))))
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

        if (!Model(order, shoppers, context).Payable)
        {
            return await ShowAsync(visit, order, shoppers, context, (visit.Texts.NoPayments, false), status: StatusCodes.Status409Conflict);
        }

        var started = await desk.StartAsync(id, session.User, PaymentId.Create(visit.Now));
        return started is (_, { } payment)
            ? visit.See(SandboxProvider.PayUrl(payment))
            : await ShowAsync(visit, order, shoppers, context, (visit.Texts.NotPayable, false), status: StatusCodes.Status409Conflict);
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
                await ShowAsync(visit, known, shoppers, context, (visit.Texts.NotCancellable, false), status: StatusCodes.Status409Conflict),
            _ => ProblemPages.Show(visit, ProblemCode.NotFound, context),
        };
    }

    private static string AddressOf(string path, HttpRequest request) => $"{request.Scheme}://{request.Host.ToUriComponent()}{path}";

    private static OrderModel Model(Order order, ShopperReader shoppers, HttpContext context) => new(
        order,
        shoppers.FindOffer(order.OfferId),
        order.Status == OrderStatus.Held && context.RequestServices.GetService<SandboxProvider>() is not null,
        null);
}
