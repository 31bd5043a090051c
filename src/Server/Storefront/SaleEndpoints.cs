using FlashSale.Core.Wire;
using FlashSale.Server.Http;

using Microsoft.Extensions.Primitives;

namespace FlashSale.Server.Storefront;

public static class SaleEndpoints
{
    // What an operator changes holds within a second, and "sold out" is at most two seconds old (invariant I9): so little may a CDN keep it. While it fetches
    // a sale anew it may serve the old one, the state never.
    private static readonly StringValues SaleCaching = "public, max-age=1, stale-while-revalidate=2";
    private static readonly StringValues StateCaching = "public, max-age=1";
    private static readonly StringValues ForeverCaching = "public, max-age=31536000, immutable";
    private static readonly StringValues Json = "application/json";
    private static readonly StringValues AcceptEncoding = "Accept-Encoding";
    private static readonly StringValues Gzip = "gzip";

    public static void MapSales(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/v1").WithTags("Sales");
        group.MapGet("/time", TimeAsync)
            .WithSummary("The server's clock")
            .Produces<TimeDocument>();
        group.MapGet("/sales", (HttpContext context, SaleDocuments documents) => SendAsync(context, documents.List(), SaleCaching))
            .WithSummary("Every sale that is to come, running or over since less than an hour")
            .Produces<Page<SaleDocument>>();
        group.MapGet("/sales/{saleId}", (string saleId, HttpContext context, SaleDocuments documents) => SendAsync(context, documents.Sale(saleId), SaleCaching))
            .WithSummary("One sale")
            .Produces<SaleDocument>()
            .Produces(StatusCodes.Status304NotModified)
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapGet("/sales/{saleId}/state", (string saleId, HttpContext context, SaleDocuments documents) => SendAsync(context, documents.State(saleId), StateCaching))
            .WithSummary("What changes during a sale, in few bytes; ask again after nextPollMs")
            .Produces<SaleStateDocument>()
            .Produces(StatusCodes.Status304NotModified)
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapGet("/sales/{saleId}/draw", DrawAsync)
            .WithSummary("The draw of the first moments: before it what the sale is committed to, after it the seed and the entries in their drawn order")
            .Produces<DrawDocument>()
            .Produces(StatusCodes.Status304NotModified)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task DrawAsync(string saleId, HttpContext context, DrawDocuments draws)
    {
        var found = await draws.FindAsync(saleId, context.RequestAborted);
        await SendAsync(context, found?.Document, found is { IsFinal: true } ? ForeverCaching : StateCaching);
    }

    private static Task TimeAsync(HttpContext context, TimeProvider time)
    {
        var now = time.GetUtcNow();
        return context.WriteDocumentAsync(StatusCodes.Status200OK, new TimeDocument(now, now.ToUnixTimeMilliseconds()), WireJson.Default.TimeDocument);
    }

    private static Task SendAsync(HttpContext context, PublicDocument? document, StringValues caching)
    {
        if (document is null)
        {
            return context.WriteProblemAsync(ProblemCode.NotFound);
        }

        var response = context.Response;
        response.Headers.ETag = document.ETag;
        response.Headers.CacheControl = caching;
        response.Headers.Vary = AcceptEncoding;
        if (Conditions.Match(context.Request.Headers.IfNoneMatch, document.ETag.ToString()))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        var body = document.Body;
        if (Conditions.Takes(context.Request.Headers.AcceptEncoding, "gzip"))
        {
            body = document.Gzip;
            response.Headers.ContentEncoding = Gzip;
        }

        response.Headers.ContentType = Json;
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, 0, body.Length, context.RequestAborted);
    }
}
