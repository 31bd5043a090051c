using System.Buffers.Binary;

using FlashSale.Core;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

public sealed class OrderFilterTests
{
    private static OrderId NewOrder() => OrderId.Create(TimeProvider.System.GetUtcNow());

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(500)]
    [InlineData(Limits.OrdersKnown)]
    public void MayHave_OfWhatWasAdded_IsAlwaysTrue_AndOfOthersHardlyEver(int count)
    {
        OrderId[] orders = [.. Enumerable.Range(0, count).Select(_ => NewOrder())];
        var filter = OrderFilter.Of(orders);

        Assert.All(orders, order => Assert.True(filter.MayHave(order)));
        Assert.InRange(Enumerable.Range(0, 20_000).Count(_ => filter.MayHave(NewOrder())), 0, 40);
    }

    /// <summary>As docs/gateway.md says it, worked out anew: the gateway reads the bits by itself.</summary>
    [Fact]
    public void ToBase64_IsTheFormThatIsDocumented()
    {
        OrderId[] orders = [.. Enumerable.Range(0, 300).Select(_ => NewOrder())];
        var bits = Convert.FromBase64String(OrderFilter.Of(orders).ToBase64());

        Assert.Equal(1_024, bits.Length);
        Assert.All(orders, order => Assert.True(Has(bits, order.Value)));
        Assert.InRange(Enumerable.Range(0, 20_000).Count(_ => Has(bits, NewOrder().Value)), 0, 40);
    }

    /// <summary>As docs/gateway.md says it.</summary>
    public static bool Has(byte[] bits, Guid order)
    {
        var id = order.ToByteArray(bigEndian: true);
        ulong h1 = BinaryPrimitives.ReadUInt32BigEndian(id.AsSpan(8));
        ulong h2 = BinaryPrimitives.ReadUInt32BigEndian(id.AsSpan(12)) | 1u;
        return Enumerable.Range(0, 6).All(i =>
        {
            var n = (h1 + (ulong)i * h2) % (8UL * (ulong)bits.Length);
            return (bits[n >> 3] & (1 << (int)(n & 7))) != 0;
        });
    }
}
