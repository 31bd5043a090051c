using System.Buffers.Binary;
using System.Security.Cryptography;

using FlashSale.Core.Tokens;

namespace FlashSale.Server.Http;

/// <summary>
/// Which device a request comes from: by the header <c>X-Device</c> of an API client, or the cookie of a browser. Clients without one are served all the same;
/// what a sale makes of that is its own choice (<see cref="Core.Sales.SaleDefences"/>).
/// </summary>
public sealed class Devices(Stamps stamps)
{
    public const string Header = "X-Device";
    public const string Cookie = "fs_device";

    /// <returns><see cref="DeviceId.None"/> for a stamp that is none of ours, as for no stamp.</returns>
    public DeviceId Read(HttpContext context, out DateTimeOffset since)
    {
        since = default;
        var text = TextOf(context);
        return text.Length > 0 && stamps.Open(StampPurpose.Device, text, out since) is { Length: sizeof(ulong) } body
            ? new DeviceId(BinaryPrimitives.ReadUInt64BigEndian(body))
            : DeviceId.None;
    }

    /// <summary>What the caller sent as the stamp of its device, whatever it is; empty for nothing.</summary>
    public static string TextOf(HttpContext context)
    {
        var text = context.Request.Headers[Header].ToString();
        return text.Length > 0 ? text : context.Request.Cookies[Cookie] ?? "";
    }

    /// <summary>The stamp of a device that was not seen before.</summary>
    public string Create(DateTimeOffset now)
    {
        Span<byte> id = stackalloc byte[sizeof(ulong)];
        do
        {
            RandomNumberGenerator.Fill(id);
        }
        while (BinaryPrimitives.ReadUInt64BigEndian(id) == DeviceId.None.Value);
        return stamps.Seal(StampPurpose.Device, now, id);
    }
}
