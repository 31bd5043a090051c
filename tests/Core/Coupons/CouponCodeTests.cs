using FlashSale.Core.Coupons;

using Xunit;

namespace FlashSale.Tests.Core.Coupons;

public sealed class CouponCodeTests
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    [Fact]
    public void Create_Always_IsTwelveCharactersInGroupsAndNormalizesToItself()
    {
        for (var i = 0; i < 1_000; i++)
        {
            var code = CouponCode.Create();
            Assert.Matches("^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$", code);
            Assert.True(CouponCode.TryNormalize(code, out var same));
            Assert.Equal(code, same);
        }
    }

    [Fact]
    public void TryNormalize_WhenAnyOneCharacterIsWrong_Refuses()
    {
        var code = CouponCode.Create().Replace("-", "", StringComparison.Ordinal);
        for (var at = 0; at < code.Length; at++)
        {
            foreach (var wrong in Alphabet.Where(c => c != code[at]))
            {
                Assert.False(CouponCode.TryNormalize(code[..at] + wrong + code[(at + 1)..], out _));
            }
        }
    }

    [Fact]
    public void TryNormalize_WhenAnyTwoCharactersAreSwapped_Refuses()
    {
        for (var round = 0; round < 50; round++)
        {
            var code = CouponCode.Create().Replace("-", "", StringComparison.Ordinal);
            for (var i = 0; i < code.Length; i++)
            {
                for (var j = i + 1; j < code.Length; j++)
                {
                    if (code[i] != code[j])
                    {
                        var swapped = code.ToCharArray();
                        (swapped[i], swapped[j]) = (swapped[j], swapped[i]);
                        Assert.False(CouponCode.TryNormalize(new string(swapped), out _));
                    }
                }
            }
        }
    }

    [Fact]
    public void TryNormalize_WhenTypedByAPerson_ReadsLookalikesCaseAndBlanks()
    {
        Assert.True(CouponCode.TryNormalize("0000-0000-0000", out var zeros));
        Assert.True(CouponCode.TryNormalize("oooo OOOO 0000", out var typed));
        Assert.Equal(zeros, typed);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0000-0000-000")]
    [InlineData("0000-0000-00000")]
    [InlineData("UUUU-UUUU-UUUU")]
    [InlineData("0000-0000-000\0")]
    [InlineData("００００-0000-0000")]
    public void TryNormalize_WhenNotACode_Refuses(string? text) => Assert.False(CouponCode.TryNormalize(text, out _));
}
