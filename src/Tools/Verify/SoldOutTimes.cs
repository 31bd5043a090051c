namespace FlashSale.Tools.Verify;

/// <summary>
/// The times at which an offer may have been sold out, as far as it can be known from outside. Errs on the server's side only: an order
/// counts from its creation on, and its unit counts as back no earlier than an answer showed that it was.
/// </summary>
internal sealed class SoldOutTimes
{
    private readonly List<(long From, long To)> spans = [];

    /// <param name="units">The fewest units that the offer ever had.</param>
    /// <param name="taken">When units were taken, in microseconds.</param>
    /// <param name="back">When units were back at the latest.</param>
    public SoldOutTimes(long units, IEnumerable<long> taken, IEnumerable<long> back)
    {
        // At the same instant a unit is taken before another one is back: that keeps the count at its highest.
        var steps = taken.Select(at => (At: at, Step: 1)).Concat(back.Select(at => (At: at, Step: -1)))
            .OrderBy(step => step.At).ThenByDescending(step => step.Step);
        long gone = 0;
        long? since = units <= 0 ? long.MinValue : null;
        foreach (var (at, step) in steps)
        {
            gone += step;
            if (gone >= units && since is null)
            {
                since = at;
            }
            else if (gone < units && since is { } from)
            {
                spans.Add((from, at));
                since = null;
            }
        }

        if (since is { } open)
        {
            spans.Add((open, long.MaxValue));
        }
    }

    /// <summary>Whether the offer may have been sold out at some time within the two, both included.</summary>
    public bool Touch(long from, long to)
    {
        var low = 0;
        var high = spans.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (spans[middle].To < from)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low < spans.Count && spans[low].From <= to;
    }
}
