using System.Text.RegularExpressions;

using FlashSale.Core.Wire;
using FlashSale.Tests.Faults;
using FlashSale.Tests.Server;
using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Deploy;

/// <summary>Every command of the runbooks is run as it stands, page by page and each on a sale of its own, on a MariaDB and a Redis behind a gateway: against two instances with all roles, and against one for each role.</summary>
[Collection(FaultCollection.Name)]
public sealed partial class RunbookTests(FaultServers servers)
{
    private const string Folder = "docs/runbooks";

    /// <summary>The first is the console's, the last takes orders.</summary>
    private static readonly string[] Apart = ["console", "storefront", "jobs", "risk", "orders"];

    [Fact]
    public async Task Commands_WhenTheyAreRunAsTheyStand_Succeed()
    {
        await using var site = await Site.StartAsync(servers, [Crash.CrashServer.YoungTokens], [Crash.CrashServer.YoungTokens]);
        await RunAllAsync(site, shop: site.Instances[0]);
    }

    [Fact]
    public async Task Commands_WhereTheRolesAreApart_Succeed()
    {
        await using var site = await Site.StartAsync(servers, [.. Apart.Select(role => new[] { Crash.CrashServer.YoungTokens, ("FlashSale__Roles", role) })]);
        await RunAllAsync(site, shop: site.Instances[1]);
    }

    private static async Task RunAllAsync(Site site, TestServer shop)
    {
        await using var gateway = await Nginx.StartAsync(NginxSite.Of(shop.Address.Port));
        using var folder = new TemporaryFolder();
        var beginning = Blocks(Folder + "/README.md").Single();
        List<string> faults = [];
        var run = 0;
        foreach (var page in Repository.Files(Folder, "*.md").Where(page => Blocks(page).Count > 0).Order(StringComparer.Ordinal))
        {
            var sale = await site.OpenSaleAsync(stock: 10);
            await MetricNamesTests.BuyAsync(site.Instances[^1].SignedIn("anna"), sale.Offers[0].Id);
            foreach (var block in Blocks(page))
            {
                run++;
                var done = await ToolRun.RunAsync("bash", folder.Path, Environment(site, shop, gateway, sale), "-euo", "pipefail", "-c", $"{beginning}\n{block}");

                // A lone "null" is a command that asks for what is not there.
                if (done.ExitCode != 0 || done.Output.Split('\n').Contains("null"))
                {
                    faults.Add($"{page} ended with {done.ExitCode}:\n{block}\n{done.Everything}");
                }
            }
        }

        Assert.True(faults.Count == 0, string.Join("\n\n", faults));
        Assert.True(run > 40);
    }

    private static IReadOnlyList<string> Blocks(string page) => [.. ShellBlock().Matches(Repository.Read(page)).Select(match => match.Groups[1].Value)];

    private static Dictionary<string, string> Environment(Site site, TestServer shop, Nginx gateway, SaleDocument sale) => new(StringComparer.Ordinal)
    {
        ["CONSOLE"] = AddressOf(site.Instances[0]),
        ["SHOP"] = AddressOf(shop),
        ["INSTANCES"] = string.Join(' ', site.Instances.Select(AddressOf)),
        ["GATEWAY"] = gateway.Address.ToString().TrimEnd('/'),
        ["KEY"] = site.Instances[0].AuthKey,
        ["WHO"] = "olga",
        ["FLASHSALE"] = $"dotnet {Tool()}",
        ["SALE"] = sale.Id,
        ["OFFER"] = sale.Offers[0].Id,
        ["DB"] = $"mariadb --no-defaults -h 127.0.0.1 -P {site.MariaDb.Port} -u {MariaDb.User} {site.Database}",
        ["DUMP"] = $"mariadb-dump --no-defaults -h 127.0.0.1 -P {site.MariaDb.Port} -u {MariaDb.User}",
        ["DATABASE"] = site.Database,
        ["MYSQL_PWD"] = MariaDb.Password,
        ["REDIS"] = $"redis-cli -h 127.0.0.1 -p {site.Redis!.Port}",
    };

    private static string AddressOf(TestServer instance) => instance.Address.ToString().TrimEnd('/');

    private static string Tool()
    {
        var tests = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(tests.Parent!.Parent!.FullName, "Tools", tests.Name, "flashsale.dll");
    }

    [GeneratedRegex(@"^```sh\n(.*?)^```", RegexOptions.CultureInvariant | RegexOptions.Multiline | RegexOptions.Singleline, 1_000)]
    private static partial Regex ShellBlock();
}
