using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

using Xunit;

namespace FlashSale.Tests.Server.Risk;

/// <summary>A shop that asks providers, and the sandbox that plays them in a process of its own.</summary>
public sealed class RiskServers : IAsyncLifetime
{
    public TestServer Sandbox { get; private set; } = null!;

    public TestServer Server { get; private set; } = null!;

    public static Task<TestServer> StartSandboxAsync() => TestServer.StartAsync(("FlashSale__Roles", "risk-sandbox"));

    public static (string Key, string Value)[] Asking(TestServer sandbox) =>
    [
        ("FlashSale__Risk__Credit__Url", new Uri(sandbox.Address, "/sandbox").ToString()),
        ("FlashSale__Risk__Profile__Url", new Uri(sandbox.Address, "/sandbox/").ToString()),
        ("FlashSale__Risk__Credit__Key", "a-secret-of-the-provider"),
        ("FlashSale__Tokens__MinimumAge", "00:00:00"),
    ];

    public async ValueTask InitializeAsync()
    {
        Sandbox = await StartSandboxAsync();
        Server = await TestServer.StartAsync(Asking(Sandbox));
    }

    public async ValueTask DisposeAsync()
    {
        await (Server?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (Sandbox?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    public Task BehaveAsync(object behaviour) => BehaveAsync(Sandbox, behaviour);

    public static async Task BehaveAsync(TestServer sandbox, object behaviour)
    {
        using var answer = await sandbox.Anonymous().PutAsync(new Uri("/sandbox/behaviour", UriKind.Relative), JsonContent.Create(behaviour));
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    /// <summary>A sale that takes reservations until it opens, in a few minutes: order tokens are given out already.</summary>
    public Task<ShopSale> OpenAsync(int riskThreshold = 60) => OpenAsync(Server, riskThreshold);

    public static Task<ShopSale> OpenAsync(TestServer server, int riskThreshold = 60) => ShopSale.OpenAsync(
        server, new ShopTerms { RequiresReservation = true, OpensIn = TimeSpan.FromMinutes(5), RiskThreshold = riskThreshold });
}

/// <summary>What an operator sees and does about the reservations of a sale.</summary>
public static class RiskCalls
{
    public static async Task<List<JsonElement>> AssessmentsAsync(this ShopSale sale, string query = "")
    {
        List<JsonElement> all = [];
        var cursor = "";
        do
        {
            var page = (await sale.AdminAsync(HttpMethod.Get, $"sales/{sale.Id}/assessments?{query}{cursor}")).Expect(HttpStatusCode.OK).Json;
            all.AddRange(page.GetProperty("items").EnumerateArray());
            cursor = page.GetProperty("nextCursor").GetString() is { } next ? "&cursor=" + next : "";
        }
        while (cursor.Length > 0);
        return all;
    }

    public static async Task<JsonElement> AssessmentOfAsync(this ShopSale sale, Shopper shopper) =>
        (await sale.AssessmentsAsync()).Single(one => one.Text("userId") == shopper.UserId);

    public static async Task<string> ReservationStatusAsync(this ShopSale sale, Shopper shopper) =>
        (await shopper.SendAsync(HttpMethod.Get, $"/api/v1/sales/{sale.Id}/reservations/me")).Expect(HttpStatusCode.OK).Text("status");

    public static string Text(this JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
