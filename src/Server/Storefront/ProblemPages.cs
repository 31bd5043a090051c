using System.Collections.Concurrent;
using System.Text;

using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Server.Storefront.Views;

namespace FlashSale.Server.Storefront;

/// <param name="TraceId">Null on a page that only explains the problem; else that of the request which had it.</param>
public sealed record ProblemModel(ProblemKind Kind, string? TraceId)
{
    /// <summary>For a crowd of shoppers, who want to know what becomes of them, not what a program could do.</summary>
    public bool IsBusy { get; init; }

    /// <summary>The page comes again by itself, as it says; not what a form brought.</summary>
    public bool AsksAgain { get; init; }

    /// <summary>After which a page that stands by itself asks again without script; null where a header says so, or nothing is to be asked.</summary>
    public int? RefreshSeconds { get; init; }
}

/// <summary>The pages that explain each problem, and the same page for a browser whose request had one.</summary>
public static class ProblemPages
{
    private static readonly string[] NotForBrowsers = ["/api", "/healthz", "/metrics", "/openapi"];

    // A few problems in two languages: those that a crowd gets cost no rendering.
    private static readonly ConcurrentDictionary<(ProblemCode Code, Language Language, bool AsksAgain), byte[]> BusyPages = new();

    public static void MapProblemPages(this IEndpointRouteBuilder app, Language language) =>
        app.MapGet("/problems/{code}", (string code, HttpContext context) =>
        {
            var visit = Visit.Begin(context, language);
            return Problems.Find(code) is { } kind ? visit.Show<ProblemPage>(new ProblemModel(kind, null)) : Show(visit, ProblemCode.NotFound, context);
        });

    /// <summary>The page of a request that had the problem.</summary>
    public static IResult Show(Visit visit, ProblemCode code, HttpContext context)
    {
        var kind = Problems.Of(code);
        return visit.Show<ProblemPage>(new ProblemModel(kind, context.TraceId()), kind.Status);
    }

    /// <summary>A browser that asks for a page gets problems as pages; the API's callers get documents.</summary>
    public static void UseProblemPages(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (IsForBrowser(context.Request))
        {
            context.Features.Set<HtmlProblem>(static (context, code) => Problems.Of(code).Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable
                ? SendBusyAsync(context, code)
                : Show(Visit.Begin(context, LanguageOf(context.Request)), code, context).ExecuteAsync(context));
        }

        return next(context);
    });

    /// <summary>The same bytes for everybody, whoever they are. What was asked for with GET is asked for again by itself, after a time drawn for each.</summary>
    private static async Task SendBusyAsync(HttpContext context, ProblemCode code)
    {
        var key = (code, LanguageOf(context.Request), AsksAgain: HttpMethods.IsGet(context.Request.Method));
        if (!BusyPages.TryGetValue(key, out var page))
        {
            var services = context.RequestServices;
            var visit = new Visit(
                key.Item2, "/", null, DateTimeOffset.UnixEpoch, services.GetRequiredService<Settings>().Demo, services.GetRequiredService<SiteFiles>());
            page = Encoding.UTF8.GetBytes(await visit.RenderAsync<ProblemPage>(new ProblemModel(Problems.Of(code), null) { IsBusy = true, AsksAgain = key.AsksAgain }, services));
            BusyPages[key] = page;
        }

        var response = context.Response;
        Visit.SetHeaders(response.Headers, context.RequestServices.GetRequiredService<SiteFiles>());
        if (key.AsksAgain)
        {
            response.Headers["Refresh"] = Random.Shared.Next(3, 9).ToString();
        }

        response.ContentType = HtmlPages.HtmlType;
        response.ContentLength = page.Length;
        await response.Body.WriteAsync(page, context.RequestAborted);
    }

    private static bool IsForBrowser(HttpRequest request) =>
        request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
        && !NotForBrowsers.Any(prefix => request.Path.StartsWithSegments(prefix));

    private static Language LanguageOf(HttpRequest request) => request.Path.StartsWithSegments(Language.En.Prefix) ? Language.En : Language.Zh;
}
