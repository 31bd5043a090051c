using FlashSale.Server.Hosting;
using FlashSale.Server.Http;

using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.Features;

namespace FlashSale.Server.Storefront;

/// <summary>A request for a page: its language, who asks and when.</summary>
/// <param name="Path">With its query, without the prefix of the language: where the language switch leads.</param>
/// <param name="Session">Null for a stranger; also for a form that did not come from our own pages.</param>
public sealed record Visit(Language Language, string Path, Session? Session, DateTimeOffset Now, bool Demo, SiteFiles Files)
{
    /// <summary>A form of ours is a token and a few short fields.</summary>
    private static readonly FormOptions FormLimits = new()
    {
        BufferBodyLengthLimit = 16 * 1024,
        KeyLengthLimit = 64,
        ValueLengthLimit = 4 * 1024,
        ValueCountLimit = 16,
    };

    /// <summary>
    /// The variant that is the same for everybody: it knows neither shopper nor session nor now, and the script fills in the rest. Without script it leads to the live one, at the same address
    /// with <c>/now</c> behind it.
    /// </summary>
    public bool Published { get; init; }

    /// <summary>On a live page of the list, a sale or a checkout: whoever is there stays with such pages.</summary>
    public bool IsLive => !Published && (Path == LiveOf("/") || Path.StartsWith("/sales/", StringComparison.Ordinal));

    public Texts Texts => Language.Texts;

    /// <summary>Begins the answer of a page.</summary>
    public static Visit Begin(HttpContext context, Language language)
    {
        var services = context.RequestServices;
        SetHeaders(context.Response.Headers, services.GetRequiredService<SiteFiles>());
        services.GetRequiredService<Sessions>().TryRead(context, out var session);
        if (session is not null && services.GetRequiredService<Callers>() is var callers && !callers.HasDevice(context))
        {
            callers.KeepDevice(context);
        }

        return new Visit(
            language,
            PathOf(context.Request, language),
            session,
            services.GetRequiredService<TimeProvider>().GetUtcNow(),
            services.GetRequiredService<Settings>().Demo,
            services.GetRequiredService<SiteFiles>());
    }

    /// <summary>What is on every answer of the pages, also on a redirection or a refusal.</summary>
    public static void SetHeaders(IHeaderDictionary headers, SiteFiles files)
    {
        headers.ContentSecurityPolicy = files.ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = StoredAnswer.PageReferrers;
        headers.CacheControl = "no-store";
    }

    public Task<string> RenderAsync<TPage>(object? model, IServiceProvider services)
        where TPage : IComponent => HtmlPages.RenderAsync<TPage>(this, model, services);

    public string Link(string path) => Language.Path(path);

    /// <summary>To the list (<c>/</c>), a sale or a checkout: from a live page to the live one, which needs no script.</summary>
    public string LinkToSales(string path) => Language.Path(IsLive ? LiveOf(path) : path);

    /// <summary>The address of the live page of a published one.</summary>
    public static string LiveOf(string path) => path == "/" ? "/now" : path + "/now";

    /// <summary>A page. <typeparamref name="TPage"/> takes the visit, and the model if it has one.</summary>
    public IResult Show<TPage>(object? model = null, int status = StatusCodes.Status200OK)
        where TPage : IComponent => HtmlPages.Show<TPage>(this, model, status);

    /// <summary>After a form: the browser fetches the page, so that loading it again does not submit it again.</summary>
    public IResult See(string path) => HtmlPages.See(Link(path));

    /// <summary>To the sign-in, and back to <paramref name="path"/> from there.</summary>
    public IResult SignIn(string path) => See(SignInPath(path));

    public static string SignInPath(string path) => "/sign-in?return=" + Uri.EscapeDataString(path);

    /// <summary>
    /// The fields of a form. Null for what is no form or too large; the caller answers with <c>malformed-request</c>.
    /// </summary>
    public static Task<IFormCollection?> ReadFormAsync(HttpContext context) => HtmlPages.ReadFormAsync(context, FormLimits);

    private static string PathOf(HttpRequest request, Language language)
    {
        var path = request.Path.ToUriComponent()[(request.Path.StartsWithSegments(language.Prefix) ? language.Prefix.Length : 0)..];
        return (path.Length == 0 ? "/" : path) + (HttpMethods.IsGet(request.Method) ? request.QueryString.ToUriComponent() : "");
    }
}
