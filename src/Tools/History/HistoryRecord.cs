using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FlashSale.Tools.History;

/// <summary>
/// The first line of a history. A history is JSON lines: one header, then one <see cref="HistoryRecord"/> for every call that was made, in the
/// order in which the calls ended. All times are microseconds since 1970-01-01 UTC by the clock of the program that wrote it.
/// </summary>
public sealed record HistoryHeader
{
    public const string CurrentFormat = "flashsale-history/1";

    public string Format { get; init; } = CurrentFormat;
    public required string Target { get; init; }
    public long Seed { get; init; }
    public required long StartedAt { get; init; }

    /// <summary>The server's clock less this program's, in microseconds.</summary>
    public long ClockOffset { get; init; }

    /// <summary>How far <see cref="ClockOffset"/> may be off, in microseconds: half a round trip, and the server's millisecond.</summary>
    public long ClockError { get; init; }
    public required IReadOnlyList<HistorySale> Sales { get; init; }
}

public sealed record HistorySale
{
    public required string Id { get; init; }
    public required string Slug { get; init; }

    /// <summary>Microseconds since 1970 by the server's clock.</summary>
    public required long OpensAt { get; init; }
    public bool RequiresReservation { get; init; }
    public required int PaymentWindowSeconds { get; init; }
    public required IReadOnlyList<HistoryOffer> Offers { get; init; }
}

/// <param name="Stock">Units at publication.</param>
/// <param name="PerUserLimit">Live orders (held or paid) that a user may have.</param>
/// <param name="Price">In minor units.</param>
public sealed record HistoryOffer(string Id, long Stock, int PerUserLimit, long Price);

/// <summary>One call and its answer.</summary>
public sealed record HistoryRecord
{
    /// <summary>What was called; one of <see cref="HistoryOps"/>.</summary>
    public required string Op { get; init; }

    /// <summary>When the schedule meant it to be sent. Latency counts from here.</summary>
    public required long At { get; init; }

    /// <summary>When it was handed to the network stack. Never later than it left.</summary>
    public required long Sent { get; init; }

    /// <summary>When the answer, or the failure, was there.</summary>
    public required long End { get; init; }

    /// <summary>The user of the session; the operator of an <c>admin.</c> call.</summary>
    public string? User { get; init; }
    public string? Sale { get; init; }
    public string? Offer { get; init; }

    /// <summary>Fingerprint of the order token that was received or sent (<see cref="Fingerprint(string)"/>), never the token.</summary>
    public string? Token { get; init; }

    /// <summary>HTTP status; 0 when no whole answer came (timeout, connection lost), so that the effect is unknown.</summary>
    public int Status { get; init; }

    /// <summary>The problem's code; <c>timeout</c> or <c>transport</c> with status 0.</summary>
    public string? Code { get; init; }

    /// <summary>
    /// The problem's <c>effect</c>: <c>none</c>, <c>applied</c>, <c>unknown</c>. With status 0, <c>none</c> says that the request never left
    /// (no connection could be made), and null that nothing is known.
    /// </summary>
    public string? Effect { get; init; }

    /// <summary>Id of the order in the answer, or of the order that the call was about.</summary>
    public string? Order { get; init; }

    /// <summary>Status word of the order, reservation or payment in a successful answer.</summary>
    public string? State { get; init; }

    /// <summary>Coupon code that the answer showed.</summary>
    public string? Coupon { get; init; }
    public string? Payment { get; init; }

    /// <summary>
    /// Why this call has to be refused whatever else is true (<c>forged</c>, <c>young</c>, <c>stolen</c>, <c>no-session</c>, …); null for
    /// calls of which success is allowed. Set <c>young</c> only if the answer came less than the minimum age after the token was asked for.
    /// </summary>
    public string? MustRefuse { get; init; }

    /// <summary>What an <c>admin.</c> call changed: the id of a sale, offer or user.</summary>
    public string? Subject { get; init; }

    /// <summary>64 bits of the SHA-256 of a token: enough to tell tokens apart, useless for ordering.</summary>
    public static string Fingerprint(string token) => Fingerprint(Encoding.UTF8.GetBytes(token));

    public static string Fingerprint(ReadOnlySpan<byte> token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(token, hash);
        return Convert.ToHexStringLower(hash[..8]);
    }
}

/// <summary>The values of <see cref="HistoryRecord.Op"/>.</summary>
public static class HistoryOps
{
    public const string Visit = "visit";
    public const string Reserve = "reserve";
    public const string Reservation = "reservation";
    public const string Token = "token";

    /// <summary>POST /orders with a token: the only call that makes an order.</summary>
    public const string Order = "order";
    public const string Read = "read";
    public const string Pay = "pay";

    /// <summary>The provider's page, where the shopper confirms the payment.</summary>
    public const string PayPage = "pay-page";
    public const string Cancel = "cancel";

    /// <summary>Changes by an operator start with this; each 2xx of them has to be in the audit log.</summary>
    public const string AdminPrefix = "admin.";
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HistoryHeader))]
[JsonSerializable(typeof(HistoryRecord))]
internal sealed partial class HistoryJson : JsonSerializerContext;
