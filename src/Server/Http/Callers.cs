using System.Buffers.Binary;
using System.Net;
using System.Text;

using FlashSale.Core;
using FlashSale.Core.Tokens;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Http;

/// <summary>Tells who calls, by the stamps that they were given: their device, and when they opened the page of a sale.</summary>
public sealed class Callers(Devices devices, Stamps stamps, IReadOnlyList<IPNetwork> trustedProxies, SaleMetrics metrics, TimeProvider time)
{
    private const int VisitBytes = sizeof(long) + Limits.UserIdLength;

    /// <param name="visit">The stamp that the caller sent; one that is not ours, or of somebody else or another sale, is as good as none.</param>
    public CallerFacts Read(HttpContext context, SaleId sale, UserId user, string? visit)
    {
        var device = devices.Read(context, out var since);
        return new CallerFacts(
            device,
            device.IsKnown ? since : null,
            ClientAddress.NetworkOf(ClientAddress.Of(context, trustedProxies)),
            VisitOf(sale, user, visit),
            AskedForChallenge: false,
            SolvedChallenge: false);
    }

    /// <summary>The stamp that says that this user opened the page of this sale now.</summary>
    public string MakeVisit(SaleId sale, UserId user)
    {
        metrics.Of(sale).Count(SaleStep.Visit);
        Span<byte> body = stackalloc byte[VisitBytes];
        return stamps.Seal(StampPurpose.Visit, time.GetUtcNow(), body[..WriteVisit(sale, user, body)]);
    }

    public bool HasDevice(HttpContext context) => devices.Read(context, out _).IsKnown;

    /// <summary>The stamp of the caller's device, which it keeps, or of a new one; either way it is in the cookie from now on.</summary>
    public string KeepDevice(HttpContext context)
    {
        var stamp = HasDevice(context) ? Devices.TextOf(context) : devices.Create(time.GetUtcNow());
        context.Response.Cookies.Append(Devices.Cookie, stamp, new CookieOptions
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Secure = context.Request.IsHttps,
            Path = "/",
            MaxAge = Limits.DeviceCookieAge,
            IsEssential = true,
        });
        return stamp;
    }

    private DateTimeOffset? VisitOf(SaleId sale, UserId user, string? visit)
    {
        if (string.IsNullOrEmpty(visit) || stamps.Open(StampPurpose.Visit, visit, out var at) is not { } body)
        {
            return null;
        }

        Span<byte> own = stackalloc byte[VisitBytes];
        return own[..WriteVisit(sale, user, own)].SequenceEqual(body) ? at : null;
    }

    private static int WriteVisit(SaleId sale, UserId user, Span<byte> body)
    {
        BinaryPrimitives.WriteInt64BigEndian(body, sale.Value);
        return sizeof(long) + Encoding.ASCII.GetBytes(user.Value, body[sizeof(long)..]);
    }
}
