using System.Text.Json;

using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Console.Pages;

/// <param name="Live">Null while the sale is not watched.</param>
public sealed record LiveModel(Sale Sale, LiveDocument? Live, IReadOnlyList<LiveMomentDocument> Moments)
{
    /// <summary>A page that stands open over night comes by itself; of one that is weeks off nobody waits for that.</summary>
    private static readonly TimeSpan Near = TimeSpan.FromHours(24);

    /// <summary>Seconds until the sale is watched: 0 when that is now; null when it is far off, over or not published.</summary>
    public int? SoonAt(DateTimeOffset now) =>
        LiveBoard.IsWatched(Sale, now) ? 0
        : Sale.Status != SaleStatus.Draft && LiveBoard.WatchedFrom(Sale) - now is var away && away > TimeSpan.Zero && away < Near ? (int)Math.Ceiling(away.TotalSeconds)
        : null;
}

/// <param name="At">When the instances were read.</param>
public sealed record ServiceModel(DateTimeOffset At, IReadOnlyList<LiveInstanceDocument> Instances);

/// <summary>What a viewer is sent.</summary>
/// <param name="At">Of the figures; the same again is not sent.</param>
/// <param name="Html">Its parts.</param>
/// <param name="Moment">Null where there are no charts.</param>
internal sealed record LiveFrame(DateTimeOffset At, Func<Task<string>> Html, LiveMomentDocument? Moment);

/// <summary>The live board of a sale, and the instances.</summary>
public static class LivePages
{
    public static void MapLive(this PageMap pages)
    {
        pages.Get("/sales/{saleId}", PageMap.Anybody, async (visit, context) =>
            await FindAsync(context) is { } sale ? visit.Show<LivePage>(ModelOf(sale, context)) : PageMap.NotFound(visit));
        pages.Get("/sales/{saleId}/live", PageMap.Anybody, async (visit, context) =>
            await FindAsync(context) is { } sale ? new LiveStream(visit, () => FrameOf(visit, sale, context)) : PageMap.NotFound(visit));
        pages.Get("/sales/{saleId}/live/moments", PageMap.Anybody, async (visit, context) =>
            await FindAsync(context) is { } sale
                ? Results.Json(new Page<LiveMomentDocument>(ModelOf(sale, context).Moments, null), WireJson.Default.PageLiveMomentDocument)
                : PageMap.NotFound(visit));
        pages.Get("/sales/{saleId}/live.csv", PageMap.Anybody, async (visit, context) =>
            await FindAsync(context) is { } sale ? await CsvAsync(visit, sale, context) : PageMap.NotFound(visit));
        pages.Get("/service", PageMap.Anybody, (visit, context) =>
            Task.FromResult(visit.Show<ServicePage>(ServiceOf(context))));
        pages.Get("/service/live", PageMap.Anybody, (visit, context) =>
            Task.FromResult<IResult>(new LiveStream(visit, () => ServiceOf(context) is var model
                ? new LiveFrame(model.At, () => HtmlPages.RenderAsync<ServiceParts>(visit, model, context.RequestServices), null)
                : null)));
    }

    private static LiveFrame? FrameOf(ConsoleVisit visit, Sale sale, HttpContext context) => ModelOf(sale, context) is { Live: { } latest } model
        ? new LiveFrame(latest.At, () => HtmlPages.RenderAsync<LiveParts>(visit, model, context.RequestServices), model.Moments is [.., var moment] ? moment : null)
        : null;

    private static ServiceModel ServiceOf(HttpContext context)
    {
        var board = context.RequestServices.GetRequiredService<LiveBoard>();
        return new ServiceModel(board.At, board.Instances);
    }

    internal static LiveModel ModelOf(Sale sale, HttpContext context)
    {
        var board = context.RequestServices.GetRequiredService<LiveBoard>();
        return new LiveModel(sale, board.Latest(sale.Id), board.Moments(sale.Id));
    }

    private static Task<IResult> CsvAsync(ConsoleVisit visit, Sale sale, HttpContext context)
    {
        var t = visit.Texts;
        return CsvFile.OfAsync(
            visit,
            $"sale-{sale.Id}-live",
            [
                t.At, t.Remaining, t.Held, t.Sold, t.GateStock, t.Arrivals, t.Admitted, .. LiveMomentDocument.Layers.Select(t.RefusedBy),
                t.OrdersPerSecond, t.PaidPerSecond, t.P50, t.P99,
            ],
            ModelOf(sale, context).Moments.Select(IReadOnlyList<object?> (moment) =>
            [
                moment.At, moment.Available, moment.Held, moment.Sold, moment.GateStock,
                t.Rate(moment.ArrivalsPerSecond), t.Rate(moment.AdmittedPerSecond),
                .. LiveMomentDocument.Layers.Select(layer => t.Rate(moment.Refused.GetValueOrDefault(layer))),
                t.Rate(moment.OrdersPerSecond), t.Rate(moment.PaidPerSecond), t.Milliseconds(moment.P50Ms), t.Milliseconds(moment.P99Ms),
            ]).ToAsyncEnumerable(),
            context.RequestAborted);
    }

    private static Task<Sale?> FindAsync(HttpContext context) =>
        context.RequestServices.GetRequiredService<SaleDesk>().FindAsync((string)context.Request.RouteValues["saleId"]!, context.RequestAborted);
}

/// <summary>
/// What moves on a page, as server-sent events: <c>parts</c>, the same HTML as in the page, and <c>moment</c>, the figures of a second for the charts. Ends when the session
/// does, or the instance stops.
/// </summary>
internal sealed class LiveStream(ConsoleVisit visit, Func<LiveFrame?> look) : IResult
{
    /// <summary>How often it is looked whether there are new figures, which costs nothing: what they are late by at most.</summary>
    private static readonly TimeSpan Look = Core.Limits.InstanceReportInterval / 8;

    private static int viewers;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        if (Interlocked.Increment(ref viewers) > Core.Limits.LiveViewers)
        {
            Interlocked.Decrement(ref viewers);
            httpContext.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            httpContext.Response.Headers.RetryAfter = "10";
            return;
        }

        try
        {
            await SendAsync(httpContext);
        }
        catch (OperationCanceledException)
        {
            // The browser has gone, or the instance stops.
        }
        finally
        {
            Interlocked.Decrement(ref viewers);
        }
    }

    private async Task SendAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        var response = context.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        // nginx would wait for more.
        response.Headers["X-Accel-Buffering"] = "no";
        // The browser knows that it is connected before there is anything to say.
        await response.Body.FlushAsync(ends.Token);
        DateTimeOffset sent = default;
        DateTimeOffset momentSent = default;
        using var timer = new PeriodicTimer(Look, services.GetRequiredService<TimeProvider>());
        do
        {
            if (visit.Signed.ExpiresAt <= services.GetRequiredService<TimeProvider>().GetUtcNow())
            {
                return;
            }

            if (look() is not { } frame || frame.At == sent)
            {
                continue;
            }

            sent = frame.At;
            await WriteAsync(response, "parts", await frame.Html(), ends.Token);
            if (frame.Moment is { } moment && moment.At != momentSent)
            {
                momentSent = moment.At;
                await WriteAsync(response, "moment", JsonSerializer.Serialize(moment, WireJson.Default.LiveMomentDocument), ends.Token);
            }

            await response.Body.FlushAsync(ends.Token);
        }
        while (await timer.WaitForNextTickAsync(ends.Token));
    }

    private static Task WriteAsync(HttpResponse response, string name, string data, CancellationToken cancellation) =>
        response.WriteAsync($"event: {name}\ndata: {data.ReplaceLineEndings("\ndata: ")}\n\n", cancellation);
}
