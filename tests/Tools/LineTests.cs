using System.Text;

using FlashSale.Tools.Load;

using Xunit;

namespace FlashSale.Tests.Tools;

public sealed class LineTests
{
    [Theory]
    [InlineData("HTTP/1.1 201 Created\r\nContent-Length: 12\r\nRetry-After: 3\r\n\r\n", 201, Framing.Length, 12, false, 3)]
    [InlineData("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n", 200, Framing.Chunked, 0, true, null)]
    [InlineData("HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n", 204, Framing.Length, 0, false, null)]
    [InlineData("HTTP/1.1 502 Bad Gateway\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n\r\n", 502, Framing.Close, 0, true, null)]
    internal void TryRead_WhenTheHeadIsComplete_TakesWhatAClientNeeds(string text, int status, Framing framing, int length, bool closes, int? retryAfter)
    {
        Assert.True(ResponseHead.TryRead(Encoding.ASCII.GetBytes(text), out var head));
        Assert.Equal(new ResponseHead(text.Length, status, framing, length, closes, retryAfter), head);
        Assert.False(ResponseHead.TryRead(Encoding.ASCII.GetBytes(text[..^1]), out _));
    }

    [Theory]
    [InlineData("SSH-2.0-x\r\n\r\n")]
    [InlineData("HTTP/1.1 x\r\n\r\n")]
    public void TryRead_WhenItIsNotHttp_Throws(string text) =>
        Assert.Throws<IOException>(() => ResponseHead.TryRead(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void Join_WhenChunksArriveByteByByte_WaitsForTheLastOne()
    {
        var all = Encoding.ASCII.GetBytes("5\r\nhello\r\nA; x=y\r\n, shoppers\r\n0\r\n\r\n");
        for (var length = 0; length < all.Length; length++)
        {
            var part = all[..length];
            Assert.Equal(-1, Chunks.Join(part));
            Assert.Equal(all[..length], part);
        }

        Assert.Equal(15, Chunks.Join(all));
        Assert.Equal("hello, shoppers", Encoding.ASCII.GetString(all, 0, 15));
    }

    [Fact]
    public void Join_WhenItIsNotChunked_Throws() => Assert.Throws<IOException>(() => Chunks.Join("{\"id\":1}\r\n"u8.ToArray()));
}
