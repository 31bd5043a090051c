using System.Security.Cryptography;

namespace FlashSale.Server.Storefront;

/// <summary>The addresses of the static files, with a hash of their content: what has changed has another address.</summary>
public sealed class SiteFiles(IWebHostEnvironment environment)
{
    public string Style { get; } = Address(environment, "site.css");

    public string Script { get; } = Address(environment, "site.js");

    /// <summary>Solves challenges, beside the page.</summary>
    public string Worker { get; } = Address(environment, "challenge.js");

    private static string Address(IWebHostEnvironment environment, string name)
    {
        using var content = environment.WebRootFileProvider.GetFileInfo(name).CreateReadStream();
        return $"/{name}?v={Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 6))}";
    }
}

public static class SiteFilesExtensions
{
    /// <summary>wwwroot: for good under an address with a hash, else for a minute.</summary>
    public static void UseSiteFiles(this IApplicationBuilder app) => app.UseStaticFiles(new StaticFileOptions
    {
        OnPrepareResponse = response =>
        {
            var headers = response.Context.Response.Headers;
            headers.CacheControl = response.Context.Request.Query.ContainsKey("v") ? "public, max-age=31536000, immutable" : "public, max-age=60";
            headers.XContentTypeOptions = "nosniff";
        },
    });
}
