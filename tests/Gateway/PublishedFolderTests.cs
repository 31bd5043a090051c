using System.Net;
using System.Text;

using FlashSale.Server.Http;
using FlashSale.Server.Storefront;
using FlashSale.Server.Storefront.Publishing;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>Published pages that nginx takes from the disk of an instance beside it.</summary>
public sealed class PublishedFolderTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private GatewayRig rig = null!;

    public async ValueTask InitializeAsync()
    {
        // nginx's workers are nobody in particular.
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_101_101);
        }

        Write(1);
        rig = await GatewayRig.StartAsync(site: site => site with { Published = folder.Path });
        rig.Application.AnswerAsync = request => Task.FromResult<StubAnswer?>(
            new StubAnswer(200, "of the application " + request.Line, "Content-Type: text/html\r\nCache-Control: public, max-age=10\r\n"));
    }

    public async ValueTask DisposeAsync()
    {
        await rig.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData("/", "list 1")]
    [InlineData("/en", "en 1")]
    [InlineData("/en/", "en 1")]
    [InlineData("/sales/a?utm=x", "sale 1")]
    [InlineData("/sales/a/checkout/1F", "checkout 1")]
    public async Task Page_ThatIsPublished_ComesFromDiskAsTheApplicationSendsIt(string path, string text)
    {
        var plain = (await rig.GetAsync(path, ("Cookie", "flashsale_session=x"))).Expect(HttpStatusCode.OK);
        var packed = (await rig.GetAsync(path, ("Accept-Encoding", "gzip, br"))).Expect(HttpStatusCode.OK);

        Assert.StartsWith(text, plain.Body, StringComparison.Ordinal);
        Assert.Equal(
            ["text/html; charset=utf-8", PublishedPages.Caching, "Accept-Encoding", "policy 1", "nosniff", "same-origin"],
            new[] { "Content-Type", "Cache-Control", "Vary", "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy" }.Select(name => plain.Headers[name]));
        Assert.Equal("gzip", packed.Headers["Content-Encoding"]);
        (await rig.GetAsync(path, ("If-None-Match", plain.Headers["ETag"]))).Expect(HttpStatusCode.NotModified);
        Assert.Empty(rig.Application.Requests);
        Assert.True(await rig.MetricAsync("flashsale_gateway_outcomes_total{class=\"page\",outcome=\"answered\"}") >= 2);
    }

    [Fact]
    public async Task File_ThatIsPublished_MayBeKeptForGood()
    {
        var script = (await rig.GetAsync("/assets/site.js")).Expect(HttpStatusCode.OK);
        Assert.Equal(["text/javascript", "public, max-age=31536000, immutable"], new[] { "Content-Type", "Cache-Control" }.Select(name => script.Headers[name]));
        Assert.False(script.Headers.ContainsKey("Content-Security-Policy"));
        Assert.Equal("public, max-age=86400", (await rig.GetAsync("/icon.svg")).Headers["Cache-Control"]);
        Assert.Empty(rig.Application.Requests);
    }

    [Fact]
    public async Task Version_WhenItIsSwitched_IsServedAtOnceWithItsOwnPolicy()
    {
        Assert.Equal("policy 1", (await rig.GetAsync("/")).Headers["Content-Security-Policy"]);
        for (var number = 2; number < 12; number++)
        {
            Write(number);
            var page = await rig.GetAsync("/");
            Assert.StartsWith($"list {number}", page.Body, StringComparison.Ordinal);
            Assert.Equal($"policy {number}", page.Headers["Content-Security-Policy"]);
        }
    }

    [Theory]
    [InlineData("GET", "/sales/other")]
    [InlineData("POST", "/sales/a/checkout/1F")]
    [InlineData("GET", "/sales/a/now")]
    [InlineData("GET", "/assets/other.js")]
    public async Task Request_ForWhatIsNotOnDisk_IsTheApplications(string method, string path)
    {
        var reply = await rig.SendAsync(HttpMethod.Parse(method), path, null, method == "POST" ? new StringContent("token=x") : null);
        Assert.Equal($"of the application {method} {path} HTTP/1.1", reply.Expect(HttpStatusCode.OK).Body);
    }

    [Theory]
    [InlineData("/_headers")]
    [InlineData("/sales/a.html")]
    [InlineData("/index.html")]
    [InlineData("/assets/..%2f_headers")]
    [InlineData("/assets/%2e%2e/_headers")]
    public async Task Request_ForAFileThatIsNoAddress_IsTheApplicationsToRefuse(string path) =>
        Assert.StartsWith("of the application ", (await rig.GetAsync(path)).Body, StringComparison.Ordinal);

    [Fact]
    public async Task Page_WhenNothingIsOnDisk_IsFetchedForAll()
    {
        File.Delete(folder.File("current"));

        Assert.Equal("of the application GET / HTTP/1.1", (await rig.GetAsync("/")).Body);
        Assert.Equal("of the application GET / HTTP/1.1", (await rig.GetAsync("/")).Body);
        Assert.Single(rig.Application.Requests);
    }

    private void Write(int number)
    {
        StoredAnswer Page(string text) => new(Encoding.UTF8.GetBytes($"{text} {number} {new string('x', 2_000)}"), "text/html", "public", "p");
        new SiteFolder(folder.Path).Write(new ShownSite(
            number,
            [number],
            new Dictionary<string, StoredAnswer>
            {
                ["/"] = Page("list"),
                ["/en"] = Page("en"),
                ["/sales/a"] = Page("sale"),
                ["/sales/a/checkout/1F"] = Page("checkout"),
                ["/assets/site.js"] = new("script"u8.ToArray(), "text/javascript", "x", null),
                ["/icon.svg"] = new("<svg/>"u8.ToArray(), "image/svg+xml", "x", null),
            },
            Encoding.UTF8.GetBytes(SitePaths.MakeHeaders($"policy {number}"))));
    }
}
