using System.Net;
using System.Net.Sockets;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

/// <summary>An instance that has just started knows no sale, and must not say that there is none.</summary>
public sealed class NotReadyTests
{
    [Fact]
    public async Task Token_ThatIsSentWhileTheServerStarts_IsNeverRejected()
    {
        await using var server = await TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"));
        var sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock: 100));
        var shopper = sale.NewShopper();
        var token = await shopper.TokenAsync();
        await server.KillAsync();

        // From before it listens until it has the order, as fast as it goes.
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var asking = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => AskAsync()));
        await server.RestartAsync();
        var codes = (await asking).SelectMany(said => said).Distinct().ToArray();

        Assert.Empty(codes.Except(["overloaded", "placed"]));
        Assert.Contains("placed", codes);

        async Task<List<string>> AskAsync()
        {
            List<string> said = [];
            while (!said.Contains("placed"))
            {
                over.Token.ThrowIfCancellationRequested();
                try
                {
                    var reply = await shopper.SubmitAsync(token);
                    said.Add(reply.Status is HttpStatusCode.Created or HttpStatusCode.OK ? "placed" : reply.Text("code"));
                    var sought = await sale.SendAsync(HttpMethod.Get, $"/api/v1/sales/{sale.Id}", session: null);
                    Assert.Contains(sought.Status, new[] { HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable });
                }
                catch (HttpRequestException exception) when (exception.InnerException is SocketException or IOException || exception.HttpRequestError != HttpRequestError.Unknown)
                {
                    // Nobody listens yet.
                }
            }

            return said;
        }
    }
}
