using Xunit;

namespace FlashSale.Tests.Server;

/// <summary>Waits for what must come true soon, and no longer than it takes.</summary>
public static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static Task HoldsAsync(Func<bool> condition, string what) => HoldsAsync(() => Task.FromResult(condition()), what);

    public static async Task HoldsAsync(Func<Task<bool>> condition, string what, TimeSpan? patience = null)
    {
        var (since, most) = (TimeProvider.System.GetTimestamp(), patience ?? Patience);
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(since) < most, $"Not within {most}: {what}");
            await Task.Delay(5);
        }
    }

    /// <summary>Waits at least so long, and not at all for less than nothing. A timer counts by a coarse clock of the system, whose steps are up to 10 ms, and may come early by as much.</summary>
    public static async Task PassesAsync(TimeSpan time)
    {
        for (var since = TimeProvider.System.GetTimestamp(); time - TimeProvider.System.GetElapsedTime(since) is { Ticks: > 0 } left;)
        {
            await Task.Delay(left + TimeSpan.FromMilliseconds(1));
        }
    }
}
