using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

using FlashSale.Core.Sales;
using FlashSale.Core.Tokens;

namespace FlashSale.Core.Challenges;

/// <summary>
/// Makes challenges and checks their solutions without keeping either (docs/decisions/0017). The body of the stamp: <c>salt 8 · purpose 1 · bits 1 · sale 8 ·
/// offer 8 · user</c>, big-endian. The numbers of the question are the stamp's secret, so the stamp does not tell them.
/// </summary>
public sealed class ChallengeStamps(Stamps stamps)
{
    private const int HeadBytes = 8 + 1 + 1 + 8 + 8;

    private static readonly string[] Zh =
    [
        "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三", "十四", "十五", "十六", "十七", "十八", "十九", "二十",
    ];

    private static readonly string[] En =
    [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    ];

    /// <param name="bits">Leading zero bits of a solution by work, <see cref="Limits.ChallengeBitsMin"/> to <see cref="Limits.ChallengeBitsMax"/>.</param>
    public Challenge Create(in ChallengeSubject subject, int bits, DateTimeOffset now)
    {
        Span<byte> body = stackalloc byte[HeadBytes + Limits.UserIdLength];
        RandomNumberGenerator.Fill(body[..8]);
        body[9] = (byte)bits;
        var length = Write(subject, body);
        var stamp = stamps.Seal(StampPurpose.Challenge, now, body[..length], out var secret);
        return new Challenge(stamp, bits, QuestionOf(secret), DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()));
    }

    /// <summary>Is this a solution, and of a challenge of this subject?</summary>
    /// <param name="challenge">The challenge, when it is one of the subject's; null when it is <see cref="ChallengeVerdict.Foreign"/>.</param>
    public ChallengeVerdict Verify(in ChallengeSubject subject, Solution solution, DateTimeOffset now, out Challenge? challenge)
    {
        challenge = null;
        if (stamps.Open(StampPurpose.Challenge, solution.Stamp, out var at, out var secret) is not { Length: >= HeadBytes } body)
        {
            return ChallengeVerdict.Foreign;
        }

        Span<byte> own = stackalloc byte[HeadBytes + Limits.UserIdLength];
        body.AsSpan(0, 10).CopyTo(own);
        if (!own[..Write(subject, own)].SequenceEqual(body))
        {
            return ChallengeVerdict.Foreign;
        }

        challenge = new Challenge(solution.Stamp, body[9], QuestionOf(secret), at);
        if (now > challenge.ExpiresAt)
        {
            return ChallengeVerdict.Expired;
        }

        if (solution.Nonce is { } nonce)
        {
            return IsWork(solution.Stamp, nonce, challenge.Bits) ? ChallengeVerdict.Worked : ChallengeVerdict.Wrong;
        }

        if (solution.Answer is not { } answer)
        {
            return ChallengeVerdict.Wrong;
        }

        return now < at + Limits.AnswerMinimumAge ? ChallengeVerdict.TooSoon
            : answer == AnswerOf(secret) ? ChallengeVerdict.Answered
            : ChallengeVerdict.Wrong;
    }

    /// <summary>
    /// The id of the one order that a solved challenge is good for: whoever uses a solution twice, at any instance, at the same time, gets tokens of the same order.
    /// </summary>
    public static OrderId OrderIdOf(Challenge challenge) => OrderId.Of(challenge.MadeAt, SHA256.HashData(Encoding.ASCII.GetBytes("flashsale order:" + challenge.Stamp)));

    /// <param name="nonce">1 to <see cref="Limits.NonceLength"/> ASCII digits; for anything else it is no work.</param>
    public static bool IsWork(string stamp, string nonce, int bits)
    {
        if (nonce.Length is 0 or > Limits.NonceLength || nonce.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        Span<byte> text = stackalloc byte[Stamps.MaxLength + 1 + Limits.NonceLength];
        var length = Encoding.ASCII.GetBytes(stamp, text);
        text[length++] = (byte)':';
        length += Encoding.ASCII.GetBytes(nonce, text[length..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..length], hash);
        // More than 32 bits are never asked for.
        return BitOperations.LeadingZeroCount(BinaryPrimitives.ReadUInt32BigEndian(hash)) >= bits;
    }

    /// <summary>All but salt and bits, which stand before. Gives the length of the whole.</summary>
    private static int Write(in ChallengeSubject subject, Span<byte> body)
    {
        body[8] = (byte)subject.Purpose;
        BinaryPrimitives.WriteInt64BigEndian(body[10..], subject.SaleId.Value);
        BinaryPrimitives.WriteInt64BigEndian(body[18..], subject.OfferId.Value);
        return HeadBytes + Encoding.ASCII.GetBytes(subject.User.Value, body[HeadBytes..]);
    }

    private static (int A, int B) NumbersOf(uint secret) => ((int)(secret % (uint)En.Length), (int)((secret >> 16) % (uint)En.Length));

    private static string AnswerOf(uint secret)
    {
        var (a, b) = NumbersOf(secret);
        return (a + b + 2).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private static LocalizedText QuestionOf(uint secret)
    {
        var (a, b) = NumbersOf(secret);
        return new LocalizedText($"{Zh[a]}加{Zh[b]}等于几？", $"What is {En[a]} plus {En[b]}?");
    }
}
