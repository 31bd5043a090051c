using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

using FlashSale.Server.Http;
using FlashSale.Server.Storefront.Publishing;

using Microsoft.Extensions.Primitives;

namespace FlashSale.Server.Storefront;

/// <summary>
/// What every page needs beside its own text: the style, which stands in the page itself, so that a page is readable with its first bytes, and the scripts.
/// </summary>
public sealed partial class SiteFiles
{
    public SiteFiles(IWebHostEnvironment environment)
    {
        Style = Shorten(Encoding.UTF8.GetString(WebFile.Read(environment, "site.css")));
        StyleHash = "'sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style))) + "'";
        ContentSecurityPolicy =
            $"default-src 'none'; style-src 'self' {StyleHash}; script-src 'self'; worker-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
        var script = WebFile.Of(environment, SitePaths.Assets, "site.js");
        var worker = WebFile.Of(environment, SitePaths.Assets, "challenge.js");
        Icon = WebFile.Read(environment, "icon.svg");
        Script = script.Address;
        Worker = worker.Address;
        Assets = [script, worker];
    }

    /// <summary>The text between <c>&lt;style&gt;</c> and <c>&lt;/style&gt;</c> of every page.</summary>
    public string Style { get; }

    /// <summary>As a source of <c>style-src</c>, quotes included.</summary>
    public string StyleHash { get; }

    /// <summary>Everything comes from us, the page holds no script and no style but this one, and nobody frames it.</summary>
    public StringValues ContentSecurityPolicy { get; }

    public byte[] Icon { get; }

    public string Script { get; }

    /// <summary>Solves challenges, beside the page.</summary>
    public string Worker { get; }

    /// <summary>What the pages of this build refer to.</summary>
    public IReadOnlyList<WebFile> Assets { get; }

    /// <summary>Without comments and indentation. Line ends stay: an HTML parser reads CR LF as LF, and the hash is of what it reads.</summary>
    private static string Shorten(string style) => BlankLines().Replace(Comments().Replace(style, ""), "\n").Trim();

    [GeneratedRegex(@"/\*.*?\*/", RegexOptions.Singleline | RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Comments();

    [GeneratedRegex(@"\s*\n\s*", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex BlankLines();
}
