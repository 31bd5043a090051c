using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

using FlashSale.Server.Storefront;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>The variants of list, sale and checkout that are the same for everybody.</summary>
public sealed class PublishedPageTests(DemoShop shop) : IClassFixture<DemoShop>
{
    [Theory]
    [InlineData("", "list")]
    [InlineData("/en", "list")]
    [InlineData("/sales/{0}", "sale")]
    [InlineData("/en/sales/{0}", "sale")]
    [InlineData("/sales/{0}/checkout/{1}", "checkout")]
    [InlineData("/en/sales/{0}/checkout/{1}", "checkout")]
    public async Task Get_WhoeverAsks_IsTheSamePage(string address, string kind)
    {
        var sale = await shop.PublishAsync(offers: 2);
        var path = string.Format(System.Globalization.CultureInfo.InvariantCulture, address, DemoShop.SlugOf(sale), sale.OfferId);
        using var stranger = shop.Open();
        using var shopper = await shop.OpenSignedInAsync("somebody-else");
        await shopper.OrderAsync($"/sales/{DemoShop.SlugOf(sale)}/checkout/{sale.OfferId}");

        var first = await stranger.GetAsync(path.Length == 0 ? "/" : path);
        var second = await shopper.GetAsync(path.Length == 0 ? "/" : path);

        Assert.Equal(HttpStatusCode.OK, first.Status);
        Assert.Equal(first.Html, second.Html);
        Assert.Null(first.SetCookie);
        Assert.Null(second.SetCookie);
        Assert.DoesNotContain("somebody-else", second.Html, StringComparison.Ordinal);
        Assert.Contains($"data-page=\"{kind}\"", first.Html, StringComparison.Ordinal);
        Assert.Contains($"<noscript><meta http-equiv=\"refresh\" content=\"0; url={path}/now\" /></noscript>", first.Html, StringComparison.Ordinal);
        Assert.All(first.Buttons, state => Assert.Equal("loading", state));
        Assert.Equal(kind switch { "sale" => 2, "checkout" => 1, _ => 0 }, first.Buttons.Count);
        Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync(path.Length == 0 ? "/now" : path)).Status);
    }

    [Fact]
    public async Task Get_OfASale_TellsTheScriptWhatItNeeds()
    {
        var sale = await shop.PublishAsync(offers: 2);
        using var browser = shop.Open();

        var page = await browser.GetAsync("/en/sales/" + DemoShop.SlugOf(sale));

        var json = Regex.Match(page.Html, "data-json=\"([^\"]*)\"", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)).Groups[1].Value;
        var data = JsonElement.Parse(WebUtility.HtmlDecode(json));
        Assert.Equal("/en", data.GetProperty("prefix").GetString());
        var told = data.GetProperty("sale");
        Assert.Equal(sale.Id, told.GetProperty("id").GetString());
        Assert.Equal(sale.Json.GetProperty("opensAt").GetDateTimeOffset().ToUnixTimeMilliseconds(), told.GetProperty("opensAt").GetInt64());
        Assert.False(told.GetProperty("requiresReservation").GetBoolean());
        Assert.Equal([sale.OfferId, sale.Json.GetProperty("offers")[1].GetProperty("id").GetString()], told.GetProperty("offers").EnumerateArray().Select(offer => offer.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task RenderAsync_OutsideARequest_GivesThePagesThatAreServed()
    {
        using var folder = new TemporaryFolder();
        await using var server = await SteppedServer.StartAsync(folder.Path);
        var sale = await server.PublishAsync();
        var live = server.Get<SaleCatalog>().Find(sale.Id)!;

        var pages = await server.Get<PublishedPages>().RenderAsync([live]);

        Assert.Equal(
            new[] { "/", $"/sales/{sale.Slug}", $"/sales/{sale.Slug}/checkout/{sale.Offers[0].Id}" }.SelectMany(path => new[] { path, path == "/" ? "/en" : "/en" + path }).Order(StringComparer.Ordinal),
            pages.Keys.Order(StringComparer.Ordinal));
        foreach (var (path, html) in pages)
        {
            var address = new Uri(path, UriKind.Relative);
            await Eventually.HoldsAsync(async () => Convert.ToHexString(await server.Client.GetByteArrayAsync(address)) == Convert.ToHexString(html), "the same page is published");
            using var answer = await server.Client.GetAsync(address);
            Assert.Equal(PublishedPages.Caching, answer.Headers.GetValues("Cache-Control").Single());
        }
    }
}
