using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;

using FlashSale.Core;

namespace FlashSale.Tests.Gateway;

/// <summary>The state document as a test wants it; the contract is in docs/gateway.md. Changing it changes what the gateway reads within a quarter of a second.</summary>
internal sealed class EdgeState
{
    public const long Sale = 31;
    public const long Offer = 77;
    private readonly Lock changing = new();
    private int revision = 1;
    private JsonObject? orders = [];

    public TimeSpan ClockIsAhead { get; set; }

    /// <summary>A permit comes back after 50 s: however slow the machine is, no test is disturbed by one.</summary>
    public static (double PerSecond, int Burst) Once(int burst) => (0.02, burst);

    public bool LimitsEnabled { get; set; } = true;

    public (double PerSecond, int Burst) Address { get; set; } = (1_000, 4_000);

    public (double PerSecond, int Burst) User { get; set; } = (50, 200);

    public DateTimeOffset OpensAt { get; set; } = TimeProvider.System.GetUtcNow().AddMinutes(-1);

    public DateTimeOffset ClosesAt { get; set; } = TimeProvider.System.GetUtcNow().AddHours(1);

    public bool Paused { get; set; }

    public bool SoldOut { get; set; }

    /// <summary>Null: absent.</summary>
    public IReadOnlyList<string>? BarredAddresses { get; set; }

    public DateTimeOffset Now => TimeProvider.System.GetUtcNow() + ClockIsAhead;

    /// <summary>A filter with these orders in a kilobyte.</summary>
    public void SetOrders(params IEnumerable<OrderId> ids)
    {
        var filter = new byte[1_024];
        Span<byte> bytes = stackalloc byte[16];
        foreach (var id in ids)
        {
            id.Value.TryWriteBytes(bytes, bigEndian: true, out _);
            var first = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]);
            var step = BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]) | 1;
            for (ulong i = 0; i < 6; i++)
            {
                var bit = (first + (i * step)) % (8UL * (ulong)filter.Length);
                filter[bit >> 3] |= (byte)(1 << (int)(bit & 7));
            }
        }

        Change(() => orders = new JsonObject { ["orders"] = Convert.ToBase64String(filter) });
    }

    public void SetNoOrders() => Change(() => orders = new JsonObject { ["orders"] = "" });

    /// <summary>Which orders exist is not known.</summary>
    public void SetUnknownOrders() => Change(() => orders = []);

    public void Change(Action how)
    {
        lock (changing)
        {
            how();
            revision++;
        }
    }

    public string Write()
    {
        lock (changing)
        {
            var offer = new JsonObject { ["id"] = "1F", ["key"] = Offer.ToString("x16"), ["soldOut"] = SoldOut };
            foreach (var (name, value) in orders!)
            {
                offer[name] = value!.DeepClone();
            }

            var barred = BarredAddresses is null ? null : new JsonArray([.. BarredAddresses.Select(range => JsonValue.Create(range))]);
            return new JsonObject
            {
                ["barredAddresses"] = barred,
                ["epochMs"] = Now.ToUnixTimeMilliseconds(),
                ["rev"] = $"{revision:x16}",
                ["limits"] = new JsonObject
                {
                    ["enabled"] = LimitsEnabled,
                    ["total"] = Limit((50_000, 50_000)),
                    ["address"] = Limit(Address),
                    ["user"] = Limit(User),
                    ["sale"] = Limit((20_000, 40_000)),
                },
                ["tokens"] = new JsonObject { ["minimumAgeMs"] = 1_000, ["maximumAgeMs"] = 600_000 },
                ["sales"] = new JsonArray(new JsonObject
                {
                    ["id"] = "31",
                    ["key"] = Sale.ToString("x16"),
                    ["opensAtMs"] = OpensAt.ToUnixTimeMilliseconds(),
                    ["opensAt"] = JsonSerializer.SerializeToNode(OpensAt.UtcDateTime),
                    ["closesAtMs"] = ClosesAt.ToUnixTimeMilliseconds(),
                    ["paused"] = Paused,
                    ["offers"] = new JsonArray(offer),
                }),
            }.ToJsonString();
        }
    }

    private static JsonObject Limit((double PerSecond, int Burst) limit) => new() { ["perSecond"] = limit.PerSecond, ["burst"] = limit.Burst };
}
