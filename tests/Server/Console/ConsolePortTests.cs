using System.Globalization;
using System.Net;

using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Server.Console;

public sealed class ConsolePortTests
{
    [Fact]
    public async Task Console_WithAPortOfItsOwn_IsAnsweredOnlyThere()
    {
        var port = LocalProcess.FreePort();
        await using var server = await TestServer.StartAsync(
            ("Urls", $"http://127.0.0.1:0;http://127.0.0.1:{port}"), ("FlashSale__Console__Port", port.ToString(CultureInfo.InvariantCulture)));
        var shop = server.Operator();
        using var console = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        console.DefaultRequestHeaders.Authorization = shop.DefaultRequestHeaders.Authorization;

        foreach (var path in new[] { "/console/sign-in", "/api/v1/admin/sales", "/CONSOLE/en/sign-in" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await shop.GetAsync(new Uri(path, UriKind.Relative))).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await console.GetAsync(new Uri(path, UriKind.Relative))).StatusCode);
        }

        Assert.Equal(HttpStatusCode.OK, (await shop.GetAsync(new Uri("/api/v1/sales", UriKind.Relative))).StatusCode);
    }
}
