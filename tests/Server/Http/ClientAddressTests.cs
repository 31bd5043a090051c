using System.Net;

using FlashSale.Server.Http;

using Microsoft.AspNetCore.Http;

using Xunit;

using IPNetwork = System.Net.IPNetwork;

namespace FlashSale.Tests.Server.Http;

public sealed class ClientAddressTests
{
    private static readonly IPNetwork[] Proxies = [IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("fd00::/8"), IPNetwork.Parse("127.0.0.1/32")];

    [Theory]
    // From anybody else the header is ignored.
    [InlineData("203.0.113.9", "198.51.100.1", "203.0.113.9")]
    [InlineData("2001:db8::9", "198.51.100.1", "2001:db8::9")]
    [InlineData("10.0.0.1", null, "10.0.0.1")]
    [InlineData("10.0.0.1", "", "10.0.0.1")]
    [InlineData("10.0.0.1", "198.51.100.1", "198.51.100.1")]
    // The last untrusted entry: what stands before it is the client's own claim.
    [InlineData("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1")]
    [InlineData("10.0.0.1", "1.1.1.1,198.51.100.1 , 10.2.3.4", "198.51.100.1")]
    [InlineData("10.0.0.1", "10.9.9.9, 10.2.3.4", "10.0.0.1")]
    [InlineData("10.0.0.1", "198.51.100.1, garbage", "10.0.0.1")]
    [InlineData("10.0.0.1", "198.51.100.1, garbage, 10.2.3.4", "10.0.0.1")]
    [InlineData("10.0.0.1", ",,,", "10.0.0.1")]
    [InlineData("10.0.0.1", "2001:db8::1", "2001:db8::1")]
    [InlineData("fd00::1", "2001:db8::1, fd12::7", "2001:db8::1")]
    // IPv4 over an IPv6 socket is IPv4.
    [InlineData("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1")]
    [InlineData("::ffff:203.0.113.9", "198.51.100.1", "203.0.113.9")]
    [InlineData("10.0.0.1", "198.51.100.1, ::ffff:10.0.0.2", "198.51.100.1")]
    public void Of_BehindTrustedProxies_IsTheLastEntryThatIsNotOne(string peer, string? forwarded, string expected) =>
        Assert.Equal(IPAddress.Parse(expected), ClientAddress.Of(Request(peer, forwarded), Proxies));

    [Fact]
    public void Of_WithoutTrustedProxies_IsThePeer() =>
        Assert.Equal(IPAddress.Parse("10.0.0.1"), ClientAddress.Of(Request("10.0.0.1", "198.51.100.1"), []));

    [Fact]
    public void Of_WithTwoHeaders_ReadsThemAsOneList()
    {
        var context = Request("10.0.0.1", "1.1.1.1");
        context.Request.Headers.Append("X-Forwarded-For", "198.51.100.1");
        Assert.Equal(IPAddress.Parse("198.51.100.1"), ClientAddress.Of(context, Proxies));
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("198.51.100.1", "198.51.100.2", false)]
    [InlineData("198.51.100.1", "198.51.100.1", true)]
    public void LimitKey_CountsAnIPv4AddressOrASubscribersPrefix(string one, string other, bool same) =>
        Assert.Equal(same, ClientAddress.LimitKey(IPAddress.Parse(one)) == ClientAddress.LimitKey(IPAddress.Parse(other)));

    private static DefaultHttpContext Request(string peer, string? forwarded)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        if (forwarded is not null)
        {
            context.Request.Headers["X-Forwarded-For"] = forwarded;
        }

        return context;
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2::", "2001:db8:1:2::/64")]
    [InlineData("fe80::1%3", "fe80::/64")]
    [InlineData("::1", "::/64")]
    public void NetworkOf_AnAddress_IsWhatASubscriberHas(string address, string network) =>
        Assert.Equal(network, ClientAddress.NetworkOf(IPAddress.Parse(address)));
}
