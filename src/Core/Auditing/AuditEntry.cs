using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FlashSale.Core.Auditing;

/// <summary>What the audit log keeps of one change, and all that its hash is made of besides the hash before it.</summary>
/// <param name="Seq">From 1, without gaps.</param>
/// <param name="At">In whole milliseconds: what is finer is not kept.</param>
/// <param name="Before">JSON of what was there; null where there was nothing.</param>
/// <param name="After">JSON of what is there now.</param>
public sealed record AuditEntry(
    long Seq, DateTimeOffset At, string Actor, string Role, string Action, string Subject, string? Reason, string? Before, string? After, string? TraceId);

/// <summary>
/// The chain of the audit log: each entry's hash is made of its fields and of the hash before it, so whoever edits an entry must make all later ones anew
/// (docs/audit.md, Byte for byte; docs/decisions/0023).
/// </summary>
public static class AuditChain
{
    /// <summary>What stands in place of a hash before the first entry.</summary>
    public const string Start = "0000000000000000000000000000000000000000000000000000000000000000";

    private const byte Absent = 0;
    private const byte Present = 1;

    /// <summary>Names what is hashed, and in which version: these bytes begin nothing else that anybody hashes.</summary>
    private static ReadOnlySpan<byte> Name => "flashsale audit 1\n"u8;

    /// <param name="previous">The hash of the entry before it, or <see cref="Start"/>.</param>
    /// <returns>64 lower-case hexadecimal digits.</returns>
    public static string HashOf(string previous, AuditEntry entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Name);
        hash.AppendData(Convert.FromHexString(previous));
        AppendNumber(hash, entry.Seq);
        AppendNumber(hash, entry.At.ToUnixTimeMilliseconds());
        foreach (var text in (ReadOnlySpan<string?>)[entry.Actor, entry.Role, entry.Action, entry.Subject, entry.Reason, entry.Before, entry.After, entry.TraceId])
        {
            AppendText(hash, text);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AppendNumber(IncrementalHash hash, long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        hash.AppendData(bytes);
    }

    /// <summary>With its length, so that no text runs into the next one; and what is not there is not the same as what is empty.</summary>
    private static void AppendText(IncrementalHash hash, string? text)
    {
        if (text is null)
        {
            hash.AppendData([Absent]);
            return;
        }

        var utf8 = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, utf8.Length);
        hash.AppendData([Present]);
        hash.AppendData(length);
        hash.AppendData(utf8);
    }
}
