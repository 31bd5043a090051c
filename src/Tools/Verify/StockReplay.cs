using FlashSale.Core.Stock;
using FlashSale.Core.Wire;

namespace FlashSale.Tools.Verify;

/// <summary>
/// Replays the change log of one bucket by the words of the API alone: where each unit is follows from the kinds of the changes and the
/// order they name.
/// </summary>
internal sealed class StockReplay(string name, Check oversold, Check log, Check limits)
{
    private readonly Dictionary<string, UnitState> units = [];
    private readonly Dictionary<string, int> liveByUser = [];

    private enum UnitState
    {
        None,
        Held,
        Sold,
    }

    public long Available { get; private set; }
    public long Held { get; private set; }
    public long Sold { get; private set; }
    public long Initial { get; private set; }
    public long Adjustments { get; private set; }
    public long Seq { get; private set; }

    /// <summary>The fewest units that the bucket ever had, all states together.</summary>
    public long SmallestTotal { get; private set; } = long.MaxValue;

    /// <param name="changes">In the order of <c>seq</c>.</param>
    /// <param name="users">The user of each order.</param>
    /// <param name="perUserLimit">0 when it is not known.</param>
    public void Run(IEnumerable<ExportLine> changes, IReadOnlyDictionary<string, string> users, int perUserLimit)
    {
        foreach (var change in changes)
        {
            CheckLog(change);
            var before = change.OrderId is { } order ? units.GetValueOrDefault(order) : UnitState.None;
            Available += change.Delta ?? 0;
            Move(change, before);
            SmallestTotal = Math.Min(SmallestTotal, Initial + Adjustments);
            oversold.Expect(
                Available >= 0 && Held >= 0 && Sold >= 0 && Held + Sold <= Initial + Adjustments,
                () => $"{name} at seq {change.Seq}: available {Available}, held {Held}, sold {Sold}, of {Initial + Adjustments}");
            if (change.OrderId is { } id && users.TryGetValue(id, out var user))
            {
                CountLive(user, before, units.GetValueOrDefault(id), perUserLimit, change);
            }
        }
    }

    private void CheckLog(ExportLine change)
    {
        var previous = Seq;
        Seq = change.Seq ?? -1;
        log.Expect(Seq == previous + 1, () => $"{name}: seq {previous} is followed by {Seq}");
        log.Expect(
            previous == 0 == (change.Kind == StockChangeKind.Initial),
            () => $"{name} at seq {Seq}: {change.Kind} is not where it belongs");
        log.Expect(
            change.BalanceAfter == Available + change.Delta,
            () => $"{name} at seq {Seq}: {Available} {change.Delta:+0;-0;+0} is not {change.BalanceAfter}");
    }

    private void Move(ExportLine change, UnitState before)
    {
        var after = before;
        switch (change.Kind)
        {
            case StockChangeKind.Initial:
                Initial += change.Delta ?? 0;
                break;
            case StockChangeKind.Adjust:
                Adjustments += change.Delta ?? 0;
                break;
            case StockChangeKind.Hold:
                Held++;
                after = UnitState.Held;
                break;
            case StockChangeKind.Sell when change.Delta == 0:
                Held--;
                Sold++;
                after = UnitState.Sold;
                break;
            case StockChangeKind.Sell:
                Sold++;
                after = UnitState.Sold;
                break;
            case StockChangeKind.Release when before == UnitState.Sold:
                Sold--;
                after = UnitState.None;
                break;
            case StockChangeKind.Release:
                Held--;
                after = UnitState.None;
                break;
            default:
                log.Violate($"{name} at seq {change.Seq}: a change without a kind");
                break;
        }

        if (change.OrderId is not null)
        {
            units[change.OrderId] = after;
        }
    }

    /// <summary>A user's limit holds at every moment, not only at the end.</summary>
    private void CountLive(string user, UnitState before, UnitState after, int perUserLimit, ExportLine change)
    {
        var step = (after == UnitState.None ? 0 : 1) - (before == UnitState.None ? 0 : 1);
        if (step == 0)
        {
            return;
        }

        var live = liveByUser.GetValueOrDefault(user) + step;
        liveByUser[user] = live;
        limits.Expect(
            perUserLimit == 0 || live <= perUserLimit,
            () => $"{name} at seq {change.Seq}: user {user} has {live} live orders, {perUserLimit} are allowed");
    }
}
