using System.Buffers.Binary;

using FlashSale.Core;

namespace FlashSale.Storage;

/// <summary>
/// Tells of an order id that it is not among those that were added: never wrongly, so that a token with an order is never told that there is none. Of others it may
/// say so wrongly, about once in 1,000. A Bloom filter of 16 bits an order or more, in the form that a gateway reads (docs/gateway.md); the hashes are
/// the random bits of the id itself.
/// </summary>
public sealed class OrderFilter
{
    private const int Hashes = 6;
    private const int BitsPerOrder = 16;
    private readonly byte[] bits;

    private OrderFilter(int bytes) => bits = new byte[bytes];

    public static OrderFilter Of(IReadOnlyCollection<OrderId> orders)
    {
        var filter = new OrderFilter((int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(8, orders.Count * BitsPerOrder / 8)));
        foreach (var order in orders)
        {
            filter.Visit(order, add: true);
        }

        return filter;
    }

    public bool MayHave(OrderId order) => Visit(order, add: false);

    public string ToBase64() => Convert.ToBase64String(bits);

    private bool Visit(OrderId order, bool add)
    {
        Span<byte> id = stackalloc byte[16];
        order.Value.TryWriteBytes(id, bigEndian: true, out _);
        var first = BinaryPrimitives.ReadUInt32BigEndian(id[8..]);
        var step = BinaryPrimitives.ReadUInt32BigEndian(id[12..]) | 1;
        var has = true;
        for (ulong i = 0; i < Hashes; i++)
        {
            var bit = (int)((first + i * step) % ((ulong)bits.Length * 8));
            has &= (bits[bit >> 3] & (1 << (bit & 7))) != 0;
            if (add)
            {
                bits[bit >> 3] |= (byte)(1 << (bit & 7));
            }
        }

        return has;
    }
}
