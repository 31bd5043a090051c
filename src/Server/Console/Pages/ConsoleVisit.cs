using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Storage;

using Microsoft.AspNetCore.Components;

namespace FlashSale.Server.Console.Pages;

/// <summary>A request for a page of the console: its language, who asks and when.</summary>
/// <param name="Path">With its query, from the root of the console: where the language switch leads.</param>
/// <param name="Session">Null only on the pages that need none.</param>
/// <param name="Done">What an action that just succeeded did (<see cref="ConsoleTexts.Done"/>); null when there was none.</param>
public sealed record ConsoleVisit(ConsoleLanguage Language, string Path, Session? Session, DateTimeOffset Now, Settings Settings, ConsoleFiles Files, string? Done)
{
    public const string CookieName = "flashsale_console";

    public ConsoleTexts Texts => Language.Texts;

    /// <summary>Who is signed in; on a page that needs no session there is nobody, and it may not ask.</summary>
    public Session Signed => Session ?? throw new InvalidOperationException("The page does not require a session.");

    public bool May(Roles anyOf) => Session is { } session && (session.Roles & anyOf) != Roles.None;

    /// <summary>Begins the answer of a page: its headers, and who asks.</summary>
    public static ConsoleVisit Begin(HttpContext context, ConsoleLanguage language)
    {
        var services = context.RequestServices;
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ConsoleFiles.ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        var cookie = context.Request.Cookies[CookieName];
        Session? session = null;
        if (cookie is not null)
        {
            services.GetRequiredService<Sessions>().TryVerify(cookie, out session);
        }

        return new ConsoleVisit(
            language,
            PathOf(context.Request, language),
            session,
            services.GetRequiredService<TimeProvider>().GetUtcNow(),
            services.GetRequiredService<Settings>(),
            services.GetRequiredService<ConsoleFiles>(),
            language.Texts.Done(context.Request.Query["done"]));
    }

    public string Link(string path) => Language.Path(path);

    /// <summary>Who acts, for the audit log.</summary>
    /// <param name="role">The role that lets them.</param>
    public Actor Actor(HttpContext context, string? reason, Roles role = Roles.Operator) => new(Signed.User.Value, role.Word(), reason, context.TraceId());

    /// <summary>A page. <typeparamref name="TPage"/> takes the visit, and the model if it has one.</summary>
    public IResult Show<TPage>(object? model = null, int status = StatusCodes.Status200OK)
        where TPage : IComponent => HtmlPages.Show<TPage>(this, model, status);

    /// <summary>After a form: the browser fetches the page, so that loading it again does not submit it again.</summary>
    /// <param name="done">The word for what was done (<see cref="ConsoleTexts.Done"/>).</param>
    public IResult See(string path, string? done = null) =>
        HtmlPages.See(Link(path) + (done is null ? "" : (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "done=" + done));

    private static string PathOf(HttpRequest request, ConsoleLanguage language)
    {
        var path = request.Path.ToUriComponent();
        path = path.StartsWith(language.Root, StringComparison.OrdinalIgnoreCase) ? path[language.Root.Length..] : path;
        return (path.Length == 0 ? "/" : path) + (HttpMethods.IsGet(request.Method) ? request.QueryString.ToUriComponent() : "");
    }
}
