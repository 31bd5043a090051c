using FlashSale.Core.Orders;

using Xunit;

namespace FlashSale.Tests.Core;

public sealed class OrderContactTests
{
    [Theory]
    [InlineData("13900000000")]
    [InlineData("+86 139-0000-0000")]
    [InlineData(" 12345 ")]
    [InlineData("12345678901234567890")]
    public void Of_WithAPhone_TakesIt(string phone)
    {
        var contact = OrderContact.Of(" 王小明", phone, "杭州 ", out var errors);

        Assert.Equal(new OrderContact("王小明", phone.Trim(), "杭州"), contact);
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("1234")]
    [InlineData("+-+ -+-")]
    [InlineData("123456789012345678901")]
    [InlineData("call 12345")]
    [InlineData("１２３４５")]
    [InlineData("12345\n")]
    public void Of_WithWhatIsNoPhone_SaysSo(string? phone)
    {
        Assert.Null(OrderContact.Of("A", phone, "B", out var errors));

        Assert.Equal(["phone"], errors.Keys);
    }

    [Fact]
    public void Of_WithNothing_NamesEachField()
    {
        Assert.Null(OrderContact.Of(null, null, null, out var errors));

        Assert.Equal(["city", "name", "phone"], errors.Keys.Order());
    }
}
