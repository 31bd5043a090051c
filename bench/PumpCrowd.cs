using System.Net;

using FlashSale.Tools.Load;
using FlashSale.Tools.Overload;

namespace FlashSale.Bench;

/// <summary>
/// A closed loop as <see cref="Crowd"/>, by the pump of <c>flashsale load --overload</c>: one thread, a few source addresses, and about half of the processor
/// time, so that more is left for what is compared. What the pump measured is never compared with what the crowd did.
/// </summary>
internal static class PumpCrowd
{
    private const int Sources = 8;

    public sealed record Result(double PerSecond, double P50Ms, double P99Ms, IReadOnlyList<(int Status, string Code, long Count)> Answers)
    {
        public long Total => Answers.Sum(row => row.Count);

        public override string ToString() =>
            $"{PerSecond,8:N0}/s  p50 {P50Ms,6:N1} ms  p99 {P99Ms,6:N1} ms  {string.Join(' ', Answers.Select(row => $"{row.Status}{(row.Code.Length > 0 ? " " + row.Code : "")}×{row.Count:N0}"))}";
    }

    /// <param name="next">The bytes of the next request; null ends the run early.</param>
    public static Result Run(Uri target, int connections, Func<byte[]?> next, TimeSpan length)
    {
        var clock = new RunClock(TimeProvider.System);
        using var pump = new Pump(target, new IPEndPoint(IPAddress.Loopback, target.Port), TimeSpan.FromSeconds(10), clock);
        var pool = pump.AddPool(connections, i => ShopClient.SourceAddress(i % Sources));
        var start = clock.Now;
        var tally = new Tally(new Timeline(start));
        Lane[] lanes = [new Lane(new Ready(next), pool, tally, width: connections)];
        pump.Run(lanes, start + (long)length.TotalMicroseconds, CancellationToken.None);
        var answered = tally.Answers.Sum(row => row.Count);
        var seconds = (clock.Now - start) / 1_000_000.0;
        var latency = tally.Admitted.Count > tally.Refused.Count ? tally.Admitted : tally.Refused;
        return new Result(answered / seconds, latency.Percentile(50) / 1000.0, latency.Percentile(99) / 1000.0, [.. tally.Answers]);
    }

    private sealed class Ready(Func<byte[]?> next) : IDemand
    {
        private readonly Dictionary<int, byte[]> waiting = [];
        private int last;

        public bool TryTake(out int item)
        {
            item = last + 1;
            if (next() is not { } request)
            {
                return false;
            }

            last = item;
            waiting[item] = request;
            return true;
        }

        public void Write(int item, ref RequestWriter to) => to.Add(waiting[item]);

        public bool TakeAnswer(int item, int tries, in PumpAnswer answer)
        {
            waiting.Remove(item);
            return false;
        }
    }
}
