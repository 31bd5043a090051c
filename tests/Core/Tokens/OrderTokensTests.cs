using System.Security.Cryptography;
using System.Text;

using FlashSale.Core;
using FlashSale.Core.Tokens;

using Xunit;

namespace FlashSale.Tests.Core.Tokens;

public sealed class OrderTokensTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 11, 12, 0, 0, TimeSpan.Zero);
    private static readonly UserId Alice = UserId.Parse("alice");
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);
    private readonly OrderTokens tokens = new(Key, [], TokenAges.Default);

    [Fact]
    public void Verify_WhenGood_GivesBackWhatWasPutIn()
    {
        var made = Make(Now);

        var verdict = Verify(tokens.Create(made), Alice, Now.AddSeconds(5), out var read);

        Assert.Equal(TokenVerdict.Valid, verdict);
        Assert.Equal(made, read);
    }

    [Theory]
    [InlineData(-1, TokenVerdict.TooYoung)]
    [InlineData(0, TokenVerdict.TooYoung)]
    [InlineData(999, TokenVerdict.TooYoung)]
    [InlineData(1_000, TokenVerdict.Valid)]
    [InlineData(1_001, TokenVerdict.Valid)]
    [InlineData(600_000, TokenVerdict.Valid)]
    [InlineData(600_001, TokenVerdict.TooOld)]
    [InlineData(long.MaxValue / 100_000, TokenVerdict.TooOld)]
    public void Verify_AtTheBoundsOfItsAge_IsExactToTheMillisecond(long ageMs, TokenVerdict expected)
    {
        var token = tokens.Create(Make(Now));
        var later = ageMs > 1_000_000 ? DateTimeOffset.MaxValue : Now.AddMilliseconds(ageMs);

        Assert.Equal(expected, Verify(token, Alice, later, out _));
    }

    [Theory]
    [InlineData("bob")]
    [InlineData("alicf")]
    [InlineData("alic")]
    [InlineData("alicee")]
    [InlineData("Alice")]
    public void Verify_WhenAnotherUsers_IsRejected(string other) =>
        Assert.Equal(TokenVerdict.WrongUser, Verify(tokens.Create(Make(Now)), UserId.Parse(other), Now.AddSeconds(5), out _));

    [Fact]
    public void Verify_WhenAnyBitOfTheTextIsFlipped_IsRejected()
    {
        foreach (var user in new[] { "a", "ab", "abc", new string('x', Limits.UserIdLength) })
        {
            var id = UserId.Parse(user);
            var text = Encoding.ASCII.GetBytes(tokens.Create(Make(Now) with { UserId = id }));
            for (var bit = 0; bit < text.Length * 8; bit++)
            {
                text[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.NotEqual(TokenVerdict.Valid, tokens.Verify(text, id, Now.AddSeconds(5), out _));
                text[bit / 8] ^= (byte)(1 << (bit % 8));
            }

            Assert.Equal(TokenVerdict.Valid, tokens.Verify(text, id, Now.AddSeconds(5), out _));
        }
    }

    [Fact]
    public void Verify_WhenSpeltInAnyOtherWay_IsRejected()
    {
        var token = tokens.Create(Make(Now));
        foreach (var other in new[] { token + "=", token + "==", " " + token, token + " ", token + "\n", token[..10] + " " + token[10..], token + "A", token[..^1], "", "A" })
        {
            Assert.Equal(TokenVerdict.Malformed, Verify(other, Alice, Now.AddSeconds(5), out _));
        }
    }

    [Fact]
    public void Verify_WhenBytesAreRandom_IsRejected()
    {
        var random = new Random(7);
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = new byte[random.Next(0, 300)];
            random.NextBytes(bytes);
            Assert.NotEqual(TokenVerdict.Valid, tokens.Verify(bytes, Alice, Now, out _));
        }
    }

    [Fact]
    public void Verify_AfterAKeyChange_AcceptsThePreviousKeyAndNoOther()
    {
        var old = tokens.Create(Make(Now));
        var newKey = RandomNumberGenerator.GetBytes(32);
        var rotated = new OrderTokens(newKey, [Key], TokenAges.Default);
        var finished = new OrderTokens(newKey, [], TokenAges.Default);

        Assert.Equal(TokenVerdict.Valid, rotated.Verify(Encoding.ASCII.GetBytes(old), Alice, Now.AddSeconds(5), out _));
        Assert.Equal(TokenVerdict.UnknownKey, finished.Verify(Encoding.ASCII.GetBytes(old), Alice, Now.AddSeconds(5), out _));
        Assert.Equal(TokenVerdict.Valid, finished.Verify(Encoding.ASCII.GetBytes(rotated.Create(Make(Now))), Alice, Now.AddSeconds(5), out _));
    }

    [Fact]
    public void Create_ForTheLongestUser_StaysWithinMaxLength()
    {
        var token = tokens.Create(Make(Now) with { UserId = UserId.Parse(new string('x', Limits.UserIdLength)) });
        Assert.Equal(OrderTokens.MaxLength, token.Length);
    }

    private static OrderToken Make(DateTimeOffset issuedAt) => new(issuedAt, OrderId.Create(issuedAt), new SaleId(3), new OfferId(14), Alice, new DeviceId(0xFEDC_BA98_7654_3210));

    private TokenVerdict Verify(string token, UserId user, DateTimeOffset now, out OrderToken read) =>
        tokens.Verify(Encoding.UTF8.GetBytes(token), user, now, out read);
}
