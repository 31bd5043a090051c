using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

using FlashSale.Tools.Load;

namespace FlashSale.Tools.Contest;

/// <summary>
/// Solves challenges. The sale asks for few bits, so that this machine finds every solution at once and is not what is measured; whoever solves then waits as
/// long as the bits of <see cref="ContestSettings.ChallengeBits"/> would take: a person on a phone, and all bots on one computer that does one after the other.
/// </summary>
internal sealed class Solver(ContestSettings settings, RunClock clock, CancellationToken stopping)
{
    /// <summary>Ours to find; a server that asks for more than it may is not obeyed.</summary>
    private const int BitsMax = 24;
    private readonly Lock turn = new();
    private long freeAt;

    /// <returns>The JSON of the solution, or null when the challenge is not one.</returns>
    public async Task<string?> SolveAsync(Participant one, Challenge challenge)
    {
        if (challenge.Bits is < 0 or > BitsMax)
        {
            return null;
        }

        await clock.DelayUntil(DoneAt(one.Kind, Behaviour.HashesFor(settings.ChallengeBits, one.Random)), stopping);
        return $$"""{"challenge":"{{challenge.Stamp}}","nonce":"{{Work(challenge.Stamp, challenge.Bits).ToString(CultureInfo.InvariantCulture)}}"}""";
    }

    /// <summary>When somebody who begins now will have done so many hashes.</summary>
    internal long DoneAt(Kind kind, long hashes)
    {
        if (kind == Kind.Person)
        {
            return clock.Now + (long)(hashes * 1e6 / Behaviour.PhoneHashes);
        }

        lock (turn)
        {
            return freeAt = Math.Max(freeAt, clock.Now) + (long)(hashes * 1e6 / settings.BotHashes);
        }
    }

    /// <summary>The first nonce for which SHA-256 of <c>stamp:nonce</c> has so many leading zero bits.</summary>
    internal static ulong Work(string stamp, int bits)
    {
        const int NonceMax = 20;
        Span<byte> text = new byte[Encoding.UTF8.GetMaxByteCount(stamp.Length + 1) + NonceMax];
        var start = Encoding.UTF8.GetBytes(stamp + ":", text);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        for (ulong nonce = 0; ; nonce++)
        {
            Utf8Formatter.TryFormat(nonce, text[start..], out var digits);
            SHA256.HashData(text[..(start + digits)], hash);
            if (BitOperations.LeadingZeroCount(System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(hash)) >= bits)
            {
                return nonce;
            }
        }
    }
}
