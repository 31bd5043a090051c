namespace FlashSale.Server.Edge;

/// <summary>What a request wants, in the order in which it is shed under load: the first goes first, the last never.</summary>
public enum RequestKind
{
    /// <summary>A page view, a style or a script.</summary>
    Page,

    /// <summary>Sale details, states, the time.</summary>
    Document,

    /// <summary>An order token or a reservation.</summary>
    Token,

    /// <summary>A new order.</summary>
    Order,

    /// <summary>Paying, cancelling and reading one's orders; what dealers, operators and monitoring do.</summary>
    Essential,
}

public static class RequestKinds
{
    public const int Count = (int)RequestKind.Essential + 1;

    private const string Api = "/api/v1";
    private const string En = "/en";
    private static readonly string[] EssentialApi = ["/orders", "/payment-callbacks", "/coupons", "/admin"];
    private static readonly string[] EssentialPages = ["/orders", "/coupons", "/dealer", "/sandbox", "/console", "/healthz", "/metrics", "/edge"];

    /// <summary>By method and path, before anything else is looked at. What is not known is a page view.</summary>
    public static RequestKind Of(HttpRequest request)
    {
        var path = request.Path;
        var posts = HttpMethods.IsPost(request.Method);
        if (path.StartsWithSegments(Api, StringComparison.OrdinalIgnoreCase, out var call))
        {
            return OfCall(call, posts);
        }

        if (path.StartsWithSegments(En, StringComparison.OrdinalIgnoreCase, out var inEnglish))
        {
            path = inEnglish;
        }

        if (StartsWithAny(path, EssentialPages))
        {
            return RequestKind.Essential;
        }

        if (path.StartsWithSegments("/sales", StringComparison.OrdinalIgnoreCase, out var sale))
        {
            // /sales/{slug}/checkout/{offerId} orders when it is submitted; its live page asks for a token when it is opened, the published one for nothing.
            var checkout = sale.Value!.Contains("/checkout/", StringComparison.OrdinalIgnoreCase);
            var live = checkout && sale.Value.AsSpan().TrimEnd('/').EndsWith("/now", StringComparison.OrdinalIgnoreCase);
            return checkout && posts ? RequestKind.Order : posts || live ? RequestKind.Token : RequestKind.Page;
        }

        return RequestKind.Page;
    }

    /// <summary><c>POST /api/v1/orders</c>, whose body the edge reads.</summary>
    public static bool IsOrderCall(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) && request.Path.Value is { } path
        && (path.Equals("/api/v1/orders", StringComparison.OrdinalIgnoreCase) || path.Equals("/api/v1/orders/", StringComparison.OrdinalIgnoreCase));

    /// <summary>Calls for a reservation or an order token; the forms of the pages ask the same of their stage.</summary>
    public static bool AsksToTakePart(HttpRequest request)
    {
        if (!HttpMethods.IsPost(request.Method) || !request.Path.StartsWithSegments(Api, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var path = request.Path.Value.AsSpan().TrimEnd('/');
        return path.EndsWith("/reservations", StringComparison.OrdinalIgnoreCase) || path.EndsWith("/order-tokens", StringComparison.OrdinalIgnoreCase);
    }

    private static RequestKind OfCall(PathString call, bool posts)
    {
        if (posts)
        {
            if (call.Equals("/orders", StringComparison.OrdinalIgnoreCase) || call.Equals("/orders/", StringComparison.OrdinalIgnoreCase))
            {
                return RequestKind.Order;
            }

            if (call.StartsWithSegments("/offers", StringComparison.OrdinalIgnoreCase) || call.StartsWithSegments("/sales", StringComparison.OrdinalIgnoreCase))
            {
                return RequestKind.Token;
            }
        }

        return StartsWithAny(call, EssentialApi) ? RequestKind.Essential : RequestKind.Document;
    }

    private static bool StartsWithAny(PathString path, string[] prefixes)
    {
        foreach (var prefix in prefixes)
        {
            if (path.StartsWithSegments(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
