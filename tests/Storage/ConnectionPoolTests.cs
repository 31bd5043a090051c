using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

public sealed class ConnectionPoolTests
{
    [Theory]
    [InlineData(2, 2, 50, 100, true)]
    [InlineData(2, 2, 49, 100, false)]
    [InlineData(2, 1, 50, 100, false)]
    [InlineData(2, 0, 0, 100, false)]
    [InlineData(8, 8, 0, 0, true)]
    [InlineData(8, 7, 0, 0, false)]
    public void IsExhausted_WhenAllAreUsedAndHalfOfTheQueueIs_IsTrue(int size, int used, int waiting, int room, bool exhausted) =>
        Assert.Equal(exhausted, new ConnectionPool("reads", size, used, waiting, room).IsExhausted);
}
