using System.Buffers;

using FlashSale.Server.Http;

namespace FlashSale.Server.Storefront.Publishing;

/// <summary>What the addresses of a published site are on disk, and how each is sent. The same on every web server that serves the folder.</summary>
public static class SitePaths
{
    private static readonly SearchValues<char> Allowed = SearchValues.Create("/-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    public const string Assets = "/assets/";

    /// <summary>What a static host is to send with the files; it is on disk, and not served.</summary>
    public const string Headers = "/_headers";
    public const string Icon = "/icon.svg";

    /// <summary>What a web server in front may answer with when nobody else does.</summary>
    public const string Busy = "/busy";

    private const string IconCaching = "public, max-age=86400";

    public static bool IsAsset(string path) => path.StartsWith(Assets, StringComparison.Ordinal);

    public static bool IsPage(string path) => !path.AsSpan().Contains('.') && path != Headers;

    /// <summary>With slashes, relative to the folder of the version; a page without a name of its own is <c>index.html</c>.</summary>
    /// <exception cref="InvalidDataException">No address of a site has such a path: it might lead out of the folder.</exception>
    public static string FileOf(string path)
    {
        if (path is not ['/', ..] || path.Contains("..", StringComparison.Ordinal) || path.Contains("//", StringComparison.Ordinal)
            || path.AsSpan().ContainsAnyExcept(Allowed))
        {
            throw new InvalidDataException($"'{path}' is not the path of a file of the site.");
        }

        return IsPage(path) ? (Language.All.Any(language => language.Path("/") == path) ? path.TrimEnd('/') + "/index" : path)[1..] + ".html" : path[1..];
    }

    public static string CachingOf(string path) =>
        IsAsset(path) ? WebFile.Caching
        : path.EndsWith(Busy, StringComparison.Ordinal) ? "no-store"
        : IsPage(path) ? PublishedPages.Caching
        : IconCaching;

    public static string ContentTypeOf(string path) =>
        Path.GetExtension(path) switch
        {
            ".js" => WebFile.ScriptType,
            ".svg" => "image/svg+xml",
            _ => HtmlPages.HtmlType,
        };

    /// <summary>The lines of <see cref="Headers"/>. No two patterns match the same path: hosts differ in what they make of that.</summary>
    public static string MakeHeaders(string policy)
    {
        string[] pages = [.. Language.All.Select(language => language.Path("/")), "/sales/*", Language.En.Prefix + "/sales/*", .. Language.All.Select(language => language.Path(Busy))];
        return string.Concat(
            pages.Select(path => $"{path}\n  {Policy}{policy}\n  Referrer-Policy: {StoredAnswer.PageReferrers}\n{Common(path)}")
                .Append($"{Assets}*\n{Common(Assets)}")
                .Append($"{Icon}\n{Common(Icon)}"));

        static string Common(string path) => $"  X-Content-Type-Options: nosniff\n  Cache-Control: {CachingOf(path)}\n";
    }

    /// <summary>The content security policy in the lines of <see cref="Headers"/>: a version brings the one that its pages were made for. Null when there is none.</summary>
    public static string? PolicyIn(string headers) =>
        headers.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith(Policy, StringComparison.Ordinal))?[Policy.Length..];

    private const string Policy = "Content-Security-Policy: ";
}
