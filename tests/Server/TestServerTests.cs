using System.Net;

using Xunit;

namespace FlashSale.Tests.Server;

public sealed class TestServerTests
{
    [Fact]
    public async Task StopAsync_WhenTheServerWasKilledAndStartedAgain_EndsWithExitCodeZero()
    {
        await using var server = await TestServer.StartAsync();
        await server.KillAsync();
        await server.RestartAsync();

        using var answer = await server.Anonymous().GetAsync(new Uri("/healthz/live", UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await server.StopAsync();
    }
}
