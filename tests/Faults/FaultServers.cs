using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Faults;

/// <summary>Real servers that are killed, frozen and cut off: alone on the machine, so that only they are what is slow.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FaultCollection : ICollectionFixture<FaultServers>
{
    public const string Name = "faults";
}

/// <summary>One MariaDB and one Redis for all tests, each of which begins with a database of its own and an empty Redis.</summary>
public sealed class FaultServers : IAsyncLifetime
{
    internal MariaDb MariaDb { get; private set; } = null!;

    internal RedisServer Redis { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        FaultReport.Clear();
        MariaDb = await MariaDb.StartAsync();
        Redis = await RedisServer.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        // Null when they did not start.
        await (Redis?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (MariaDb?.DisposeAsync() ?? ValueTask.CompletedTask);
    }
}

/// <summary>
/// What was measured, a line a fault: in the output of its test, and in <c>artifacts/faults.txt</c> of the run; with all that clients and servers said of it in
/// <c>artifacts/faults/</c>.
/// </summary>
internal static class FaultReport
{
    private static readonly string Root = Path.Combine(Repository.Root, "artifacts");
    private static readonly string Lines = Path.Combine(Root, "faults.txt");
    private static readonly string Details = Path.Combine(Root, "faults");

    public static void Clear()
    {
        File.Delete(Lines);
        Directory.CreateDirectory(Details);
    }

    public static void Write(string fault, string figures, string details)
    {
        File.AppendAllText(Lines, $"{fault}: {figures}\n");
        File.WriteAllText(Path.Combine(Details, fault.Replace('/', ' ') + ".txt"), $"{figures}\n{details}\n");
        TestContext.Current.TestOutputHelper?.WriteLine($"{fault}: {figures}");
    }
}
