using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Storefront.Views;

namespace FlashSale.Server.Storefront;

/// <param name="TraceId">Null on a page that only explains the problem; else that of the request which had it.</param>
public sealed record ProblemModel(ProblemKind Kind, string? TraceId);

/// <summary>The pages that explain each problem, and the same page for a browser whose request had one.</summary>
public static class ProblemPages
{
    private static readonly string[] NotForBrowsers = ["/api", "/healthz", "/metrics", "/openapi"];

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
        return visit.Show<ProblemPage>(new ProblemModel(kind, context.TraceIdentifier), kind.Status);
    }

    /// <summary>A browser that asks for a page gets problems as pages; the API's callers get documents.</summary>
    public static void UseProblemPages(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (IsForBrowser(context.Request))
        {
            context.Features.Set<HtmlProblem>(static (context, code) =>
                Show(Visit.Begin(context, LanguageOf(context.Request)), code, context).ExecuteAsync(context));
        }

        return next(context);
    });

    private static bool IsForBrowser(HttpRequest request) =>
        request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
        && !NotForBrowsers.Any(prefix => request.Path.StartsWithSegments(prefix));

    private static Language LanguageOf(HttpRequest request) => request.Path.StartsWithSegments(Language.En.Prefix) ? Language.En : Language.Zh;
}
