using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

using FlashSale.Tests.Faults;
using FlashSale.Tests.Server;
using FlashSale.Tests.Server.Console;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Deploy;

/// <summary>Rules and dashboards ask for what there is: two instances behind a gateway have sold something, and every name of every expression is looked for in what they say.</summary>
[Collection(FaultCollection.Name)]
public sealed class MetricNamesTests(FaultServers servers)
{
    /// <summary>Prometheus adds these, or has them of its own.</summary>
    private static readonly string[] OfPrometheus = ["up", "ALERTS", "job", "instance", "site"];
    private static readonly (string Key, string Value)[] YoungTokens = [Crash.CrashServer.YoungTokens];

    /// <summary>What jobs measure, and not the requests themselves.</summary>
    private static readonly string[] WrittenSoon = ["flashsale_ledger_batch_orders_count", "state=\"gate_stock\""];

    [Theory]
    [InlineData("sum by (le, sale) (rate(a_b{x=\"1\",y=~\"p|q\"}[5m])) / (c:d > 0)", "a_b x=1 y=p|q; c:d")]
    [InlineData("max(up) == 0 or absent(up{job=\"z\"})", "up; up job=z")]
    [InlineData("m and on (sale) max by (sale) (n) < 3e2 unless on (sale) o == 1", "m; n; o")]
    [InlineData("histogram_quantile(0.99, sum by (le) (rate(h_bucket{instance=~\"$instance\"}[$__rate_interval])))", "h_bucket instance=$instance")]
    public void Names_WhenAnExpressionIsRead_AreThoseOfItsSeries(string expression, string names) =>
        Assert.Equal(names, string.Join("; ", MetricNames.Of(expression).Select(one => string.Join(' ', [one.Name, .. one.Labels.Select(label => $"{label.Label}={label.Value}")]))));

    [Fact]
    public async Task Expressions_WhenTheShopHasSoldSomething_NameWhatIsThere()
    {
        var there = MetricNames.Read(await SellAndReadAsync());

        List<string> faults = [];
        var looked = 0;
        foreach (var (where, expression) in AlertFiles.RuleExpressions().Concat(AlertFiles.DashboardExpressions()))
        {
            var names = MetricNames.Of(expression).ToArray();
            Assert.True(names.Length > 0, $"{where}: no name in {expression}");
            foreach (var (name, labels) in names.Where(one => !OfPrometheus.Contains(one.Name) && !AlertFiles.Recorded.Contains(one.Name)))
            {
                looked++;
                var lines = there[name].ToArray();
                faults.AddRange(lines.Length == 0
                    ? [$"{where}: there is no {name}"]
                    : labels.Where(label => !OfPrometheus.Contains(label.Label)).SelectMany(label => Missing(where, name, label, lines)));
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults.Distinct()));
        Assert.True(looked > 100);
    }

    [Fact]
    public void Dashboards_WhenTheyAreRead_HaveUnitsTitlesAndVariables()
    {
        Assert.Equal(["dependencies", "runtime", "sale", "service"], AlertFiles.Dashboards.Select(file => Path.GetFileNameWithoutExtension(file)));
        foreach (var file in AlertFiles.Dashboards)
        {
            using var document = JsonDocument.Parse(Repository.Read(file));
            var root = document.RootElement;
            var panels = root.GetProperty("panels").EnumerateArray().Where(panel => panel.GetProperty("type").GetString() != "row").ToArray();
            Assert.True(panels.Length >= 10);
            Assert.All(panels, panel => Assert.NotEmpty(panel.GetProperty("fieldConfig").GetProperty("defaults").GetProperty("unit").GetString()!));
            Assert.Equal(panels.Length, panels.Select(panel => panel.GetProperty("title").GetString()).Distinct().Count());
            Assert.Equal(root.GetProperty("panels").GetArrayLength(), root.GetProperty("panels").EnumerateArray().Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
            var variables = root.GetProperty("templating").GetProperty("list").EnumerateArray().Select(variable => variable.GetProperty("name").GetString()).ToArray();
            Assert.Contains("datasource", variables);
            Assert.Contains("instance", variables);
            Assert.Equal(file.EndsWith("/sale.json", StringComparison.Ordinal), variables.Contains("sale"));
        }
    }

    [Theory]
    [InlineData("reason=shed|queue_full", "")]
    [InlineData("reason=shed|queue-full", "x: m has no reason=\"queue-full\"")]
    [InlineData("reason=she", "x: m has no reason=\"she\"")]
    [InlineData("reasons=shed", "x: m has no label reasons")]
    [InlineData("roles=(.+,)?jobs(,.+)?", "")]
    [InlineData("roles=(.+,)?job(,.+)?", "x: m has no roles=\"(.+,)?job(,.+)?\"")]
    [InlineData("reason=$reason", "")]
    public void Missing_WhenAValueIsMisspelt_SaysWhich(string asked, string missing)
    {
        string[] lines = ["m{reason=\"shed\",roles=\"orders,jobs\"} 0", "m{reason=\"queue_full\",roles=\"orders\"} 0"];
        Assert.Equal(missing, string.Join('\n', Missing("x", "m", (asked.Split('=')[0], asked.Split('=')[1]), lines)));
    }

    /// <summary>A label that no line has; or, where values are asked for, one that no line has: what only trouble counts is listed at 0.</summary>
    private static IEnumerable<string> Missing(string where, string name, (string Label, string Value) asked, string[] lines)
    {
        var values = lines.SelectMany(line => MetricNames.Values(line, asked.Label)).ToHashSet(StringComparer.Ordinal);
        if (values.Count == 0)
        {
            yield return $"{where}: {name} has no label {asked.Label}";
        }
        else if (!asked.Value.Contains('$', StringComparison.Ordinal))
        {
            // One after the other, unless it is more than a list of words.
            foreach (var value in asked.Value.Contains('(', StringComparison.Ordinal) ? [asked.Value] : asked.Value.Split('|'))
            {
                if (!values.Any(there => Regex.IsMatch(there, $"^(?:{value})$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1))))
                {
                    yield return $"{where}: {name} has no {asked.Label}=\"{value}\"";
                }
            }
        }
    }

    private async Task<string> SellAndReadAsync()
    {
        await using var site = await Site.StartAsync(servers, YoungTokens, YoungTokens);
        var sale = await site.OpenSaleAsync(stock: 5);
        await using var gateway = await Nginx.StartAsync(NginxSite.Of(site.Instances[0].Address.Port) with { SessionKey = site.Instances[0].AuthKey, TokenKeys = ["derived"] });
        foreach (var user in new[] { "anna", "ben" })
        {
            await BuyAsync(site, sale.Offers[0].Id, user);
        }

        await ReserveAsync(site);
        using var outside = new HttpClient { BaseAddress = gateway.Address };
        await TryStolenTokenAsync(site, sale.Offers[0].Id, outside);
        var said = "";
        await Eventually.HoldsAsync(
            async () =>
            {
                said = string.Join('\n', await Task.WhenAll(site.Instances.Select(MetricsAsync)));
                return WrittenSoon.All(what => said.Contains(what, StringComparison.Ordinal));
            },
            "a batch was written, and the books compared with the gate");
        return string.Join('\n', said, await outside.GetStringAsync(new Uri("/gateway/metrics", UriKind.Relative)));
    }

    /// <summary>Somebody else's token, at an instance and, as soon as it knows the sales, at the gateway.</summary>
    private static async Task TryStolenTokenAsync(Site site, string offer, HttpClient gateway)
    {
        var token = (await ConsoleServer.SendAsync(site.SignedIn("carl"), HttpMethod.Post, $"/api/v1/offers/{offer}/order-tokens")).Expect(HttpStatusCode.Created);
        var stolen = new JsonObject { ["token"] = token.Json.GetProperty("token").GetString() };
        (await ConsoleServer.SendAsync(site.SignedIn("eve"), HttpMethod.Post, "/api/v1/orders", stolen)).Expect(HttpStatusCode.Forbidden);
        gateway.DefaultRequestHeaders.Authorization = new("Bearer", site.Instances[0].CreateSession("eve"));
        await Eventually.HoldsAsync(
            async () =>
            {
                (await ConsoleServer.SendAsync(gateway, HttpMethod.Post, "/api/v1/orders", stolen)).Expect(HttpStatusCode.Forbidden);
                return (await gateway.GetStringAsync(new Uri("/gateway/metrics", UriKind.Relative))).Contains("_refusals_total{", StringComparison.Ordinal);
            },
            "the gateway refuses");
    }

    /// <summary>In a sale that has not opened.</summary>
    private static async Task ReserveAsync(Site site)
    {
        var now = TimeProvider.System.GetUtcNow();
        var definition = new JsonObject
        {
            ["slug"] = $"site-{Guid.NewGuid():N}",
            ["title"] = new JsonObject { ["zh"] = "优惠券", ["en"] = "Coupons" },
            ["reservationOpensAt"] = ConsoleServer.Rfc3339(now.AddHours(-1)),
            ["reservationClosesAt"] = ConsoleServer.Rfc3339(now.AddHours(1)),
            ["opensAt"] = ConsoleServer.Rfc3339(now.AddHours(1)),
            ["closesAt"] = ConsoleServer.Rfc3339(now.AddHours(2)),
            ["requiresReservation"] = true,
            ["offers"] = new JsonArray(ConsoleServer.Offer("A")),
        };
        var olga = site.Instances[0].Operator();
        var sale = (await ConsoleServer.SendAsync(olga, HttpMethod.Post, "sales", definition)).Expect(HttpStatusCode.Created).Id;
        (await ConsoleServer.SendAsync(olga, HttpMethod.Post, $"sales/{sale}/publication")).Expect(HttpStatusCode.OK);
        (await ConsoleServer.SendAsync(site.Instances[0].SignedIn("anna"), HttpMethod.Post, $"/api/v1/sales/{sale}/reservations")).Expect(HttpStatusCode.Created);
    }

    /// <summary>The id of the order that this user now has.</summary>
    internal static Task<string> BuyAsync(Site site, string offer, string user) => BuyAsync(site.SignedIn(user), offer);

    internal static async Task<string> BuyAsync(HttpClient shopper, string offer)
    {
        var token = (await ConsoleServer.SendAsync(shopper, HttpMethod.Post, $"/api/v1/offers/{offer}/order-tokens")).Expect(HttpStatusCode.Created);
        var body = new JsonObject { ["token"] = token.Json.GetProperty("token").GetString() };
        return (await ConsoleServer.SendAsync(shopper, HttpMethod.Post, "/api/v1/orders", body)).Expect(HttpStatusCode.Created).Id;
    }

    private static Task<string> MetricsAsync(TestServer server) => server.Anonymous().GetStringAsync(new Uri("/metrics", UriKind.Relative));
}
