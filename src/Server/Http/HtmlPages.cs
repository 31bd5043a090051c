using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http.Features;

namespace FlashSale.Server.Http;

/// <summary>What the pages of the storefront and those of the console have in common: rendering, forms, and where a page may lead.</summary>
public static class HtmlPages
{
    public const string HtmlType = "text/html; charset=utf-8";

    /// <summary>
    /// The whole HTML of a page, before the first byte is sent, so that what breaks can still be answered. The plain renderer is enough: the pages have no
    /// circuits, no state and no anti-forgery tokens (see <see cref="Sessions.IsOwnOrigin"/>), so no keys for them are made or kept.
    /// </summary>
    /// <param name="visit">Its parameter <c>Visit</c>.</param>
    /// <param name="model">Its parameter <c>Model</c>; null when it has none.</param>
    public static async Task<string> RenderAsync<TPage>(object visit, object? model, IServiceProvider services)
        where TPage : IComponent
    {
        Dictionary<string, object?> parameters = new() { ["Visit"] = visit };
        if (model is not null)
        {
            parameters["Model"] = model;
        }

        await using var renderer = new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>());
        return await renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync<TPage>(ParameterView.FromDictionary(parameters))).ToHtmlString());
    }

    public static IResult Show<TPage>(object visit, object? model, int status)
        where TPage : IComponent => new Page<TPage>(visit, model, status);

    /// <summary>303: the browser fetches that page.</summary>
    public static IResult See(string location) => new SeeOther(location);

    /// <summary>The fields of a form; null for what is no form or too large.</summary>
    public static async Task<IFormCollection?> ReadFormAsync(HttpContext context, FormOptions limits)
    {
        if (!context.Request.HasFormContentType)
        {
            return null;
        }

        try
        {
            return await context.Request.ReadFormAsync(limits, context.RequestAborted);
        }
        catch (Exception exception) when (exception is InvalidDataException or NotSupportedException or IOException and not BadHttpRequestException)
        {
            // Too large, in a character set that is not read any more (UTF-7), or multipart that ends halfway.
            return null;
        }
    }

    /// <summary>A path of ours; anything that a browser could take for another host becomes <c>/</c>.</summary>
    public static string LocalPath(string? path) =>
        path is ['/', ..]
        && (path.Length == 1 || path[1] is not ('/' or '\\'))
        && !path.AsSpan().ContainsAnyExceptInRange('!', '~')
        && !path.Contains('\\')
            ? path
            : "/";

    private sealed class Page<TPage>(object visit, object? model, int status) : IResult
        where TPage : IComponent
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var html = await RenderAsync<TPage>(visit, model, httpContext.RequestServices);
            httpContext.Response.StatusCode = status;
            httpContext.Response.ContentType = HtmlType;
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
