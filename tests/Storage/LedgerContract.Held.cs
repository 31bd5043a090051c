using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

public abstract partial class LedgerContract
{
    private static readonly OrderContact Contact = new("王小明", "+86 139-0000-0000", "杭州");

    private async Task<OrderDraft> HoldAsync(Sale sale, UserId user)
    {
        var draft = Order(sale, user);
        Assert.Equal(PlacementOutcome.Placed, await PlaceAsync(draft));
        return draft;
    }

    private Task<(ExtensionOutcome Outcome, Order? Order)> ExtendAsync(OrderDraft order) => Ledger.ExtendAsync(order.Id, order.UserId, Stop);

    private async Task<TimeSpan> TimeToPayAsync(OrderDraft order)
    {
        var found = (await Ledger.FindOrderAsync(order.Id, Stop))!;
        return found.PayBefore - found.CreatedAt;
    }

    // ---- more time to pay ----

    [Fact]
    public async Task ExtendAsync_WhenHeld_GivesMoreTimeOnceAndTheOrderExpiresAfterIt()
    {
        var sale = await PublishAsync((2, 1));
        var draft = await HoldAsync(sale, User(1));
        var before = (await Ledger.FindOrderAsync(draft.Id, Stop))!;
        Time.Advance(Window - TimeSpan.FromMilliseconds(1));
        Assert.False(await Ledger.WasExtendedAsync(draft.Id, Stop));

        var (outcome, order) = await ExtendAsync(draft);

        Assert.Equal((ExtensionOutcome.Extended, before with { PayBefore = before.PayBefore + Limits.ExtensionMax }), (outcome, order));
        Assert.Equal(order, await Ledger.FindOrderAsync(draft.Id, Stop));
        Assert.True(await Ledger.WasExtendedAsync(draft.Id, Stop));
        Assert.Equal((ExtensionOutcome.NotExtendable, null), await ExtendAsync(draft));
        // All of the promised time, also what the spread of others would leave.
        Time.Advance(Limits.ExtensionMax);
        Assert.Empty(await Ledger.ExpireAsync(10, Stop));
        Assert.Equal(Row(2, 0, 1, 1, 0, 2), await StockAsync(sale));
        Time.Advance(TimeSpan.FromMilliseconds(1) + Limits.ExpirySpreadMax);
        Assert.Equal(draft.Id, Assert.Single(await Ledger.ExpireAsync(10, Stop)).OrderId);
        Assert.Equal((ExtensionOutcome.NotExtendable, null), await ExtendAsync(draft));
        Assert.Equal(2, (await StockAsync(sale)).Available);
        await AuditAsync(sale);
    }

    [Theory]
    [InlineData(2_000, 5_000)]
    [InlineData(10_000, 5_000)]
    [InlineData(60_001, 30_000)]
    [InlineData(24 * 3_600_000, 300_000)]
    public async Task ExtendAsync_OfAnyWindow_GivesHalfOfItWithinTheBounds(int windowMs, int moreMs)
    {
        var sale = await PublishAsync((1, 1));
        var draft = Order(sale, User(1)) with { PaymentWindow = TimeSpan.FromMilliseconds(windowMs) };
        await PlaceAsync(draft);

        var (_, order) = await ExtendAsync(draft);

        Assert.Equal(TimeSpan.FromMilliseconds(windowMs + moreMs), order!.PayBefore - order.CreatedAt);
        Assert.Equal(order, await Ledger.FindOrderAsync(draft.Id, Stop));
    }

    [Fact]
    public async Task ExtendAsync_WhenItMayNot_WritesNothing()
    {
        var sale = await PublishAsync((9, 1));
        var (paid, payment) = await BuyAsync(sale, User(1));
        await PayAsync(payment, paid);
        var cancelled = await HoldAsync(sale, User(2));
        await Ledger.CancelAsync(cancelled.Id, cancelled.UserId, Stop);
        var late = await HoldAsync(sale, User(3));

        Assert.Equal((ExtensionOutcome.NotFound, null), await Ledger.ExtendAsync(late.Id, User(4), Stop));
        Assert.Equal((ExtensionOutcome.NotFound, null), await Ledger.ExtendAsync(OrderId.Create(Time.GetUtcNow()), User(3), Stop));
        Time.Advance(Window);
        foreach (var order in new[] { paid, cancelled, late })
        {
            Assert.Equal((ExtensionOutcome.NotExtendable, null), await ExtendAsync(order));
            Assert.False(await Ledger.WasExtendedAsync(order.Id, Stop));
            Assert.Equal(Window, await TimeToPayAsync(order));
        }
    }

    [Fact]
    public async Task ExtendAsync_TwentyTimesAtOnce_ExtendsOnce()
    {
        var sale = await PublishAsync((9, 1));
        var draft = await HoldAsync(sale, User(1));

        var outcomes = await AtOnceAsync(20, _ => ExtendAsync(draft));

        Assert.Single(outcomes, one => one.Outcome == ExtensionOutcome.Extended);
        Assert.Equal(19, outcomes.Count(one => one.Outcome == ExtensionOutcome.NotExtendable));
        Assert.Equal(Window + Limits.ExtensionMax, await TimeToPayAsync(draft));
    }

    /// <summary>The last moment to ask is that of the expiry: whoever holds the row first, the other finds it decided.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task ExtendPayCancelExpire_WhenTheyRace_AgreeOnOneOutcome(int first)
    {
        var sale = await PublishAsync((1_000, 1));
        for (var round = 0; round < 6; round++)
        {
            var bought = new List<(OrderDraft Order, PaymentId Payment)>();
            for (var i = 0; i < 8; i++)
            {
                bought.Add(await BuyAsync(sale, User((round * 8) + i)));
            }

            // Those whose place in the spread is the first end with the next millisecond.
            Time.Advance(Window - TimeSpan.FromMilliseconds(1));
            var (extended, expired, paid, cancelled) = (new bool[8], new bool[8], new bool[8], new bool[8]);
            Func<int, Task>[] racers =
            [
                async i => extended[i] = (await ExtendAsync(bought[i].Order)).Outcome == ExtensionOutcome.Extended,
                async i =>
                {
                    Time.Advance(TimeSpan.FromSeconds(2));
                    foreach (var move in await Ledger.ExpireAsync(10, Stop))
                    {
                        expired[bought.FindIndex(one => one.Order.Id == move.OrderId)] = true;
                    }
                },
                async i => paid[i] = i % 2 == 0 && (await PayAsync(bought[i].Payment, bought[i].Order)).Outcome == PaymentOutcome.Paid,
                async i => cancelled[i] = i % 4 == 1 && (await Ledger.CancelAsync(bought[i].Order.Id, bought[i].Order.UserId, Stop)).Outcome == CancellationOutcome.Cancelled,
            ];
            await AtOnceAsync(32, async i =>
            {
                await racers[(i + first) % 4](i / 4);
                return 0;
            });

            for (var i = 0; i < 8; i++)
            {
                var order = (await Ledger.FindOrderAsync(bought[i].Order.Id, Stop))!;
                // 16 seconds have passed, and an extension is five minutes.
                Assert.False(extended[i] && expired[i], "an order expired within its longer time");
                Assert.False(cancelled[i] && expired[i], "an order ended twice");
                Assert.Equal(extended[i], await Ledger.WasExtendedAsync(order.Id, Stop));
                Assert.Equal(Window + (extended[i] ? Limits.ExtensionMax : TimeSpan.Zero), order.PayBefore - order.CreatedAt);
                Assert.Equal(
                    i % 2 == 0 ? OrderStatus.Paid : expired[i] ? OrderStatus.Expired : cancelled[i] ? OrderStatus.Cancelled : OrderStatus.Held, order.Status);
                Assert.Equal(i % 2 == 0, paid[i]);
            }

            await AuditAsync(sale);
            Time.Advance(Limits.ExtensionMax + WindowAndSpread);
            await Ledger.ExpireAsync(100, Stop);
        }

        Assert.Equal(24, (await StockAsync(sale)).Sold);
        Assert.Equal(0, (await StockAsync(sale)).Held);
    }

    // ---- contacts ----

    [Fact]
    public async Task KeepContactAsync_OfALiveOrder_IsReadByItsOwnerAlone()
    {
        var sale = await PublishAsync((9, 1));
        var (paid, payment) = await BuyAsync(sale, User(1));
        var other = await HoldAsync(sale, User(2));

        Assert.Null(await Ledger.FindContactAsync(paid.Id, User(1), Stop));
        Assert.Equal(ContactOutcome.Kept, await Ledger.KeepContactAsync(paid.Id, User(1), Contact with { Name = "王" }, Stop));
        await PayAsync(payment, paid);
        Assert.Equal(ContactOutcome.Kept, await Ledger.KeepContactAsync(paid.Id, User(1), Contact, Stop));

        Assert.Equal(ContactOutcome.NotFound, await Ledger.KeepContactAsync(other.Id, User(1), Contact, Stop));
        Assert.Equal(ContactOutcome.NotFound, await Ledger.KeepContactAsync(OrderId.Create(Time.GetUtcNow()), User(1), Contact, Stop));
        Assert.Equal(Contact, await Ledger.FindContactAsync(paid.Id, User(1), Stop));
        Assert.Null(await Ledger.FindContactAsync(paid.Id, User(2), Stop));
        Assert.Null(await Ledger.FindContactAsync(other.Id, User(2), Stop));
        // Nothing of a person is told to auditors, or said by an object that is logged.
        Assert.DoesNotContain(await Ledger.ListAuditAsync(null, 100, Stop), line => line.Subject.Contains("order", StringComparison.Ordinal));
        Assert.DoesNotContain("139", Contact.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeepContactAsync_WhenTheOrderHasEnded_IsClosedAndLeavesWhatWasThere()
    {
        var sale = await PublishAsync((9, 1));
        var (cancelled, expired) = (await HoldAsync(sale, User(1)), await HoldAsync(sale, User(2)));
        await Ledger.KeepContactAsync(cancelled.Id, User(1), Contact, Stop);
        await Ledger.CancelAsync(cancelled.Id, User(1), Stop);
        Time.Advance(WindowAndSpread);
        await Ledger.ExpireAsync(10, Stop);

        Assert.Equal(ContactOutcome.Closed, await Ledger.KeepContactAsync(cancelled.Id, User(1), Contact with { City = "北京" }, Stop));
        Assert.Equal(ContactOutcome.Closed, await Ledger.KeepContactAsync(expired.Id, User(2), Contact, Stop));

        Assert.Equal(Contact, await Ledger.FindContactAsync(cancelled.Id, User(1), Stop));
        Assert.Null(await Ledger.FindContactAsync(expired.Id, User(2), Stop));
    }

    [Fact]
    public async Task KeepContactAsync_AtTheLongest_FitsAndComesBack()
    {
        var sale = await PublishAsync((9, 1));
        var order = await HoldAsync(sale, User(1));
        // Two UTF-16 units each, four bytes.
        var longest = new OrderContact(
            string.Concat(Enumerable.Repeat("𠮷", Limits.ContactNameLength / 2)), new string('9', Limits.ContactPhoneLength), new string('城', Limits.ContactCityLength));

        await Ledger.KeepContactAsync(order.Id, User(1), longest, Stop);

        Assert.Equal(longest, await Ledger.FindContactAsync(order.Id, User(1), Stop));
    }

    [Fact]
    public async Task EraseUserAsync_AndForgetAsync_EraseContacts()
    {
        var sale = await PublishAsync((9, 1));
        var orders = new[] { await HoldAsync(sale, User(1)), await HoldAsync(sale, User(2)) };
        foreach (var order in orders)
        {
            await Ledger.KeepContactAsync(order.Id, order.UserId, Contact, Stop);
        }

        Assert.Equal(new ErasedEvidence(0, 0, 1), await Ledger.EraseUserAsync(User(1), Operator, Stop));
        Assert.Null(await Ledger.FindContactAsync(orders[0].Id, User(1), Stop));
        // Thirty days after the coupons were good for the last time.
        Time.Advance(TimeSpan.FromDays(30) + Limits.EvidenceKept - TimeSpan.FromMilliseconds(1));
        Assert.False(await Ledger.ForgetAsync(Stop));
        Assert.NotNull(await Ledger.FindContactAsync(orders[1].Id, User(2), Stop));
        Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await Ledger.ForgetAsync(Stop));
        Assert.False(await Ledger.ForgetAsync(Stop));
        Assert.Null(await Ledger.FindContactAsync(orders[1].Id, User(2), Stop));
    }
}
