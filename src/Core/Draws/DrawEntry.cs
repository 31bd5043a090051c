using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FlashSale.Core.Draws;

/// <summary>
/// A request to order that takes part in a draw, as everybody may see it: SHA-256 over the ASCII text <c>{order id}:{offer id}:{user id}</c>, the ids as they stand in the
/// API. It names nobody; who knows the three ids finds it (docs/draw.md).
/// </summary>
public readonly record struct DrawEntry(UInt128 High, UInt128 Low)
{
    public const int Bytes = SHA256.HashSizeInBytes;

    public static DrawEntry Of(OrderId order, OfferId offer, UserId user) => Read(SHA256.HashData(Encoding.ASCII.GetBytes($"{order}:{offer}:{user}")));

    /// <param name="bytes">The hash, <see cref="Bytes"/> long.</param>
    public static DrawEntry Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt128BigEndian(bytes[16..Bytes]));

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt128BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[16..], Low);
    }

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => $"{High:x32}{Low:x32}";
}
