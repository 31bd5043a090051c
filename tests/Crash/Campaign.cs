using Xunit;

namespace FlashSale.Tests.Crash;

/// <summary>How much a campaign does: its short version with fixed seeds, or the whole of it with <c>./test.sh --long</c>.</summary>
internal static class Campaign
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("FLASHSALE_TESTS") == "long";

    public static int Size(int few, int many) => IsLong ? many : few;

    /// <summary>Seeds from 1; a failure names the one to run again: <c>FLASHSALE_SEEDS=7,12</c> runs these only.</summary>
    public static TheoryData<int> Seeds(int few, int many) => Environment.GetEnvironmentVariable("FLASHSALE_SEEDS") is { Length: > 0 } chosen
        ? new(chosen.Split(',').Select(int.Parse))
        : new(Enumerable.Range(1, IsLong ? many : few));
}

/// <summary>Real servers that are killed and starved: alone on the machine, so that only they are what is slow.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class CrashCollection : ICollectionFixture<CrashServer>
{
    public const string Name = "crash";
}

/// <summary>One server for all rounds: each begins with the ledger that the kills before it left behind.</summary>
public sealed class CrashServer : IAsyncLifetime
{
    /// <summary>A token may be used at once, so that a round does not begin with a pause.</summary>
    public static readonly (string Key, string Value) YoungTokens = ("FlashSale__Tokens__MinimumAge", "00:00:00");

    internal Server.TestServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await Tests.Server.TestServer.StartAsync(YoungTokens);

    // Null when it did not start.
    public ValueTask DisposeAsync() => Server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
