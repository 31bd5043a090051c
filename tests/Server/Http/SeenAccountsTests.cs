using FlashSale.Core;
using FlashSale.Server.Http;

using Xunit;

namespace FlashSale.Tests.Server.Http;

public sealed class SeenAccountsTests
{
    private static readonly SaleId Sale = new(1);

    [Fact]
    public void See_WhenMoreComeThanMayBeThere_KnowsTheFirstForGood()
    {
        var seen = new SeenAccounts();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((true, false), seen.See(Sale, "a", User(i), 3));
        }

        Assert.Equal((false, true), seen.See(Sale, "a", User(3), 3));
        Assert.Equal((true, true), seen.See(Sale, "a", User(2), 3));
        Assert.Equal((true, false), seen.See(Sale, "b", User(3), 3));
        Assert.Equal((true, false), seen.See(new SaleId(2), "a", User(3), 3));
        // An operator changes the number.
        Assert.Equal((false, true), seen.See(Sale, "a", User(2), 2));
        Assert.Equal((true, true), seen.See(Sale, "a", User(3), 4));
    }

    [Fact]
    public void See_WhenPlacesAreMany_StaysWithinItsBound()
    {
        var seen = new SeenAccounts(most: 100);
        for (var i = 0; i < 10_000; i++)
        {
            Assert.True(seen.See(Sale, $"{i % 7}-{i}", User(i), 1).IsAmongFirst);
        }

        // What came long ago is forgotten: its place is free again.
        Assert.True(seen.See(Sale, "0-0", User(1), 1).IsAmongFirst);
        Assert.False(seen.See(Sale, "0-0", User(2), 1).IsAmongFirst);
    }

    private static UserId User(int number) => UserId.Parse($"user-{number}");
}
