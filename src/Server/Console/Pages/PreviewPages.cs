using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;

namespace FlashSale.Server.Console.Pages;

/// <summary>A moment that matters, and how the sale stands at it.</summary>
/// <param name="Word">What it is called (<see cref="ConsoleTexts.MomentName"/>).</param>
public sealed record PreviewMoment(string Word, DateTimeOffset At, PreviewState State);

/// <summary>What is looked at.</summary>
public sealed record PreviewChoice(DateTimeOffset At, PreviewState State, PreviewShopper Shopper, bool IsZh, bool IsPhone)
{
    /// <summary>As the query of an address.</summary>
    public string Query =>
        $"?at={Uri.EscapeDataString(BeijingTime.Format(At))}&state={State.Word()}&as={Shopper.Word()}&lang={(IsZh ? "zh" : "en")}&width={(IsPhone ? "phone" : "desktop")}";

    public static PreviewChoice Of(IQueryCollection query, ConsoleVisit visit) => new(
        BeijingTime.TryParse(query["at"], out var at) ? at : DateTimeOffset.FromUnixTimeSeconds(visit.Now.ToUnixTimeSeconds()),
        Words<PreviewState>.ByWord.GetValueOrDefault(query["state"].ToString()),
        Words<PreviewShopper>.ByWord.GetValueOrDefault(query["as"].ToString()),
        query["lang"].ToString() switch { "zh" => true, "en" => false, _ => visit.Texts.IsZh },
        query["width"] != "desktop");
}

/// <param name="BadTime">What was typed is no time; now is shown.</param>
public sealed record PreviewModel(Sale Sale, PreviewChoice Choice, IReadOnlyList<PreviewMoment> Moments, bool BadTime);

/// <summary>The page of a sale as shoppers will see it at any moment, in a frame in which nothing runs and nothing is sent.</summary>
public static class PreviewPages
{
    private const Roles Readers = SaleEndpoints.Readers | Roles.Viewer;

    public static void MapPreview(this PageMap pages)
    {
        pages.GetSale("/preview", Readers, (visit, sale, context) =>
        {
            // The one page of the console with a frame in it.
            context.Response.Headers.ContentSecurityPolicy = ConsoleFiles.ContentSecurityPolicy + "; frame-src 'self'";
            var query = context.Request.Query;
            var bad = query["at"].ToString() is { Length: > 0 } typed && !BeijingTime.TryParse(typed, out _);
            return Task.FromResult(visit.Show<PreviewPage>(new PreviewModel(sale, PreviewChoice.Of(query, visit), MomentsOf(sale), bad)));
        });
        pages.GetSale("/preview/page", Readers, ShowPageAsync);
    }

    /// <summary>In the order of a sale's life.</summary>
    public static IReadOnlyList<PreviewMoment> MomentsOf(Sale sale)
    {
        List<PreviewMoment> moments = [];
        if (sale is { RequiresReservation: true, ReservationOpensAt: { } from, ReservationClosesAt: { } until })
        {
            moments.Add(new PreviewMoment("reserve", from, PreviewState.Running));
            moments.Add(new PreviewMoment("reserved", until, PreviewState.Running));
        }

        var open = sale.OpensAt;
        moments.AddRange(
        [
            new PreviewMoment("tokens", open - Limits.TokensBeforeOpening, PreviewState.Running),
            new PreviewMoment("soon", open - TimeSpan.FromSeconds(60), PreviewState.Running),
            new PreviewMoment("open", open, PreviewState.Running),
            new PreviewMoment("sold_out", open, PreviewState.SoldOut),
            new PreviewMoment("paused", open, PreviewState.Paused),
            new PreviewMoment("ended", sale.ClosesAt, PreviewState.Running),
        ]);
        return moments;
    }

    private static async Task<IResult> ShowPageAsync(ConsoleVisit visit, Sale sale, HttpContext context)
    {
        var preview = context.RequestServices.GetRequiredService<SalePreview>();
        var choice = PreviewChoice.Of(context.Request.Query, visit);
        var html = await preview.RenderAsync(sale, choice.State, choice.Shopper, choice.At, choice.IsZh);
        context.Response.Headers.ContentSecurityPolicy = preview.ContentSecurityPolicy;
        context.Response.Headers.XFrameOptions = "SAMEORIGIN";
        return Results.Content(html, "text/html; charset=utf-8");
    }
}
