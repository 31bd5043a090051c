using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

using FlashSale.Tests.Server.Console;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Server.Storefront.Publishing;

/// <summary>Two instances on one ledger show the same pages, whoever made them, and have each other's files.</summary>
public sealed class SiteInstancesTests
{
    private static readonly TimeSpan HoldsWithin = TimeSpan.FromSeconds(1);

    /// <summary>What a busy machine adds.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Site_OnTwoInstances_IsTheSameWithinASecond()
    {
        await using var mariaDb = await MariaDb.StartAsync();
        (string, string)[] settings =
        [
            (TestServer.AuthKeySetting, TestServer.NewKey()), ("FlashSale__Ledger__Provider", "mysql"),
            ("ConnectionStrings__Ledger", mariaDb.ConnectionString(await mariaDb.CreateDatabaseAsync(), "SslMode=Disabled")),
        ];
        await using var one = await TestServer.StartAsync(settings);
        await using var two = await TestServer.StartAsync(settings);
        var sale = await ShopSale.OpenAsync(one, new ShopTerms());

        var list = await SameAsync(one, two, html => html.Contains("/sales/shop-", StringComparison.Ordinal));
        await RollBackAsync(two, one);
        await SameAsync(one, two, html => html != list);

        // Published at one, and the pages that it gives find their files at the other at once.
        await PostAsync(one, "site/publication");
        var html = await PageAsync(one);
        Assert.Equal(list, html);
        var script = Regex.Match(html, "/assets/site\\.[0-9a-f]{12}\\.js", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)).Value;
        using var asset = await two.Anonymous().GetAsync(new Uri(script, UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, asset.StatusCode);
        await SameAsync(one, two, page => page == list);

        // The one that publishes dies, and the other takes over.
        await one.KillAsync();
        await ShopSale.OpenAsync(two, new ShopTerms());
        await Eventually.HoldsAsync(async () => await PageAsync(two) != list, "the other publishes");
        await one.RestartAsync();
        await SameAsync(one, two, page => page != list);
        Assert.NotNull(sale);
    }

    /// <summary>The page of both, when it is as it should be, within a second of now.</summary>
    private static async Task<string> SameAsync(TestServer one, TestServer two, Func<string, bool> isRight)
    {
        await Eventually.HoldsAsync(async () => isRight(await PageAsync(one)) && await PageAsync(one) == await PageAsync(two), "both show the same");
        return await PageAsync(one);
    }

    private static async Task RollBackAsync(TestServer at, TestServer other)
    {
        var before = await PageAsync(other);
        await PostAsync(at, "site/rollback");
        using var stalls = new Stalls();
        var since = TimeProvider.System.GetTimestamp();
        Assert.True(before != await PageAsync(at), (await ConsoleServer.SendAsync(at.Operator(), HttpMethod.Get, "site")).Text);
        await Eventually.HoldsAsync(async () => await PageAsync(other) != before, "the other instance has rolled back");
        Assert.InRange(TimeProvider.System.GetElapsedTime(since) - stalls.LostSince(since), TimeSpan.MinValue, HoldsWithin + Slack);
    }

    private static async Task PostAsync(TestServer server, string path) =>
        (await ConsoleServer.SendAsync(server.Operator(), HttpMethod.Post, path, new JsonObject { ["reason"] = "a test" })).Expect(HttpStatusCode.OK);

    private static Task<string> PageAsync(TestServer server) => server.Anonymous().GetStringAsync(new Uri("/", UriKind.Relative));
}
