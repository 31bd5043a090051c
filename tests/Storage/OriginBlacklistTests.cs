using System.Net;

using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

public sealed class OriginBlacklistTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(60);

    [Theory]
    [InlineData("203.0.113.7/24", "203.0.113.0/24", "cb007100/24")]
    [InlineData("203.0.113.7", "203.0.113.7/32", "cb007107/32")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7/32", "cb007107/32")]
    [InlineData("::FFFF:CB00:7107/120", "203.0.113.0/24", "cb007100/24")]
    [InlineData("10.255.255.255/8", "10.0.0.0/8", "0a000000/8")]
    [InlineData("2001:DB8:0:0::1/32", "2001:db8::/32", "20010db8000000000000000000000000/32")]
    [InlineData("2001:db8::1", "2001:db8::1/128", "20010db8000000000000000000000001/128")]
    [InlineData("2001:ffff::/16", "2001::/16", "20010000000000000000000000000000/16")]
    public void TryParse_OfARange_HasOneSpelling(string text, string canonical, string hex)
    {
        Assert.True(AddressRange.TryParse(text, out var range));
        Assert.Equal((canonical, hex), (range.ToString(), range.ToHex()));
        Assert.True(AddressRange.TryParse(canonical, out var again));
        Assert.Equal(range, again);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("0.0.0.0/0")]
    [InlineData("10.0.0.0/7")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-8")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.0.0.0/ 8")]
    [InlineData("10.0.0.0/08x")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0/8")]
    [InlineData("10")]
    [InlineData("0x0a.0.0.1")]
    [InlineData("010.0.0.1")]
    [InlineData("300.0.0.1")]
    [InlineData("::/0")]
    [InlineData("2001::/15")]
    [InlineData("2001::/129")]
    [InlineData("::ffff:10.0.0.0/103")]
    [InlineData("::ffff:10.0.0.0/64")]
    [InlineData("fe80::1%eth0")]
    [InlineData("fe80::1%1/64")]
    [InlineData("example.org/24")]
    public void TryParse_OfWhatIsNone_OrTooWide_Fails(string? text) => Assert.False(AddressRange.TryParse(text, out _));

    /// <summary>Against the definition: a range bars an address when their first bits are the same.</summary>
    [Fact]
    public void Bars_OfAnyAddress_IsWhatTheDefinitionSays()
    {
        var random = new Random(20261123);
        for (var round = 0; round < 300; round++)
        {
            var ranges = Enumerable.Range(0, random.Next(0, 12)).Select(_ => (Address: Address(random), Until: Now.AddSeconds(random.Next(-2, 3)))).Select(one =>
                (one.Address, Prefix: one.Address.GetAddressBytes().Length == 4 ? random.Next(8, 33) : random.Next(16, 129), one.Until)).ToList();
            var list = new OriginBlacklist();
            var changes = ranges.Select(range => new BlacklistChange(BlacklistKind.Address, $"{range.Address}/{range.Prefix}", range.Until)).ToList();
            list.Put(new BlacklistNews(1, IsWhole: true, changes));
            // Of the same range twice the last one counts.
            var last = ranges.GroupBy(range => Bits(range.Address)[..range.Prefix] + (range.Address.GetAddressBytes().Length == 4 ? "v4" : "v6")).Select(group => group.Last()).ToList();
            Assert.Equal(last.Count > 0, list.HasRanges);
            for (var i = 0; i < 40; i++)
            {
                var address = random.Next(3) > 0 && ranges.Count > 0 ? Near(ranges[random.Next(ranges.Count)].Address, random) : Address(random);
                var expected = last.Exists(range => range.Until > Now
                    && range.Address.AddressFamily == address.AddressFamily && Bits(range.Address)[..range.Prefix] == Bits(address)[..range.Prefix]);

                Assert.True(expected == list.Bars(address, Now), $"{address} in {string.Join(", ", changes)}: {expected}");
                Assert.Equal(expected, list.Bars(address.MapToIPv6(), Now));
            }
        }
    }

    [Fact]
    public void Put_OfNews_ChangesWhatTheySay_AndOfEverythingReplacesIt()
    {
        var list = new OriginBlacklist();
        var device = new DeviceId(7);
        var address = IPAddress.Parse("203.0.113.7");
        Assert.False(list.HasDevices || list.HasRanges || list.Bars(address, Now) || list.Bars(device, Now));

        list.Put(new BlacklistNews(1, IsWhole: false, [new(BlacklistKind.Device, device.ToString(), Now.AddSeconds(1)), new(BlacklistKind.Address, "203.0.113.0/24", Now.AddSeconds(1))]));
        Assert.True(list.HasDevices && list.HasRanges && list.Bars(address, Now) && list.Bars(device, Now));
        Assert.False(list.Bars(address, Now.AddSeconds(1)) || list.Bars(device, Now.AddSeconds(1)));
        Assert.Empty(list.RangesAt(Now.AddSeconds(1), 10));

        // A narrower one beside it, and the wider lifted.
        list.Put(new BlacklistNews(2, IsWhole: false, [new(BlacklistKind.Address, "203.0.113.7/32", DateTimeOffset.MaxValue), new(BlacklistKind.Address, "203.0.113.0/24", null)]));
        Assert.True(list.Bars(address, Now));
        Assert.False(list.Bars(IPAddress.Parse("203.0.113.8"), Now));
        list.Put(new BlacklistNews(3, IsWhole: true, [new(BlacklistKind.User, "mallory", DateTimeOffset.MaxValue), new(BlacklistKind.Address, "not a range", DateTimeOffset.MaxValue)]));
        Assert.False(list.HasDevices || list.HasRanges);
    }

    [Fact]
    public void RangesAt_WhenThereAreTooMany_HasTheWidest()
    {
        var list = new OriginBlacklist();
        string[] ranges = ["10.1.2.3/32", "10.0.0.0/8", "2001:db8::/48", "2001:db8::1/128", "192.0.2.0/24"];
        list.Put(new BlacklistNews(1, IsWhole: true, [.. ranges.Select(range => new BlacklistChange(BlacklistKind.Address, range, DateTimeOffset.MaxValue))]));

        Assert.Equal(["10.0.0.0/8", "2001:db8::/48", "192.0.2.0/24"], list.RangesAt(Now, 3).Select(range => range.ToString()));
    }

    private static IPAddress Address(Random random)
    {
        var bytes = new byte[random.Next(2) == 0 ? 4 : 16];
        // Few different bits, so that some are near to each other.
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(i == 0 ? 32 + random.Next(2) : random.Next(3) == 0 ? random.Next(256) : 0);
        }

        return new IPAddress(bytes);
    }

    private static IPAddress Near(IPAddress address, Random random)
    {
        var bytes = address.GetAddressBytes();
        var bit = random.Next(8 * bytes.Length);
        bytes[bit / 8] ^= (byte)(random.Next(2) << (7 - (bit % 8)));
        return new IPAddress(bytes);
    }

    private static string Bits(IPAddress address) => string.Concat(address.GetAddressBytes().Select(one => $"{one:b8}"));
}
