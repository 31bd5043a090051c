using System.Security.Cryptography;
using System.Text.Json;

using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Payments;

/// <summary>
/// A payment provider that moves no money: a page where one decides whether the payment succeeds, and a callback that is signed as a real provider's would be.
/// </summary>
public sealed class SandboxProvider(byte[] secret)
{
    public const string SignatureHeader = "X-Signature";

    public static string PayUrl(Payment payment) => "/sandbox/payments/" + payment.Id;

    /// <summary>The callback of a payment, as bytes, and their signature.</summary>
    public (byte[] Body, string Signature) MakeCallback(Payment payment, bool paid)
    {
        var callback = new PaymentCallback(
            payment.Id.ToString(), payment.OrderId.ToString(), payment.Amount, paid ? PaymentStatus.Paid : PaymentStatus.Failed);
        var body = JsonSerializer.SerializeToUtf8Bytes(callback, WireJson.Default.PaymentCallback);
        return (body, Convert.ToBase64String(HMACSHA256.HashData(secret, body)));
    }

    /// <summary>In constant time. False also for what is not base64.</summary>
    public bool IsSigned(ReadOnlySpan<byte> body, string? signature)
    {
        Span<byte> given = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, body, expected);
        return signature is not null
            && Convert.TryFromBase64String(signature, given, out var length)
            && length == given.Length
            && CryptographicOperations.FixedTimeEquals(given, expected);
    }
}
