using FlashSale.Core;

using Xunit;

namespace FlashSale.Tests.Core;

public sealed class IdsTests
{
    [Theory]
    [InlineData(1, "1")]
    [InlineData(61, "z")]
    [InlineData(62, "10")]
    [InlineData(3_843, "zz")]
    [InlineData(839_299_365_868_340_223, "zzzzzzzzzz")]
    public void OfferId_InBase62_ReadsWhatItWrites(long value, string text)
    {
        Assert.Equal(text, new OfferId(value).ToString());
        Assert.True(OfferId.TryParse(text, out var read));
        Assert.Equal(value, read.Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("01")]
    [InlineData("-1")]
    [InlineData("1 ")]
    [InlineData("é")]
    [InlineData("１")]
    [InlineData("zzzzzzzzzzz")]
    public void OfferId_InAnyOtherSpelling_IsRefused(string text) => Assert.False(OfferId.TryParse(text, out _));

    [Theory]
    [InlineData("1", true)]
    [InlineData("999999999999999999", true)]
    [InlineData("0", false)]
    [InlineData("01", false)]
    [InlineData("+1", false)]
    [InlineData("1.0", false)]
    [InlineData("9999999999999999999", false)]
    [InlineData("", false)]
    public void SaleId_HasOneSpelling(string text, bool expected) => Assert.Equal(expected, SaleId.TryParse(text, out _));

    [Fact]
    public void OrderId_OfAMoment_TellsThatMoment()
    {
        var now = new DateTimeOffset(2026, 11, 11, 12, 0, 0, 123, TimeSpan.Zero);
        var id = OrderId.Create(now);
        Assert.Equal(now, id.CreatedAt);
        Assert.True(OrderId.TryParse(id.ToString(), out var read));
        Assert.Equal(id, read);
        Assert.False(OrderId.TryParse(id.ToString().ToUpperInvariant(), out _));
        Assert.False(OrderId.TryParse(id.Value.ToString("D"), out _));
    }

    [Theory]
    [InlineData("alice", true)]
    [InlineData("A.b_c-9", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("小明", false)]
    [InlineData("a/b", false)]
    [InlineData(null, false)]
    public void UserId_IsOneTo64OfItsCharacters(string? text, bool expected)
    {
        Assert.Equal(expected, UserId.TryParse(text, out _));
        Assert.True(UserId.TryParse(new string('x', 64), out _));
        Assert.False(UserId.TryParse(new string('x', 65), out _));
    }
}
