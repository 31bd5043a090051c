using System.Collections.Concurrent;
using System.Net;

using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;

namespace FlashSale.Storage;

/// <summary>
/// The devices and address ranges of the blacklist, in this process; users are in the gate. Reads take no lock: one look-up for a device, and one for each
/// length of prefix that any range has.
/// </summary>
public sealed class OriginBlacklist
{
    private readonly Lock writing = new();
    private volatile Lists lists = new();

    /// <summary>Whether it is worth while to ask where a request comes from.</summary>
    public bool HasRanges => lists.Lengths.Length > 0;

    public bool HasDevices => !lists.Devices.IsEmpty;

    public bool Bars(DeviceId device, DateTimeOffset now) => lists.Devices.TryGetValue(device, out var until) && now < until;

    public bool Bars(IPAddress address, DateTimeOffset now)
    {
        var known = lists;
        var one = AddressRange.Of(address);
        foreach (var (isV4, prefix) in known.Lengths)
        {
            if (isV4 == one.IsV4 && known.Ranges.TryGetValue(one.Widen(prefix), out var until) && now < until)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The ranges that bar somebody now, the widest first.</summary>
    public IEnumerable<AddressRange> RangesAt(DateTimeOffset now, int count) => lists.Widest.Where(range => now < range.Until).Take(count).Select(range => range.Range);

    /// <summary>Takes over what the ledger says; users are left to the gate. News in the order of their revisions.</summary>
    public void Put(BlacklistNews news)
    {
        lock (writing)
        {
            var next = news.IsWhole ? new Lists() : lists;
            foreach (var change in news.Changes)
            {
                next.Put(change);
            }

            if (news.IsWhole || news.Changes.Any(change => change.Kind == BlacklistKind.Address))
            {
                next.Count();
            }

            lists = next;
        }
    }

    private sealed class Lists
    {
        public ConcurrentDictionary<DeviceId, DateTimeOffset> Devices { get; } = new();

        public ConcurrentDictionary<AddressRange, DateTimeOffset> Ranges { get; } = new();

        /// <summary>That any range has: a handful, where 162 would have to be asked.</summary>
        public (bool IsV4, int Prefix)[] Lengths { get; private set; } = [];

        public void Put(in BlacklistChange change)
        {
            // The ledger's checks let nothing else in; what somebody wrote there by hand bars nobody.
            if (change.Kind == BlacklistKind.Device && DeviceId.TryParse(change.Subject, out var device))
            {
                Put(Devices, device, change.Until);
            }
            else if (change.Kind == BlacklistKind.Address && AddressRange.TryParse(change.Subject, out var range))
            {
                Put(Ranges, range, change.Until);
            }
        }

        /// <summary>A range of IPv6 is as wide as one of IPv4 with a quarter of its prefix.</summary>
        public (AddressRange Range, DateTimeOffset Until)[] Widest { get; private set; } = [];

        public void Count()
        {
            Widest = [.. Ranges.Select(range => (Range: range.Key, Until: range.Value))
                .OrderBy(range => range.Range.IsV4 ? range.Range.Prefix : range.Range.Prefix / 4).ThenBy(range => range.Range.IsV4).ThenBy(range => range.Range.First)];
            Lengths = [.. Widest.Select(range => (range.Range.IsV4, range.Range.Prefix)).Distinct()];
        }

        private static void Put<T>(ConcurrentDictionary<T, DateTimeOffset> list, T subject, DateTimeOffset? until)
            where T : notnull
        {
            if (until is { } end)
            {
                list[subject] = end;
            }
            else
            {
                list.TryRemove(subject, out _);
            }
        }
    }
}
