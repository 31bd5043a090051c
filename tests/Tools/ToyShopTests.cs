using System.Text.Json;

using FlashSale.Tools;

using Xunit;

namespace FlashSale.Tests.Tools;

/// <summary>The whole of <c>load</c> and <c>verify</c> against a shop that is right, and against shops that are wrong in one way each.</summary>
public sealed class ToyShopTests(ToyShopRuns runs) : IClassFixture<ToyShopRuns>
{
    [Fact]
    public async Task Load_WhenTheShopIsRight_SellsEverythingAndHolds()
    {
        var run = await runs.Of(Fault.None);

        Assert.Equal(ExitCodes.Holds, run.Load);
        Assert.Equal(ExitCodes.Holds, run.Verify);
        Assert.True(run.Result.GetProperty("settled").GetBoolean());
        Assert.All(Invariants(run), invariant => Assert.Equal("holds", invariant.GetProperty("state").GetString()));
        Assert.False(run.Result.GetProperty("notes").TryGetProperty("shoppers refused: order-token-rejected", out _));
    }

    [Fact]
    public async Task Load_WhenItIsOver_HasNotWrittenTheKeyAnywhere() => Assert.False((await runs.Of(Fault.None)).KeyLeaked);

    [Fact]
    public async Task Verify_WhenTheKeyIsAnothers_ExitsWith2() => Assert.Equal(ExitCodes.Usage, (await runs.Of(Fault.None)).VerifyWithAnotherKey);

    [Theory]
    [InlineData(Fault.SellsOneTooMany, "I1")]
    [InlineData(Fault.LosesOrders, "I2")]
    [InlineData(Fault.NewOrderForEveryTry, "I3")]
    [InlineData(Fault.OrdersAndSaysNo, "I4")]
    [InlineData(Fault.IgnoresTheLimit, "I5")]
    [InlineData(Fault.LosesUnits, "I8")]
    [InlineData(Fault.SaysSoldOutTooSoon, "I9")]
    [InlineData(Fault.SaysSoldOutTooSoon, "I10")]
    [InlineData(Fault.TakesForgedTokens, "I11")]
    [InlineData(Fault.TakesYoungTokens, "I11")]
    [InlineData(Fault.TakesStolenTokens, "I11")]
    [InlineData(Fault.SellsWithoutReservation, "I11")]
    [InlineData(Fault.WritesNoAudit, "I12")]
    [InlineData(Fault.IssuesNoCoupons, "X1")]
    public async Task Load_WhenTheShopBreaksAPromise_NamesItAndExitsWith1(Fault fault, string invariant)
    {
        var run = await runs.Of(fault);

        Assert.Equal(ExitCodes.Violated, run.Load);
        Assert.Equal(ExitCodes.Violated, run.Verify);
        Assert.Contains(invariant, Invariants(run)
            .Where(one => one.GetProperty("state").GetString() == "violated")
            .Select(one => one.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Load_WhenNoOrderIsPlaced_ExitsWith3()
    {
        var run = await runs.Of(Fault.AlwaysNotOpen);

        Assert.Equal(ExitCodes.ProvesNothing, run.Load);
        Assert.Equal(ExitCodes.ProvesNothing, run.Verify);
    }

    private static JsonElement.ArrayEnumerator Invariants(ToyShopRun run) =>
        run.Result.GetProperty("verdict").GetProperty("invariants").EnumerateArray();
}

public sealed record ToyShopRun(int Load, int Verify, int VerifyWithAnotherKey, bool KeyLeaked, JsonElement Result);

/// <summary>All runs at once: each waits most of the time for its opening and for orders to expire.</summary>
public sealed class ToyShopRuns
{
    private readonly Dictionary<Fault, Task<ToyShopRun>> runs = Enum.GetValues<Fault>().ToDictionary(fault => fault, RunAsync);

    public Task<ToyShopRun> Of(Fault fault) => runs[fault];

    private static async Task<ToyShopRun> RunAsync(Fault fault)
    {
        var directory = Directory.CreateTempSubdirectory("flashsale-load-").FullName;
        await using var shop = await ToyShop.StartAsync(fault);
        var key = Convert.ToBase64String(shop.AuthKey);
        var load = await CommandAsync(
            "load", "--target", shop.Address, "--auth-key", key, "--sales", "2", "--offers", "1", "--stock", "12", "--users", "90", "--bots", "40",
            "--rate", "200", "--seed", "5", "--report", directory, "--payment-window", "2", "--timeout", "8", "--cancel", "20", "--abandon", "20",
            "--sources", "8");
        string[] verify = ["verify", "--target", shop.Address, "--history", Path.Combine(directory, "history.jsonl"), "--auth-key"];
        var run = new ToyShopRun(
            load,
            await CommandAsync([.. verify, key]),
            await CommandAsync([.. verify, Convert.ToBase64String(new byte[32])]),
            Directory.GetFiles(directory).Any(file => File.ReadAllText(file).Contains(key, StringComparison.Ordinal)),
            JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "result.json"))));
        Directory.Delete(directory, recursive: true);
        return run;
    }

    private static Task<int> CommandAsync(params string[] args) => CommandLine.RunAsync(args, TextWriter.Null, TextWriter.Null, TimeProvider.System);
}
