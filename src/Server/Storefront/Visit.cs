using FlashSale.Server.Hosting;
using FlashSale.Server.Http;

using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

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

    // Everything comes from us, nothing is written into the page as script or style, and nobody frames it.
    private static readonly StringValues ContentSecurityPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; worker-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public Texts Texts => Language.Texts;

    /// <summary>Begins the answer of a page.</summary>
    public static Visit Begin(HttpContext context, Language language)
    {
        var services = context.RequestServices;
        SetHeaders(context.Response.Headers);
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
    public static void SetHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        // Not no-referrer: with that a browser would send `Origin: null` with our own forms.
        headers["Referrer-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    /// <summary>
    /// The whole HTML of a page, before the first byte is sent, so that what breaks can still be answered. The plain renderer is enough: the pages have no
    /// circuits, no state and no anti-forgery tokens (see <see cref="Sessions.IsOwnOrigin"/>), so no keys for them are made or kept.
    /// </summary>
    public async Task<string> RenderAsync<TPage>(object? model, IServiceProvider services)
        where TPage : IComponent
    {
        Dictionary<string, object?> parameters = new() { ["Visit"] = this };
        if (model is not null)
        {
            parameters["Model"] = model;
        }

        await using var renderer = new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>());
        return await renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync<TPage>(ParameterView.FromDictionary(parameters))).ToHtmlString());
    }

    public string Link(string path) => Language.Path(path);

    /// <summary>A page. <typeparamref name="TPage"/> takes the visit, and the model if it has one.</summary>
    public IResult Show<TPage>(object? model = null, int status = StatusCodes.Status200OK)
        where TPage : IComponent => new HtmlPage<TPage>(this, model, status);

    /// <summary>After a form: the browser fetches the page, so that loading it again does not submit it again.</summary>
    public IResult See(string path) => new SeeOther(Link(path));

    /// <summary>To the sign-in, and back to <paramref name="path"/> from there.</summary>
    public IResult SignIn(string path) => See(SignInPath(path));

    public static string SignInPath(string path) => "/sign-in?return=" + Uri.EscapeDataString(path);

    /// <summary>
    /// The fields of a form. Null for what is no form or too large; the caller answers with <c>malformed-request</c>.
    /// </summary>
    public static async Task<IFormCollection?> ReadFormAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType)
        {
            return null;
        }

        try
        {
            return await context.Request.ReadFormAsync(FormLimits, context.RequestAborted);
        }
        catch (Exception exception) when (exception is InvalidDataException or NotSupportedException or IOException and not BadHttpRequestException)
        {
            // Too large, in a character set that is not read any more (UTF-7), or multipart that ends halfway.
            return null;
        }
    }

    /// <summary>A path of this shop; anything that a browser could take for another host becomes the list of sales.</summary>
    public static string LocalPath(string? path) =>
        path is ['/', ..]
        && (path.Length == 1 || path[1] is not ('/' or '\\'))
        && !path.AsSpan().ContainsAnyExceptInRange('!', '~')
        && !path.Contains('\\')
            ? path
            : "/";

    private static string PathOf(HttpRequest request, Language language)
    {
        var path = request.Path.ToUriComponent()[(request.Path.StartsWithSegments(language.Prefix) ? language.Prefix.Length : 0)..];
        return (path.Length == 0 ? "/" : path) + (HttpMethods.IsGet(request.Method) ? request.QueryString.ToUriComponent() : "");
    }

    private sealed class HtmlPage<TPage>(Visit visit, object? model, int status) : IResult
        where TPage : IComponent
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var html = await visit.RenderAsync<TPage>(model, httpContext.RequestServices);
            httpContext.Response.StatusCode = status;
            httpContext.Response.ContentType = "text/html; charset=utf-8";
            await httpContext.Response.WriteAsync(html, httpContext.RequestAborted);
        }
    }

    private sealed class SeeOther(string location) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
            httpContext.Response.Headers.Location = location;
            return Task.CompletedTask;
        }
    }
}
