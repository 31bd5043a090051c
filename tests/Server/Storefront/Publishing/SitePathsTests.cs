using FlashSale.Server.Storefront;
using FlashSale.Server.Storefront.Publishing;

using Xunit;

namespace FlashSale.Tests.Server.Storefront.Publishing;

public sealed class SitePathsTests
{
    [Theory]
    [InlineData("/", "index.html")]
    [InlineData("/en", "en/index.html")]
    [InlineData("/sales/x", "sales/x.html")]
    [InlineData("/en/sales/en", "en/sales/en.html")]
    [InlineData("/sales/x/checkout/1aB", "sales/x/checkout/1aB.html")]
    [InlineData("/busy", "busy.html")]
    [InlineData("/assets/site.0123456789ab.js", "assets/site.0123456789ab.js")]
    [InlineData("/icon.svg", "icon.svg")]
    [InlineData("/_headers", "_headers")]
    public void FileOf_AnAddress_IsWhereAStaticHostLooks(string path, string file) => Assert.Equal(file, SitePaths.FileOf(path));

    [Theory]
    [InlineData("")]
    [InlineData("sales/x")]
    [InlineData("//x")]
    [InlineData("/../x")]
    [InlineData("/sales/..")]
    [InlineData("/sales/a\\..\\b")]
    [InlineData("/sales/%2e%2e")]
    [InlineData("/sales/a\0b")]
    [InlineData("/sales/中")]
    public void FileOf_APathThatMightLeadElsewhere_Throws(string path) => Assert.Throws<InvalidDataException>(() => SitePaths.FileOf(path));

    [Theory]
    [InlineData("/", PublishedPages.Caching)]
    [InlineData("/en/sales/x", PublishedPages.Caching)]
    [InlineData("/en/busy", "no-store")]
    [InlineData("/assets/a.js", "public, max-age=31536000, immutable")]
    [InlineData("/icon.svg", "public, max-age=86400")]
    public void CachingOf_AnAddress_IsAsItIsSent(string path, string caching) => Assert.Equal(caching, SitePaths.CachingOf(path));

    [Fact]
    public void MakeHeaders_ForAnyAddress_HasOnePatternAndGivesItsPolicyBack()
    {
        const string Policy = "default-src 'none'; style-src 'sha256-x='";
        var headers = SitePaths.MakeHeaders(Policy);
        var patterns = headers.Split('\n').Where(line => line.StartsWith('/')).ToArray();

        Assert.Equal(Policy, SitePaths.PolicyIn(headers));
        Assert.Null(SitePaths.PolicyIn("/*\n  Cache-Control: no-store\n"));
        foreach (var path in new[] { "/", "/en", "/sales/x", "/en/sales/x", "/sales/x/checkout/1", "/busy", "/en/busy", "/assets/a.js", "/icon.svg" })
        {
            var matching = Assert.Single(patterns, pattern => pattern.EndsWith('*') ? path.StartsWith(pattern[..^1], StringComparison.Ordinal) : pattern == path);
            Assert.Contains(SitePaths.CachingOf(path), headers[headers.IndexOf($"{matching}\n", StringComparison.Ordinal)..].Split("\n/")[0], StringComparison.Ordinal);
        }
    }
}
