using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

using FlashSale.Core.Wire;
using FlashSale.Server.Storefront;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>What holds for every page.</summary>
public sealed class PageTests(DemoShop shop) : IClassFixture<DemoShop>
{
    public static TheoryData<string> Pages =>
    [
        "/", "/en", "/now", "/en/now", "/sign-in", "/en/sign-in", "/orders", "/en/orders", "/orders/none", "/coupons/none", "/sandbox/payments/none", "/sales/none", "/nowhere",
        "/en/nowhere", "/problems/none", "/problems/sold-out",
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Get_WhateverTheAnswer_HasAContentSecurityPolicyAndNoInlineCode(string path)
    {
        using var browser = await shop.OpenSignedInAsync("reader");

        var page = await browser.GetAsync(path);

        Assert.Contains("default-src 'none'", page.Policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", page.Policy, StringComparison.Ordinal);
        Assert.Equal("text/html", page.MediaType);
        Assert.DoesNotMatch("<[a-z][^>]* style=", page.Html);
        var style = Regex.Match(page.Html, "<style>(.*?)</style>", RegexOptions.Singleline | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)).Groups[1].Value;
        Assert.Contains($"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)))}'", page.Policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", page.Policy, StringComparison.Ordinal);
        Assert.DoesNotMatch("<script(?![^>]* src=)", page.Html);
        Assert.Contains(path.StartsWith("/en", StringComparison.Ordinal) ? "<html lang=\"en\">" : "<html lang=\"zh-CN\">", page.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Problem_WhateverItsCode_HasAPageInBothLanguages()
    {
        using var browser = shop.Open();
        foreach (var kind in Problems.All)
        {
            var zh = await browser.GetAsync(kind.Type);
            var en = await browser.GetAsync("/en" + kind.Type);

            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (zh.Status, en.Status));
            Assert.Contains(WebUtility.HtmlEncode(kind.TitleZh), zh.Html, StringComparison.Ordinal);
            Assert.Contains(kind.Title, en.Html, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Get_WhenNothingIsThere_IsAPageForABrowserAndADocumentForOthers()
    {
        using var browser = shop.Open();
        using var client = new HttpClient { BaseAddress = shop.Server.Address };

        var page = await browser.GetAsync("/nowhere");
        var api = await browser.GetAsync("/api/v1/nowhere");
        using var document = await client.GetAsync(new Uri("/nowhere", UriKind.Relative));

        Assert.Equal((HttpStatusCode.NotFound, "text/html"), (page.Status, page.MediaType));
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (api.Status, api.MediaType));
        Assert.Equal("application/problem+json", document.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Get_WhenATitleIsHostile_ShowsItAsText()
    {
        const string Hostile = "<script>alert('x')</script>\"&<img src=x onerror=alert(1)>";
        var sale = await shop.PublishAsync(definition =>
        {
            definition["title"] = new JsonObject { ["zh"] = Hostile, ["en"] = Hostile };
            definition["offers"]![0]!["title"] = new JsonObject { ["zh"] = Hostile, ["en"] = Hostile };
        });
        using var browser = await shop.OpenSignedInAsync("reader");
        var page = "/sales/" + DemoShop.SlugOf(sale);
        await Eventually.HoldsAsync(async () => (await browser.GetAsync("/")).Html.Contains(page, StringComparison.Ordinal), "the list has the sale");
        foreach (var path in (string[])["/", "/now", page, $"{page}/now", "/en" + page, $"{page}/checkout/{sale.OfferId}", $"{page}/checkout/{sale.OfferId}/now"])
        {
            var html = (await browser.GetAsync(path)).Html;

            Assert.DoesNotContain("<script>", html, StringComparison.Ordinal);
            Assert.DoesNotContain("<img", html, StringComparison.Ordinal);
            Assert.Contains("&lt;script&gt;", html, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Post_WhenAnotherSiteSendsIt_IsRefused()
    {
        const string Other = "https://evil.example";
        var sale = await shop.PublishAsync();
        var checkout = $"/sales/{DemoShop.SlugOf(sale)}/checkout/{sale.OfferId}";
        using var browser = await shop.OpenSignedInAsync("victim");
        var token = await browser.OpenCheckoutAsync(checkout);
        await Task.Delay(TimeSpan.FromSeconds(1.1));

        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostFromAsync(Other, checkout, ("token", token))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostFromAsync("null", checkout, ("token", token))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostFromAsync(Other, "/sign-in", ("user", "mallory"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostFromAsync(Other, "/sign-out")).Status);
        var order = (await browser.PostAsync(checkout, ("token", token))).Location!;
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostFromAsync(Other, order + "/cancellation")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostFromAsync(Other, order + "/payment")).Status);
        Assert.Contains("待支付", (await browser.GetAsync(order)).Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/sales/x?a=1", "/sales/x?a=1")]
    [InlineData("//evil.example", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("https://evil.example", "/")]
    [InlineData("/a\r\nSet-Cookie: b=c", "/")]
    [InlineData("/\t/evil.example", "/")]
    [InlineData("", "/")]
    public async Task SignIn_WhateverTheReturnPath_StaysInTheShop(string path, string expected)
    {
        using var browser = shop.Open();

        var answer = await browser.PostAsync("/sign-in", ("user", "ada"), ("return", path));

        Assert.Equal((HttpStatusCode.SeeOther, expected), (answer.Status, answer.Location));
        Assert.Contains("httponly", answer.SetCookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", answer.SetCookie, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("127.0.0.0/8", "https", true)]
    [InlineData("127.0.0.0/8", "http", false)]
    [InlineData("192.0.2.0/24", "https", false)]
    public async Task SignIn_BehindAProxyThatEndsTls_GivesACookieForTlsOnly(string trusted, string scheme, bool secure)
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Demo", "true"), ("ASPNETCORE_ENVIRONMENT", "Development"), ("FlashSale__TrustedProxies", trusted));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = server.Address };

        foreach (var path in new[] { "/sign-in", "/console/sign-in" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative))
            {
                Content = new FormUrlEncodedContent([KeyValuePair.Create("user", "olga"), KeyValuePair.Create("role", "operator")]),
            };
            request.Headers.Add("Origin", server.Address.GetLeftPart(UriPartial.Authority));
            request.Headers.Add("X-Forwarded-Proto", scheme);
            using var answer = await client.SendAsync(request);

            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
            Assert.Equal(secure, Assert.Single(answer.Headers.GetValues("Set-Cookie"), cookie => cookie.Contains("httponly", StringComparison.Ordinal)).Contains("; secure", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task SignOut_WhenSignedIn_EndsTheSession()
    {
        using var browser = await shop.OpenSignedInAsync("ada");
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/orders")).Status);

        await browser.PostAsync("/sign-out");

        Assert.Equal("/sign-in?return=%2Forders", (await browser.GetAsync("/orders")).Location);
    }

    [Fact]
    public async Task SignIn_WhenTheNameIsNotOne_SaysSo()
    {
        using var browser = shop.Open();

        var answer = await browser.PostAsync("/en/sign-in", ("user", "no name"));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        Assert.Contains("This name will not do", answer.Html, StringComparison.Ordinal);
        Assert.Null(answer.SetCookie);
    }

    [Fact]
    public async Task SiteFiles_WhenAskedWithTheirHash_MayBeKeptForGood()
    {
        using var client = new HttpClient { BaseAddress = shop.Server.Address };
        var html = await client.GetStringAsync(new Uri("/", UriKind.Relative));
        var script = Regex.Match(html, "/assets/site\\.([0-9a-f]{12})\\.js", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        using var file = await client.GetAsync(new Uri(script.Value, UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, file.StatusCode);
        Assert.Equal("public, max-age=31536000, immutable", file.Headers.GetValues("Cache-Control").Single());
        Assert.StartsWith(script.Groups[1].Value, Convert.ToHexStringLower(SHA256.HashData(await file.Content.ReadAsByteArrayAsync())), StringComparison.Ordinal);
        using var other = await client.GetAsync(new Uri("/assets/site.000000000000.js", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task Demo_WhenItIsOff_HasNoDemoEndpointsAndNoSignIn()
    {
        await using var server = await TestServer.StartAsync();
        using var browser = new Browser(server.Address);
        using var client = new HttpClient { BaseAddress = server.Address };

        using var session = await client.PostAsync(new Uri("/api/v1/demo/sessions", UriKind.Relative), JsonBody("""{"userId":"ada"}"""));

        Assert.Equal(HttpStatusCode.NotFound, session.StatusCode);
        Assert.Equal("application/problem+json", session.Content.Headers.ContentType?.MediaType);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.PostAsync("/sign-in", ("user", "ada"))).Status);
        Assert.Contains("请从商城登录", (await browser.GetAsync("/sign-in")).Html, StringComparison.Ordinal);
    }

    [Fact]
    public void Label_WhateverTheButton_IsThereInBothLanguages()
    {
        foreach (var button in Enum.GetValues<MainButton>())
        {
            Assert.NotEqual(Language.Zh.Texts.Label(button), Language.En.Texts.Label(button));
        }
    }

    private static StringContent JsonBody(string json) => new(json, Encoding.UTF8, "application/json");
}
