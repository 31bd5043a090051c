using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

using FlashSale.Tools.Load;

namespace FlashSale.Tools.Contest;

/// <summary>
/// Solves challenges. The sale asks for few bits, so that this machine finds every solution at once and is not what is measured; whoever solves then waits as
/// long as the bits of <see cref="ContestSettings.ChallengeBits"/> would take: a person's phone at <see cref="Behaviour.PhoneHashes"/>, all bots on one computer
/// that does one after the other. A bot answers the question instead where that is quicker.
/// </summary>
internal sealed class Solver(ContestSettings settings, RunClock clock, CancellationToken stopping)
{
    /// <summary>A server that asks for more than it may is not obeyed.</summary>
    private const int BitsMax = 24;

    private static readonly string[] Numbers =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    ];

    private readonly Lock turn = new();
    private long freeAt;

    /// <returns>The JSON of the solution, once it would be there; null when the challenge is not one.</returns>
    public async Task<string?> SolveAsync(Participant one, Challenge challenge)
    {
        if (challenge.Bits is < 0 or > BitsMax)
        {
            return null;
        }

        var (at, solution) = Solve(one.Kind, challenge, Behaviour.HashesFor(settings.ChallengeBits, one.Random), clock.Now);
        await clock.DelayUntil(at, stopping);
        return solution;
    }

    internal (long At, string Solution) Solve(Kind kind, Challenge challenge, long hashes, long now)
    {
        var answer = kind == Kind.Person ? null : AnswerTo(challenge.Question);
        var answered = now + Behaviour.AnswerAfter;
        var worked = kind == Kind.Person ? now + (long)(hashes * 1e6 / Behaviour.PhoneHashes) : TakeTurn(now, hashes, answer is null ? long.MaxValue : answered);
        return worked is { } at
            ? (at, $$"""{"challenge":"{{challenge.Stamp}}","nonce":"{{Work(challenge.Stamp, challenge.Bits).ToString(CultureInfo.InvariantCulture)}}"}""")
            : (answered, $$"""{"challenge":"{{challenge.Stamp}}","answer":"{{answer}}"}""");
    }

    /// <returns>When the bots' computer will have done so many hashes more; null when that is later than a time, and then it does not begin.</returns>
    internal long? TakeTurn(long now, long hashes, long latest)
    {
        lock (turn)
        {
            var done = Math.Max(freeAt, now) + (long)(hashes * 1e6 / settings.BotHashes);
            if (done > latest)
            {
                return null;
            }

            freeAt = done;
            return done;
        }
    }

    /// <returns>Null for a question that is not the sum of two numbers.</returns>
    internal static int? AnswerTo(string? question)
    {
        var words = (question ?? "").ToLowerInvariant().Split([' ', '?', '.'], StringSplitOptions.RemoveEmptyEntries);
        var plus = Array.IndexOf(words, "plus");
        if (plus < 1 || plus + 1 >= words.Length)
        {
            return null;
        }

        var (a, b) = (Array.IndexOf(Numbers, words[plus - 1]), Array.IndexOf(Numbers, words[plus + 1]));
        return a < 0 || b < 0 ? null : a + b;
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
