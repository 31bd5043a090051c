using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;
using FlashSale.Storage;

using Microsoft.AspNetCore.Http.Features;

namespace FlashSale.Server.Console.Pages;

/// <summary>What a page of the console asks of who opens it. <see cref="Roles.None"/>: nothing, not even a session.</summary>
public sealed record PageAccess(Roles AnyOf);

/// <summary>A page that says why there is no other.</summary>
public sealed record NoticeModel(string Title, string Text);

/// <summary>
/// Maps the pages of the console in one language. Session, roles and the origin of forms are checked here, before a page reads anything, so that no page can
/// forget to.
/// </summary>
public sealed class PageMap(IEndpointRouteBuilder app, ConsoleLanguage language)
{
    /// <summary>Whoever has any right in the console.</summary>
    public const Roles Anybody = Roles.Viewer | Roles.Operator | Roles.Approver | Roles.Risk | Roles.Auditor;

    private const string RefreshSeconds = "10";

    /// <summary>A form with every field of a sale of many offers.</summary>
    private static readonly FormOptions FormLimits = new()
    {
        BufferBodyLengthLimit = Core.Limits.AdminBodyBytes,
        KeyLengthLimit = 64,
        ValueLengthLimit = 4 * 1024,
        ValueCountLimit = 1_024,
    };

    public void Get(string pattern, Roles anyOf, Func<ConsoleVisit, HttpContext, Task<IResult>> show) =>
        app.MapGet(language.Path(pattern), (Delegate)((HttpContext context) => RunAsync(context, anyOf, show))).WithMetadata(new PageAccess(anyOf)).ExcludeFromDescription();

    /// <param name="limits">What the form may have; null: the fields of a sale of many offers.</param>
    public void Post(string pattern, Roles anyOf, Func<ConsoleVisit, IFormCollection, HttpContext, Task<IResult>> act, FormOptions? limits = null) =>
        app.MapPost(language.Path(pattern), (Delegate)((HttpContext context) => RunAsync(context, anyOf, async (visit, _) =>
            await HtmlPages.ReadFormAsync(context, limits ?? FormLimits) is { } form
                ? await act(visit, form, context)
                : Notice(visit, visit.Texts.InvalidFields, visit.Texts.MalformedForm, StatusCodes.Status400BadRequest))))
        .WithMetadata(new PageAccess(anyOf)).ExcludeFromDescription();

    public static IResult NotFound(ConsoleVisit visit) => Notice(visit, visit.Texts.NotFoundTitle, visit.Texts.NotFound, StatusCodes.Status404NotFound);

    public static IResult Notice(ConsoleVisit visit, string title, string text, int status) => visit.Show<NoticePage>(new NoticeModel(title, text), status);

    private async Task<IResult> RunAsync(HttpContext context, Roles anyOf, Func<ConsoleVisit, HttpContext, Task<IResult>> run)
    {
        var visit = ConsoleVisit.Begin(context, language);
        var posts = HttpMethods.IsPost(context.Request.Method);

        // A cookie travels by itself: a form counts only when the browser says that it comes from our own pages.
        if (posts && !Sessions.IsOwnOrigin(context.Request))
        {
            return Notice(visit, visit.Texts.ForbiddenTitle, visit.Texts.ForeignForm, StatusCodes.Status403Forbidden);
        }

        if (anyOf != Roles.None && visit.Session is null)
        {
            return visit.See("/sign-in?return=" + Uri.EscapeDataString(posts ? "/" : visit.Path));
        }

        if (anyOf != Roles.None && !visit.May(anyOf))
        {
            return Notice(visit, visit.Texts.ForbiddenTitle, visit.Texts.Forbidden(anyOf), StatusCodes.Status403Forbidden);
        }

        try
        {
            return await run(visit, context);
        }
        catch (Exception exception) when (exception is LedgerUnavailableException or LedgerBusyException or LedgerOutcomeUnknownException or GateUnavailableException)
        {
            if (!posts)
            {
                // Whoever follows a page without script, or has loaded it at the wrong moment, has it again when that is over.
                context.Response.Headers["Refresh"] = RefreshSeconds;
            }

            return Notice(visit, visit.Texts.UnavailableTitle, visit.Texts.Unavailable, StatusCodes.Status503ServiceUnavailable);
        }
    }
}
