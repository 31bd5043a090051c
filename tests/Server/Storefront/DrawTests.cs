using System.Net;
using System.Text;
using System.Text.Json;

using FlashSale.Tools;

using Xunit;

namespace FlashSale.Tests.Server.Storefront;

/// <summary>A draw as shoppers see it, from its publication to the check of it with the tool.</summary>
public sealed class DrawTests(Shop shop)
{
    private const int Stock = 3;
    private const int Shoppers = 8;
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(1_500);

    [Fact]
    public async Task Draw_FromThePublicationToItsCheck_IsTheOneThatWasCommittedTo()
    {
        // Its own: what is under way at a shared one is others' too.
        await using var server = await TestServer.StartAsync(("FlashSale__Tokens__MinimumAge", "00:00:00"));
        for (var attempt = 1; !await DrawAsync(server, isLast: attempt == 5); attempt++)
        {
        }
    }

    /// <returns>False when the machine was too slow for the window, so that nothing is proved.</returns>
    private static async Task<bool> DrawAsync(TestServer server, bool isLast)
    {
        var sale = await ShopSale.OpenAsync(server, new ShopTerms(Stock) { OpensIn = TimeSpan.FromMinutes(1), DrawMs = (int)Window.TotalMilliseconds });
        var said = new StringBuilder();
        var before = (await ReadAsync(sale, "draw", said)).Expect(HttpStatusCode.OK);
        Assert.Equal(["saleId", "windowMs", "commitment", "opensAt"], before.Json.EnumerateObject().Select(member => member.Name));
        var terms = (await ReadAsync(sale, "", said)).Json.GetProperty("draw");
        Assert.Equal((1_500, before.Text("commitment")), (terms.GetProperty("windowMs").GetInt32(), terms.GetProperty("commitment").GetString()));
        var shoppers = Enumerable.Range(0, Shoppers).Select(_ => sale.NewShopper()).ToList();
        var tokens = await Task.WhenAll(shoppers.Select(shopper => shopper.TokenAsync()));

        // The window follows the opening, and the commitment stays.
        await sale.MoveOpeningAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(before.Text("commitment"), (await ReadAsync(sale, "draw", said)).Text("commitment"));
        using var stalls = new Stalls();
        await Eventually.PassesAsync(sale.OpensAt - TimeProvider.System.GetUtcNow() + TimeSpan.FromMilliseconds(30));
        var calls = shoppers.Zip(tokens, (shopper, token) => shopper.SubmitAsync(token)).ToList();
        var again = shoppers[0].SubmitAsync(tokens[0]);
        await Task.Delay(Window / 5, TestContext.Current.CancellationToken);
        var decided = calls.Count(call => call.IsCompleted);
        var inFlight = (await sale.AdminAsync(HttpMethod.Get, "load")).Expect(HttpStatusCode.OK).Json.GetProperty("inFlight").GetInt32();
        // Both were read while the window was open; what stood still for so long may have kept a call from coming in time.
        var proves = TimeProvider.System.GetUtcNow() < sale.OpensAt + (Window * 0.9) && stalls.Longest < Window / 5;
        if (!proves && !isLast)
        {
            await Task.WhenAll([.. calls, again]);
            return false;
        }

        Assert.Equal(0, decided);
        // Nobody who waits takes up room among the requests under way.
        Assert.InRange(inFlight, 0, Shoppers / 2);
        await ReadAsync(sale, "draw", said);
        await ReadAsync(sale, "state", said);
        said.Append((await sale.AdminAsync(HttpMethod.Get, $"sales/{sale.Id}")).Body).Append((await sale.AdminAsync(HttpMethod.Get, "audit")).Body);
        await AssertIsTheOneAsync(sale, before, said, shoppers, await Task.WhenAll(calls), await again);
        return true;
    }

    private static async Task AssertIsTheOneAsync(ShopSale sale, Reply before, StringBuilder said, List<Shopper> shoppers, Reply[] answers, Reply again)
    {
        var after = await DrawnAsync(sale);
        AssertDrawn(after.Json, answers, shoppers);
        Assert.Equal(before.Text("commitment"), after.Text("commitment"));
        Assert.Equal(Succeeded(answers[0]) ? answers[0].Text("id") : null, Succeeded(again) ? again.Text("id") : null);
        foreach (var text in (string[])[said.ToString(), sale.Server.Log, (await sale.AdminAsync(HttpMethod.Get, "audit")).Body])
        {
            Assert.DoesNotContain(after.Text("seed"), text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToBase64String(Convert.FromHexString(after.Text("seed"))), text, StringComparison.Ordinal);
        }

        await CheckWithTheToolAsync(sale, before, answers, shoppers);
        await AssertCachedAsync(sale, after);
        await sale.AssertReconciledAsync();
    }

    [Fact]
    public async Task Draw_OfASaleThatServesAsTheyCome_IsNotThere()
    {
        var sale = await shop.OpenAsync();

        (await ReadAsync(sale, "draw", new StringBuilder())).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        Assert.False((await ReadAsync(sale, "", new StringBuilder())).Json.TryGetProperty("draw", out _));
        (await sale.SendAsync(HttpMethod.Get, "/api/v1/sales/999999/draw", session: null)).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }

    private static void AssertDrawn(JsonElement draw, Reply[] answers, List<Shopper> shoppers)
    {
        var offer = Assert.Single(draw.GetProperty("offers").EnumerateArray());
        Assert.Equal((Stock, Shoppers), (offer.GetProperty("stock").GetInt32(), offer.GetProperty("entries").GetArrayLength()));
        var first = offer.GetProperty("entries").EnumerateArray().Take(Stock).Select(entry => entry.GetString());
        // Of a token that was sent twice, either answer may be the first.
        var winners = answers.Select((answer, i) => (Answer: answer, Shopper: shoppers[i])).Where(one => Succeeded(one.Answer))
            .Select(one => Entry(one.Answer.Text("id"), offer.GetProperty("offerId").GetString()!, one.Shopper.UserId));
        Assert.Equal(first.Order(), winners.Order());
        Assert.All(answers.Where(answer => !Succeeded(answer)), answer => answer.ExpectProblem(HttpStatusCode.Conflict, "sold-out"));
    }

    private static bool Succeeded(Reply answer) => answer.Status is HttpStatusCode.Created or HttpStatusCode.OK;

    private static string Entry(string order, string offer, string user) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.ASCII.GetBytes($"{order}:{offer}:{user}")));

    private static async Task CheckWithTheToolAsync(ShopSale sale, Reply before, Reply[] answers, List<Shopper> shoppers)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("before.json"), before.Body, TestContext.Current.CancellationToken);
        var winner = Array.FindIndex(answers, Succeeded);
        string[] call = ["verify-draw", "--target", sale.Server.Address.ToString(), "--sale", sale.Id, "--before", folder.File("before.json")];

        var (code, output) = await RunAsync([.. call, "--order", answers[winner].Text("id"), "--user", shoppers[winner].UserId]);

        Assert.True(code == ExitCodes.Holds, output);
        Assert.Contains($"of {Shoppers}: among the {Stock} units", output, StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            folder.File("before.json"), before.Body.Replace(before.Text("commitment"), new string('a', 64), StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Violated, (await RunAsync(call)).Code);
        Assert.Equal(ExitCodes.Usage, (await RunAsync([.. call, "--order", "a"])).Code);
        Assert.Equal(ExitCodes.Usage, (await RunAsync([.. call[..4], "999999"])).Code);
    }

    private static async Task<(int Code, string Output)> RunAsync(string[] args)
    {
        await using var output = new StringWriter();
        var code = await CommandLine.RunAsync(args, output, output, TimeProvider.System);
        return (code, output.ToString());
    }

    /// <summary>What is drawn never changes: it may be kept for ever.</summary>
    private static async Task AssertCachedAsync(ShopSale sale, Reply drawn)
    {
        using var client = new HttpClient { BaseAddress = sale.Server.Address };
        using var answer = await client.GetAsync(new Uri($"/api/v1/sales/{sale.Id}/draw", UriKind.Relative));
        Assert.Equal(drawn.Body, await answer.Content.ReadAsStringAsync());
        Assert.Equal("public, max-age=31536000, immutable", answer.Headers.CacheControl!.ToString());
        using var request = new HttpRequestMessage(HttpMethod.Get, answer.RequestMessage!.RequestUri);
        request.Headers.IfNoneMatch.Add(answer.Headers.ETag!);
        using var known = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
    }

    private static async Task<Reply> DrawnAsync(ShopSale sale)
    {
        Reply? answer = null;
        await Eventually.HoldsAsync(
            async () => (answer = (await ReadAsync(sale, "draw", new StringBuilder())).Expect(HttpStatusCode.OK)).Json.TryGetProperty("seed", out _), "the sale is drawn");
        return answer!;
    }

    private static async Task<Reply> ReadAsync(ShopSale sale, string what, StringBuilder said)
    {
        var answer = await sale.SendAsync(HttpMethod.Get, $"/api/v1/sales/{sale.Id}/{what}".TrimEnd('/'), session: null);
        said.AppendLine(answer.Body);
        return answer;
    }
}
