using System.Security.Cryptography;

using FlashSale.Core.Tokens;

using Xunit;

namespace FlashSale.Tests.Core.Tokens;

public sealed class StampsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 11, 12, 0, 0, TimeSpan.Zero);
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);
    private readonly Stamps stamps = new(Key, []);

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(Stamps.MaxBody)]
    public void Open_WhenItIsOurs_GivesBackWhatWasSealed(int length)
    {
        var body = RandomNumberGenerator.GetBytes(length);
        var stamp = stamps.Seal(StampPurpose.Visit, Now, body);

        Assert.True(stamp.Length <= Stamps.MaxLength);
        Assert.Equal(body, stamps.Open(StampPurpose.Visit, stamp, out var at));
        Assert.Equal(Now, at);
    }

    [Fact]
    public void Open_WhenItWasMadeForSomethingElse_IsNull() =>
        Assert.Null(stamps.Open(StampPurpose.Challenge, stamps.Seal(StampPurpose.Visit, Now, [1, 2, 3]), out _));

    [Fact]
    public void Open_WhenAnyByteIsAnother_IsNull()
    {
        var stamp = stamps.Seal(StampPurpose.Device, Now, [1, 2, 3, 4, 5, 6, 7, 8]).ToCharArray();
        for (var i = 0; i < stamp.Length; i++)
        {
            var was = stamp[i];
            foreach (var other in "AQgw_-0 =é".Where(other => other != was))
            {
                stamp[i] = other;
                Assert.Null(stamps.Open(StampPurpose.Device, stamp, out _));
            }

            stamp[i] = was;
        }

        Assert.NotNull(stamps.Open(StampPurpose.Device, stamp, out _));
    }

    [Fact]
    public void Open_AfterAKeyChange_AcceptsThePreviousKeyAndNoOther()
    {
        var newKey = RandomNumberGenerator.GetBytes(32);
        var old = stamps.Seal(StampPurpose.Device, Now, [1]);

        Assert.NotNull(new Stamps(newKey, [Key]).Open(StampPurpose.Device, old, out _));
        Assert.Null(new Stamps(newKey, []).Open(StampPurpose.Device, old, out _));
    }
}
