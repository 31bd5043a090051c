using System.Text.Json.Serialization;

using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Telemetry;

/// <summary>
/// What an instance says of itself, some times a second, through the ledger: so the live board needs nothing but the ledger. Counts are since the start of the
/// instance, so that they add up over instances, and nothing is lost when a report is not seen.
/// </summary>
public sealed record InstanceFigures
{
    public required string Machine { get; init; }
    public required int ProcessId { get; init; }
    public required string Version { get; init; }
    public required string Roles { get; init; }
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Why it cannot serve; empty when it can.</summary>
    public required IReadOnlyList<string> NotReady { get; init; }

    /// <summary>Processor time since the start.</summary>
    public required double CpuSeconds { get; init; }
    public required long MemoryBytes { get; init; }

    /// <summary>All pauses of the garbage collector since the start.</summary>
    public required double GcPauseSeconds { get; init; }

    /// <summary>Collections by generation since the start.</summary>
    public required IReadOnlyList<int> Collections { get; init; }
    public required int InFlight { get; init; }
    public required int InFlightLimit { get; init; }

    /// <summary>Orders that wait for a ledger writer.</summary>
    public required int WriterQueue { get; init; }

    /// <summary>It ends as it should, and this is its last report.</summary>
    public bool Stopped { get; init; }

    /// <summary>The ledger's clock less its machine's.</summary>
    public long ClockSkewMs { get; init; }

    /// <summary>Its connections; none in the reports of a build that did not say so.</summary>
    public IReadOnlyList<ConnectionPool> Pools { get; init; } = [];

    /// <summary>By what they guard.</summary>
    public required IReadOnlyDictionary<string, string> Breakers { get; init; }

    /// <summary>Requests to order, by <see cref="OrderDecision"/> in the words of the wire.</summary>
    public required IReadOnlyDictionary<string, long> Decisions { get; init; }

    /// <summary>By id.</summary>
    public required IReadOnlyDictionary<string, SaleFigures> Sales { get; init; }

    /// <summary>
    /// Requests to order, of all sales, that were turned away before a sale was known. The counts are read one after the other while requests come, so that a sale may
    /// already have what the whole has not. What comes behind the token knows its sale.
    /// </summary>
    public IReadOnlyDictionary<string, long> Unnamed()
    {
        Dictionary<string, long> unnamed = new(StringComparer.Ordinal);
        foreach (var (word, count) in Decisions)
        {
            if (!Words<OrderDecision>.ByWord.TryGetValue(word, out var decision) || DecisionKind.Of(decision).Layer is not ("edge" or "checkout"))
            {
                continue;
            }

            var difference = count - Sales.Values.Sum(sale => sale.Decisions.GetValueOrDefault(word));
            if (difference > 0)
            {
                unnamed[word] = difference;
            }
        }

        return unnamed;
    }
}

/// <summary>What an instance has counted of one sale.</summary>
public sealed record SaleFigures
{
    public required IReadOnlyDictionary<string, long> Decisions { get; init; }
    public required IReadOnlyDictionary<string, long> Steps { get; init; }

    /// <summary>Requests whose token was good, by kind of client.</summary>
    public required IReadOnlyDictionary<string, long> Asked { get; init; }

    /// <summary>And those that got an order.</summary>
    public required IReadOnlyDictionary<string, long> Placed { get; init; }

    /// <summary>Buckets of <see cref="LatencyCounts"/> that are not empty.</summary>
    public required IReadOnlyDictionary<int, long> Latency { get; init; }
}

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(InstanceFigures))]
public sealed partial class FiguresJson : JsonSerializerContext;
