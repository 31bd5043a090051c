using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

using FlashSale.Core.Sales;
using FlashSale.Server.Hosting;
using FlashSale.Server.Jobs;
using FlashSale.Server.Storefront;
using FlashSale.Server.Storefront.Publishing;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

using Xunit;

namespace FlashSale.Tests.Server.Storefront.Publishing;

/// <summary>What is published, when, and how it is answered.</summary>
public sealed partial class PublishedSiteTests : IAsyncLifetime
{
    private static readonly Actor Olga = new("olga", "operator", "test", null);
    private readonly TemporaryFolder folder = new();
    private SteppedServer server = null!;

    public async ValueTask InitializeAsync() => server = await SteppedServer.StartAsync(folder.Path);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip, deflate, br, zstd", "br")]
    [InlineData("br;q=0, GZIP", "gzip")]
    [InlineData("identity", null)]
    public async Task Get_OfAPublishedPage_IsTheSameInEveryCodingWithAllHeaders(string? accepted, string? coding)
    {
        var sale = await PublishAsync();
        var path = "/sales/" + sale.Slug;

        using var answer = await SendAsync(HttpMethod.Get, path + "?utm_source=x", ("Accept-Encoding", accepted), ("Cookie", "flashsale_session=x"));

        var body = await answer.Content.ReadAsByteArrayAsync();
        Assert.Equal(server.Get<PublishedSite>().Shown!.Files[path].Content, Unpack(body, coding));
        Assert.Equal((HttpStatusCode.OK, coding), (answer.StatusCode, answer.Content.Headers.ContentEncoding.SingleOrDefault()));
        Assert.Equal(body.Length, answer.Content.Headers.ContentLength);
        Assert.Equal("text/html; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal(
            [PublishedPages.Caching, "Accept-Encoding", "nosniff", "same-origin", server.Get<SiteFiles>().ContentSecurityPolicy.ToString()],
            new[] { "Cache-Control", "Vary", "X-Content-Type-Options", "Referrer-Policy", "Content-Security-Policy" }.Select(name => string.Join("", answer.Headers.GetValues(name))));
        Assert.StartsWith("W/\"", answer.Headers.GetValues("ETag").Single(), StringComparison.Ordinal);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Get_WithItsTag_IsNotSentAgain_AndHeadHasTheHeadersAlone()
    {
        var sale = await PublishAsync();
        var path = "/en/sales/" + sale.Slug;
        using var whole = await SendAsync(HttpMethod.Get, path);
        var tag = whole.Headers.GetValues("ETag").Single();

        using var again = await SendAsync(HttpMethod.Get, path, ("If-None-Match", $"\"x\", {tag}"));
        using var other = await SendAsync(HttpMethod.Get, path, ("If-None-Match", "W/\"x\""));
        using var head = await SendAsync(HttpMethod.Head, path);

        Assert.Equal((HttpStatusCode.NotModified, HttpStatusCode.OK, HttpStatusCode.OK), (again.StatusCode, other.StatusCode, head.StatusCode));
        Assert.Equal([tag, PublishedPages.Caching, "Accept-Encoding"], new[] { "ETag", "Cache-Control", "Vary" }.Select(name => again.Headers.GetValues(name).Single()));
        Assert.Equal(0, (await again.Content.ReadAsByteArrayAsync()).Length + (await head.Content.ReadAsByteArrayAsync()).Length);
        Assert.Equal(whole.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData("/%2e%2e/_headers")]
    [InlineData("/_headers")]
    [InlineData("/assets/../index.html")]
    [InlineData("/assets/%2e%2e%2findex.html")]
    [InlineData("/assets/site.000000000000.js")]
    [InlineData("/index.html")]
    [InlineData("/sales")]
    [InlineData("/site.css")]
    public async Task Get_OfWhatIsNoAddress_FindsNothing(string path)
    {
        await PublishAsync();
        using var answer = await SendAsync(HttpMethod.Get, path);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Change_OfASale_IsOnItsPageWithinASecond()
    {
        var sale = await PublishAsync();
        var before = server.Get<PublishedSite>().Shown!.Number;
        using var stalls = new Stalls();
        var since = TimeProvider.System.GetTimestamp();

        var renamed = await server.Get<ILedger>().UpdateSaleAsync(sale with { Title = new LocalizedText("中秋", "Mid-Autumn") }, sale.Rev, "sale.change", Olga, CancellationToken.None);
        await Eventually.HoldsAsync(
            async () => (await server.Client.GetStringAsync(new Uri("/en/sales/" + sale.Slug, UriKind.Relative))).Contains("Mid-Autumn", StringComparison.Ordinal), "the page has changed");

        // A busy machine is allowed a second more, and what it stood still.
        Assert.InRange(TimeProvider.System.GetElapsedTime(since) - stalls.LostSince(since), TimeSpan.MinValue, TimeSpan.FromSeconds(2));
        Assert.NotNull(renamed);
        Assert.Equal(before + 1, server.Get<PublishedSite>().Shown!.Number);
        // What changes nothing on the pages makes no version: it would be in the way of a rollback.
        Assert.NotNull(await server.Get<ILedger>().UpdateSaleAsync(renamed with { Status = SaleStatus.Paused }, renamed.Rev, "sale.pause", Olga, CancellationToken.None));
        await Eventually.HoldsAsync(() => server.Get<SaleCatalog>().Find(sale.Id)!.Sale.Status == SaleStatus.Paused, "the sale is paused");
        await Task.Delay(600);
        Assert.Equal(before + 1, server.Get<PublishedSite>().Shown!.Number);
    }

    [Fact]
    public async Task Version_WhileItChangesUnderLoad_IsWholeInEveryAnswer()
    {
        var sale = await PublishAsync();
        using var over = new CancellationTokenSource();
        var reads = new int[4];
        var reading = Enumerable.Range(0, reads.Length).Select(ReadAsync).ToArray();

        var publication = server.Get<SitePublication>();
        for (var number = 0; number < 12; number++)
        {
            // Pages and script of one making: the number stands in both.
            var files = (await publication.RenderAsync(publication.Listed())).ToDictionary();
            var script = files.Keys.Single(path => path.StartsWith("/assets/site.", StringComparison.Ordinal));
            foreach (var page in files.Keys.Where(SitePaths.IsPage).ToArray())
            {
                files[page] = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(files[page]).Replace(script, $"/assets/site.of{number}.js", StringComparison.Ordinal) + $"<!--made {number}-->");
            }

            files[$"/assets/site.of{number}.js"] = Encoding.UTF8.GetBytes($"made {number}");
            await server.Get<ILedger>().PublishSiteAsync($"{number}:{publication.FingerprintOf(publication.Listed()).Split(':')[1]}", files, release: true, Olga, CancellationToken.None);
            await server.Get<PublishedSite>().FollowAsync(CancellationToken.None);

            // A browser fetches what its page refers to before five versions have come after it; on a busy machine one that did not wait would not.
            var before = reads.ToArray();
            await Eventually.HoldsAsync(() => reading.Any(reader => reader.IsFaulted) || Enumerable.Range(0, reads.Length).All(reader => Volatile.Read(ref reads[reader]) > before[reader]), "everybody reads");
        }

        await over.CancelAsync();
        await Task.WhenAll(reading);

        async Task ReadAsync(int reader)
        {
            while (!over.IsCancellationRequested)
            {
                foreach (var path in new[] { "/", "/en/sales/" + sale.Slug, $"/sales/{sale.Slug}/checkout/{sale.Offers[0].Id}" })
                {
                    var html = await server.Client.GetStringAsync(new Uri(path, UriKind.Relative), CancellationToken.None);
                    var script = await server.Client.GetStringAsync(new Uri(ScriptAddress().Match(html).Groups[1].Value, UriKind.Relative), CancellationToken.None);
                    var made = Made().Match(html);
                    Assert.True(made.Success ? script == made.Groups[1].Value : html.EndsWith("</html>", StringComparison.Ordinal), html[^60..]);
                    Interlocked.Increment(ref reads[reader]);
                }
            }
        }
    }

    [Fact]
    public async Task Sale_ThatIsOverForMoreThanAnHour_LeavesTheListAndKeepsItsPage()
    {
        var sale = await PublishAsync();
        Assert.Contains(sale.Slug, await server.Client.GetStringAsync(new Uri("/", UriKind.Relative)), StringComparison.Ordinal);

        server.Time.Advance(sale.ClosesAt - server.Time.GetUtcNow() + TimeSpan.FromMinutes(61));

        await Eventually.HoldsAsync(() => !server.Get<PublishedSite>().Shown!.Files.ContainsKey("/sales/" + sale.Slug), "the sale has left the site");
        Assert.DoesNotContain(sale.Slug, await server.Client.GetStringAsync(new Uri("/", UriKind.Relative)), StringComparison.Ordinal);
        using var page = await SendAsync(HttpMethod.Get, "/sales/" + sale.Slug);
        Assert.Equal((HttpStatusCode.OK, PublishedPages.Caching), (page.StatusCode, page.Headers.GetValues("Cache-Control").Single()));
    }

    /// <summary>A crowd that comes by an old link.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("/en")]
    public async Task Sale_ThatHasLeftTheSite_IsRenderedOnceAndSentLikeAPublishedPage(string prefix)
    {
        var sale = await PublishAsync();
        server.Time.Advance(sale.ClosesAt - server.Time.GetUtcNow() + TimeSpan.FromMinutes(61));
        await Eventually.HoldsAsync(() => !server.Get<PublishedSite>().Shown!.Files.ContainsKey("/sales/" + sale.Slug), "the sale has left the site");
        foreach (var path in new[] { $"{prefix}/sales/{sale.Slug}", $"{prefix}/sales/{sale.Slug}/checkout/{sale.Offers[0].Id}" })
        {
            using var packed = await SendAsync(HttpMethod.Get, path + "?utm_source=x", ("Accept-Encoding", "br"));
            Assert.Equal((HttpStatusCode.OK, "br"), (packed.StatusCode, string.Join(' ', packed.Content.Headers.ContentEncoding)));
            Assert.Equal(
                [PublishedPages.Caching, "Accept-Encoding", "nosniff", "same-origin", server.Get<SiteFiles>().ContentSecurityPolicy.ToString()],
                new[] { "Cache-Control", "Vary", "X-Content-Type-Options", "Referrer-Policy", "Content-Security-Policy" }.Select(name => string.Join("", packed.Headers.GetValues(name))));
            using var again = await SendAsync(HttpMethod.Get, path, ("If-None-Match", packed.Headers.ETag!.ToString()));
            Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
            using var plain = await SendAsync(HttpMethod.Get, path);
            Assert.Equal(await plain.Content.ReadAsByteArrayAsync(), Unpack(await packed.Content.ReadAsByteArrayAsync(), "br"));
            Assert.Contains($"<html lang=\"{(prefix.Length > 0 ? "en" : "zh-CN")}\">", await plain.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Busy_AsAFile_AsksAgainByItsScriptAndSlowlyWithoutOne()
    {
        await PublishAsync();
        foreach (var path in new[] { "/busy", "/en/busy" })
        {
            var html = Encoding.UTF8.GetString(server.Get<PublishedSite>().Shown!.Files[path].Content);
            // Whoever has no script comes back as one of a crowd, and so not soon.
            Assert.Contains("<noscript><meta http-equiv=\"refresh\" content=\"10\" /></noscript>", html, StringComparison.Ordinal);
            Assert.Single(Regex.Matches(html, "http-equiv", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)));
            Assert.Contains("data-page=\"busy\"", html, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Rendering_WhenItFails_KeepsWhatIsPublishedAndSaysSo()
    {
        await PublishAsync();
        var (site, status, ledger) = (server.Get<PublishedSite>(), server.Get<SiteStatus>(), server.Get<ILedger>());
        var shown = site.Shown;
        // It cannot have what it needs for a page.
        await using var nothing = new ServiceCollection().BuildServiceProvider();
        var broken = new SitePublication(
            new PublishedPages(server.Get<SiteFiles>(), server.Get<Settings>(), nothing), server.Get<SiteFiles>(), new SaleCatalog(), server.Get<Settings>(), server.Time);
        var log = new CountingLog();
        using var publisher = new SitePublisher(ledger, site, broken, status, server.Get<Readiness>(), new Instance("broken"), server.Time, log);
        await ledger.ReleaseLeaseAsync("site", server.Get<Instance>().Id, CancellationToken.None);

        await publisher.StartAsync(CancellationToken.None);
        await Eventually.HoldsAsync(() => status.Problem is not null, "it has failed");
        server.Time.Advance(TimeSpan.FromSeconds(6));
        await Task.Delay(600);
        await publisher.StopAsync(CancellationToken.None);

        Assert.Same(shown, site.Shown);
        Assert.StartsWith("The pages could not be made: ", status.Problem, StringComparison.Ordinal);
        Assert.Equal(1, log.Errors);
    }

    [Fact]
    public async Task Disk_WhenItCannotBeWritten_IsSaidAndServingGoesOn()
    {
        await server.DisposeAsync();
        var data = folder.File("full");
        Directory.CreateDirectory(data);
        await File.WriteAllTextAsync(Path.Combine(data, "site"), "in the way");
        server = await SteppedServer.StartAsync(data);

        var sale = await PublishAsync();

        await Eventually.HoldsAsync(() => server.Get<SiteStatus>().DiskProblem is not null, "the disk has failed");
        using var page = await SendAsync(HttpMethod.Get, "/sales/" + sale.Slug);
        Assert.Equal((HttpStatusCode.OK, 0), (page.StatusCode, server.Get<SiteStatus>().OnDisk));
        File.Delete(Path.Combine(data, "site"));
        server.Time.Advance(TimeSpan.FromSeconds(6));
        await Eventually.HoldsAsync(() => server.Get<SiteStatus>() is { DiskProblem: null } status && status.OnDisk == status.Shown, "the disk is well again");
    }

    [Fact]
    public async Task Disk_WhenTheProcessEndedBeforeItWasWritten_HasTheVersionAfterTheNextStart()
    {
        var sale = await PublishAsync();
        var number = server.Get<PublishedSite>().Shown!.Number;
        await Eventually.HoldsAsync(() => server.Get<SiteStatus>().OnDisk == number, "it is written");
        await server.DisposeAsync();
        var page = folder.File($"site/current/sales/{sale.Slug}.html");
        var whole = await File.ReadAllBytesAsync(page);
        // As if the ledger had it, and the disk not yet.
        await File.WriteAllBytesAsync(page, whole[..100]);
        File.Delete(folder.File("site/current"));

        server = await SteppedServer.StartAsync(folder.Path);

        await Eventually.HoldsAsync(() => server.Get<SiteStatus>().OnDisk == server.Get<SiteStatus>().Shown && server.Get<SiteStatus>().Shown == number, "the same version is there again");
        Assert.Equal(whole, await File.ReadAllBytesAsync(page));
    }

    [Fact]
    public async Task Page_OfAnotherBuild_IsSentWithItsOwnPolicy()
    {
        await PublishAsync();
        var other = new Dictionary<string, byte[]>
        {
            ["/"] = "<style>b</style> of another build"u8.ToArray(),
            [SitePaths.Headers] = Encoding.UTF8.GetBytes(SitePaths.MakeHeaders("style-src 'sha256-of-another-build'")),
        };

        await server.Get<ILedger>().PublishSiteAsync("another build", other, release: true, Olga, CancellationToken.None);
        // This build publishes its own; an operator goes back to the one before.
        await Eventually.HoldsAsync(async () => (await server.Get<ILedger>().ReadSiteAsync(CancellationToken.None)).Versions[0].MadeBy == "system", "this build has published");
        Assert.NotNull(await server.Get<ILedger>().RollBackSiteAsync(Olga, CancellationToken.None));
        await server.Get<PublishedSite>().FollowAsync(CancellationToken.None);

        using var page = await SendAsync(HttpMethod.Get, "/");
        Assert.Contains("another build", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("style-src 'sha256-of-another-build'", page.Headers.GetValues("Content-Security-Policy").Single());
        using var script = await SendAsync(HttpMethod.Get, server.Get<SiteFiles>().Script);
        Assert.Equal(HttpStatusCode.OK, script.StatusCode);
    }

    /// <summary>Another instance has sent a page that refers to it, a moment before this one follows.</summary>
    [Fact]
    public async Task File_ThatWasPublishedThisMoment_IsThereAtOnce()
    {
        await PublishAsync();
        for (var number = 0; number < 4; number++)
        {
            var late = $"/assets/late.{number}.js";
            await server.Get<ILedger>().PublishSiteAsync($"late {number}", new Dictionary<string, byte[]> { ["/"] = [1], [late] = "late"u8.ToArray() }, release: true, Olga, CancellationToken.None);

            using var file = await SendAsync(HttpMethod.Get, late);

            Assert.Equal((HttpStatusCode.OK, "late"), (file.StatusCode, await file.Content.ReadAsStringAsync()));
            Assert.Equal("public, max-age=31536000, immutable", file.Headers.GetValues("Cache-Control").Single());
        }
    }

    private async Task<Sale> PublishAsync()
    {
        var sale = await server.PublishAsync();
        await Eventually.HoldsAsync(() => server.Get<PublishedSite>().Shown?.Files.ContainsKey("/sales/" + sale.Slug) == true, "the sale is published");
        return sale;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params IReadOnlyList<(string Name, string? Value)> headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(server.Address.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        foreach (var (name, value) in headers.Where(header => header.Value is not null))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await server.Client.SendAsync(request);
    }

    private static byte[] Unpack(byte[] body, string? coding)
    {
        using var packed = new MemoryStream(body);
        using Stream stream = coding switch { "gzip" => new GZipStream(packed, CompressionMode.Decompress), "br" => new BrotliStream(packed, CompressionMode.Decompress), _ => packed };
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    [GeneratedRegex("<script type=\"module\" src=\"([^\"]+)\"", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex ScriptAddress();

    [GeneratedRegex("<!--(made [0-9]+)-->$", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Made();

    private sealed class CountingLog : ILogger<SitePublisher>
    {
        private int errors;

        public int Errors => errors;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Error)
            {
                Interlocked.Increment(ref errors);
            }
        }
    }
}
