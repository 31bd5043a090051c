using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;

using FlashSale.Core.Wire;
using FlashSale.Tests.Server.Console;

using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>
/// A shopper every 50 ms, whatever became of the ones before, in a sale that never sells out: when was an order acknowledged, and when was none? Nobody tries twice.
/// </summary>
internal sealed class Probe : IAsyncDisposable
{
    private const int Stock = 100_000;

    /// <summary>Tokens in hand, for ten seconds: so that only what happens to orders is seen.</summary>
    private const int TokensAhead = 200;
    private static readonly TimeSpan TokenAge = TimeSpan.FromMilliseconds(1_050);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
    private readonly Site site;
    private readonly SaleDocument sale;
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentQueue<(string Session, string Token)> tokens = new();
    private readonly ConcurrentQueue<(string Order, long At)> placed = new();
    private readonly ConcurrentDictionary<string, int> failures = new();
    private readonly HttpClient http;
    private Task running;

    private Probe(Site site, SaleDocument sale)
    {
        this.site = site;
        this.sale = sale;
        http = new HttpClient { BaseAddress = site.Balancer.Address, Timeout = TimeSpan.FromSeconds(5) };
        running = Task.CompletedTask;
    }

    /// <summary>How often orders were refused, by status and code; 0 when there was no answer.</summary>
    public IReadOnlyDictionary<string, int> Failures => failures;

    public string SaleId => sale.Id;

    public static async Task<Probe> StartAsync(Site site)
    {
        var probe = new Probe(site, await site.OpenSaleAsync(Stock));
        foreach (var some in Enumerable.Range(0, TokensAhead).Chunk(20))
        {
            await Task.WhenAll(some.Select(i => probe.TakeTokenAsync($"probe-a{i}")));
        }

        await Task.Delay(TokenAge);
        probe.running = probe.RunAsync();
        return probe;
    }

    public int PlacedSince(long timestamp) => placed.Count(order => order.At >= timestamp);

    /// <summary>The longest time without an acknowledged order from then until now.</summary>
    public TimeSpan LongestOutageSince(long timestamp)
    {
        var last = timestamp;
        var longest = TimeSpan.Zero;
        foreach (var at in placed.Select(order => order.At).Where(at => at >= timestamp).Order().Append(TimeProvider.System.GetTimestamp()))
        {
            var gap = TimeProvider.System.GetElapsedTime(last, at);
            longest = gap > longest ? gap : longest;
            last = at;
        }

        return longest;
    }

    /// <summary>No order that was acknowledged is missing.</summary>
    public async Task AssertNothingIsLostAsync()
    {
        await StopAsync();
        var export = await ConsoleServer.SendAsync(site.SignedIn("anna", "auditor"), HttpMethod.Get, $"sales/{sale.Id}/export");
        var known = export.Expect(HttpStatusCode.OK).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize(line, WireJson.Default.ExportLine)!)
            .Where(line => line.Type == "order").Select(line => line.Id).ToHashSet();
        Assert.NotEmpty(placed);
        Assert.All(placed, order => Assert.Contains(order.Order, known));
    }

    public async Task StopAsync()
    {
        if (!stopping.IsCancellationRequested)
        {
            await stopping.CancelAsync();
            await running;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        http.Dispose();
        stopping.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Interval);
        List<Task> shots = [];
        for (var i = 0; !stopping.IsCancellationRequested; i++)
        {
            shots.Add(OrderAsync());
            shots.Add(TakeTokenAsync($"probe-b{i}"));
            await timer.WaitForNextTickAsync(stopping.Token).AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
        }

        await Task.WhenAll(shots);
    }

    private async Task TakeTokenAsync(string user)
    {
        var session = site.Instances[0].CreateSession(user);
        if (await PostAsync(session, $"/api/v1/offers/{sale.Offers[0].Id}/order-tokens", null) is { } token)
        {
            tokens.Enqueue((session, JsonElement.Parse(token).GetProperty("token").GetString()!));
        }
    }

    private async Task OrderAsync()
    {
        if (tokens.TryDequeue(out var held) && await PostAsync(held.Session, "/api/v1/orders", $$"""{"token":"{{held.Token}}"}""") is { } order)
        {
            placed.Enqueue((JsonElement.Parse(order).GetProperty("id").GetString()!, TimeProvider.System.GetTimestamp()));
        }
    }

    /// <summary>Null when it was not a success.</summary>
    private async Task<string?> PostAsync(string session, string path, string? body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
        request.Headers.Authorization = new("Bearer", session);
        request.Content = new StringContent(body ?? "", Encoding.UTF8, "application/json");
        try
        {
            using var answer = await http.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            if (answer.IsSuccessStatusCode)
            {
                return text;
            }

            Note($"{(int)answer.StatusCode} {JsonElement.Parse(text).GetProperty("code").GetString()}");
        }
        catch (Exception problem) when (problem is HttpRequestException or OperationCanceledException or JsonException)
        {
            Note("0");
        }

        return null;
    }

    private void Note(string what) => failures.AddOrUpdate(what, 1, (_, count) => count + 1);
}
