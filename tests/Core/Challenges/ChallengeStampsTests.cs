using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

using FlashSale.Core;
using FlashSale.Core.Challenges;
using FlashSale.Core.Tokens;

using Xunit;

namespace FlashSale.Tests.Core.Challenges;

public sealed class ChallengeStampsTests
{
    private const int Bits = 8;
    private static readonly DateTimeOffset Now = new(2026, 11, 11, 12, 0, 0, TimeSpan.Zero);
    private static readonly UserId Alice = UserId.Parse("alice");
    private static readonly ChallengeSubject Checkout = new(ChallengePurpose.Checkout, Alice, new SaleId(3), new OfferId(14));
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);
    private readonly ChallengeStamps challenges = new(new Stamps(Key, []));

    public static TheoryData<ChallengePurpose, string, long, long> OtherSubjects => new()
    {
        { ChallengePurpose.Reservation, "alice", 3, 14 },
        { ChallengePurpose.Checkout, "bob", 3, 14 },
        { ChallengePurpose.Checkout, "alic", 3, 14 },
        { ChallengePurpose.Checkout, "alicee", 3, 14 },
        { ChallengePurpose.Checkout, "alice", 4, 14 },
        { ChallengePurpose.Checkout, "alice", 3, 15 },
        { ChallengePurpose.Checkout, "alice", 3, 0 },
    };

    [Fact]
    public void Verify_WhenTheNonceHasExactlyTheBits_IsWork()
    {
        var looked = 0;
        for (var i = 0; i < 2_000; i++)
        {
            var made = challenges.Create(Checkout, Bits, Now);
            var hash = SHA256.HashData(Encoding.ASCII.GetBytes(made.Stamp + ":17"));
            var zeros = LeadingZeros(hash);
            // The bits that are asked for are those of the stamp: exactly as many are enough, one less is not.
            Assert.True(ChallengeStamps.IsWork(made.Stamp, "17", zeros));
            Assert.False(ChallengeStamps.IsWork(made.Stamp, "17", zeros + 1));
            Assert.Equal(zeros >= Bits ? ChallengeVerdict.Worked : ChallengeVerdict.Wrong, Verify(new Solution(made.Stamp, "17", null)));
            looked += zeros >= Bits - 1 ? 1 : 0;
        }

        Assert.NotEqual(0, looked);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(299_999, true)]
    [InlineData(300_000, true)]
    [InlineData(300_001, false)]
    [InlineData(86_400_000, false)]
    [InlineData(-50, true)] // Another instance made it, whose clock is a little ahead.
    public void Verify_AtTheEndOfItsLife_IsExactToTheMillisecond(int ageMs, bool good)
    {
        var made = challenges.Create(Checkout, Bits, Now);

        var verdict = challenges.Verify(Checkout, Solved(made), Now.AddMilliseconds(ageMs), out var read);

        Assert.Equal(good ? ChallengeVerdict.Worked : ChallengeVerdict.Expired, verdict);
        Assert.Equal(made, read);
    }

    [Theory]
    [MemberData(nameof(OtherSubjects))]
    public void Verify_WhenItWasSolvedForAnything_IsWorthNothingForElse(ChallengePurpose purpose, string user, long sale, long offer)
    {
        var solution = Solved(challenges.Create(new ChallengeSubject(purpose, UserId.Parse(user), new SaleId(sale), new OfferId(offer)), Bits, Now));

        Assert.Equal(ChallengeVerdict.Foreign, challenges.Verify(Checkout, solution, Now, out var read));
        Assert.Null(read);
    }

    [Fact]
    public void Verify_WhenTheStampIsNotOurs_IsForeign()
    {
        var made = challenges.Create(Checkout, Bits, Now);
        var good = Solved(made);
        var bytes = Base64Url.DecodeFromChars(made.Stamp);
        List<string> stamps = ["", "x", made.Stamp + "=", " " + made.Stamp, made.Stamp + "\n", made.Stamp[..^1], made.Stamp + "A", new('A', 4_000), new('A', Stamps.MaxLength)];
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            stamps.Add(Base64Url.EncodeToString(bytes));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        // Fewer bits, signed by somebody else.
        bytes[9 + 9] = 0;
        stamps.Add(Base64Url.EncodeToString(bytes));
        stamps.Add(new Stamps(new byte[32], []).Seal(StampPurpose.Challenge, Now, bytes.AsSpan(9, bytes.Length - 9 - 16)));
        stamps.Add(new Stamps(Key, []).Seal(StampPurpose.Visit, Now, bytes.AsSpan(9, bytes.Length - 9 - 16)));
        foreach (var stamp in stamps)
        {
            Assert.Equal(ChallengeVerdict.Foreign, Verify(good with { Stamp = stamp }));
        }

        Assert.Equal(ChallengeVerdict.Worked, Verify(good));
    }

    [Fact]
    public void Verify_WhenTheNonceIsNone_IsWrong()
    {
        var made = challenges.Create(Checkout, Bits, Now);
        var nonce = Solved(made).Nonce!;
        foreach (var other in new[] { "", " ", nonce + " ", " " + nonce, "+" + nonce, "-1", "1.0", "0x1", "１７", "٣", nonce + "\0", new('0', 21), new('9', 21), new('1', 10_000), "a" })
        {
            Assert.Equal(ChallengeVerdict.Wrong, Verify(new Solution(made.Stamp, other, null)));
        }

        Assert.Equal(ChallengeVerdict.Wrong, Verify(new Solution(made.Stamp, null, null)));
    }

    [Fact]
    public void Verify_WhenTheNonceHasTwentyDigits_MayBeWorkAndWithOneMoreIsNot()
    {
        var made = challenges.Create(Checkout, Bits, Now);
        var twenty = Enumerable.Range(0, 100_000).Select(i => i.ToString("D20")).First(nonce => LeadingZeros(SHA256.HashData(Encoding.ASCII.GetBytes($"{made.Stamp}:{nonce}"))) >= Bits);
        var more = Enumerable.Range(0, 100_000).Select(i => i.ToString("D21")).First(nonce => LeadingZeros(SHA256.HashData(Encoding.ASCII.GetBytes($"{made.Stamp}:{nonce}"))) >= Bits);

        Assert.Equal(ChallengeVerdict.Worked, Verify(new Solution(made.Stamp, twenty, null)));
        Assert.Equal(ChallengeVerdict.Wrong, Verify(new Solution(made.Stamp, more, null)));
    }

    [Theory]
    [InlineData(0, ChallengeVerdict.TooSoon)]
    [InlineData(3_999, ChallengeVerdict.TooSoon)]
    [InlineData(4_000, ChallengeVerdict.Answered)]
    [InlineData(300_000, ChallengeVerdict.Answered)]
    [InlineData(300_001, ChallengeVerdict.Expired)]
    public void Verify_WhenTheQuestionIsAnswered_TakesItAfterTheTimeThatAPersonNeeds(int ageMs, ChallengeVerdict expected)
    {
        var made = challenges.Create(Checkout, Bits, Now);

        Assert.Equal(expected, challenges.Verify(Checkout, new Solution(made.Stamp, null, AnswerOf(made)), Now.AddMilliseconds(ageMs), out var read));
        Assert.Equal(made, read);
    }

    [Fact]
    public void Verify_WhenTheAnswerIsAnother_IsWrong()
    {
        for (var i = 0; i < 200; i++)
        {
            var made = challenges.Create(Checkout, Bits, Now);
            var right = AnswerOf(made);
            var taken = Enumerable.Range(-5, 60).Select(answer => $"{answer}").Concat(["", " ", "0" + right, "+" + right, right + ".0", "七"])
                .Where(answer => challenges.Verify(Checkout, new Solution(made.Stamp, null, answer), Now.AddSeconds(5), out _) == ChallengeVerdict.Answered);
            Assert.Equal([right], taken);
        }
    }

    [Fact]
    public void Create_WhenQuestionsAreMany_AsksDifferentOnesThatTheStampDoesNotTell()
    {
        var made = Enumerable.Range(0, 2_000).Select(_ => challenges.Create(Checkout, Bits, Now)).ToList();

        Assert.Equal(made.Count, made.Select(challenge => challenge.Stamp).Distinct().Count());
        Assert.InRange(made.Select(challenge => challenge.Question).Distinct().Count(), 350, 400);
        // The same stamp under another key is another question: what is in the stamp does not make it.
        var elsewhere = new Stamps(RandomNumberGenerator.GetBytes(32), []);
        var same = made.Count(challenge =>
        {
            var body = new Stamps(Key, []).Open(StampPurpose.Challenge, challenge.Stamp, out var at, out var secret)!;
            elsewhere.Seal(StampPurpose.Challenge, at, body, out var other);
            return secret == other;
        });
        Assert.Equal(0, same);
    }

    [Fact]
    public void Verify_AfterAKeyChange_KnowsTheChallengeAndItsQuestion()
    {
        var made = challenges.Create(Checkout, Bits, Now);
        var changed = new ChallengeStamps(new Stamps(RandomNumberGenerator.GetBytes(32), [Key]));

        Assert.Equal(ChallengeVerdict.Worked, changed.Verify(Checkout, Solved(made), Now, out var read));
        Assert.Equal(made, read);
        Assert.Equal(ChallengeVerdict.Answered, changed.Verify(Checkout, new Solution(made.Stamp, null, AnswerOf(made)), Now.AddSeconds(4), out _));
    }

    [Fact]
    public void OrderIdOf_WhenAsked_IsOneForAChallengeAndAVersion7Id()
    {
        var made = Enumerable.Range(0, 1_000).Select(i => challenges.Create(Checkout, Bits, Now.AddMilliseconds(i))).ToList();
        var ids = made.ConvertAll(ChallengeStamps.OrderIdOf);

        Assert.Equal(1_000, ids.Distinct().Count());
        Assert.Equal(ids, made.ConvertAll(challenge => ChallengeStamps.OrderIdOf(Reread(challenge))));
        Assert.All(ids.Zip(made), pair =>
        {
            Assert.Equal(pair.Second.MadeAt, pair.First.CreatedAt);
            Assert.Equal(7, pair.First.Value.Version);
            Assert.InRange(pair.First.Value.Variant, 8, 11);
            Assert.True(OrderId.TryParse(pair.First.ToString(), out var again) && again == pair.First);
        });
    }

    private Challenge Reread(Challenge challenge)
    {
        Assert.Equal(ChallengeVerdict.Worked, challenges.Verify(Checkout, Solved(challenge), challenge.MadeAt.AddSeconds(1), out var read));
        return read!;
    }

    private ChallengeVerdict Verify(Solution solution) => challenges.Verify(Checkout, solution, Now.AddSeconds(5), out _);

    private static Solution Solved(Challenge challenge)
    {
        var nonce = 0L;
        while (!ChallengeStamps.IsWork(challenge.Stamp, $"{nonce}", challenge.Bits))
        {
            nonce++;
        }

        return new Solution(challenge.Stamp, $"{nonce}", null);
    }

    /// <summary>What a person makes of the question.</summary>
    internal static string AnswerOf(Challenge challenge)
    {
        string[] words =
        [
            "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
            "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
        ];
        var parts = challenge.Question.En["What is ".Length..^1].Split(" plus ");
        return $"{parts.Sum(part => Array.IndexOf(words, part) + 1)}";
    }

    private static int LeadingZeros(byte[] hash)
    {
        var bits = 0;
        while ((hash[bits / 8] & (0x80 >> (bits % 8))) == 0)
        {
            bits++;
        }

        return bits;
    }
}
