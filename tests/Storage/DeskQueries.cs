using FlashSale.Core.Orders;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

/// <summary>What operators and jobs ask a ledger, for tests of how it finds it.</summary>
internal static class DeskQueries
{
    public static async Task AskAsync(ILedger ledger, Sale sale, OrderDraft order)
    {
        await ledger.ReadGateLoadAsync(sale, default);
        await ledger.ListSalesAsync(default);
        await ledger.ReadCatalogRevAsync(default);
        await ledger.ListAuditAsync(null, 10, default);
        await ledger.ListAuditOfAsync($"sale/{sale.Id}", null, 10, default);
        await ledger.ReadAuditHeadAsync(default);
        foreach (var query in (OrderQuery[])[new(), new(User: order.UserId), new(Sale: sale.Id, Status: OrderStatus.Held), new(Offer: sale.Offers[0].Id), new(Status: OrderStatus.RefundDue)])
        {
            await ledger.ListOrdersAsync(query, 10, default);
        }

        await ledger.ReadOrderHistoryAsync(order.Id, default);
        await ledger.CancelAsync(order.Id, Actor.System("test"), default);
        await ledger.RefundAsync(order.Id, Actor.System("test"), default);
        await foreach (var line in ledger.ExportAuditAsync(default))
        {
            Assert.NotEmpty(line.Type);
        }

        await ledger.BlacklistAsync(order.UserId, new BlacklistRequest("bot", "risk", null), Actor.System("test"), default);
        await ledger.BlacklistAsync(BlacklistKind.Address, "203.0.113.0/24", new BlacklistRequest("bots", "test", null), Actor.System("test"), default);
        await ledger.ListBlacklistAsync(BlacklistKind.Address, "", 10, default);
        await ledger.ListBlacklistAsync(BlacklistKind.User, "", 10, default);
        await ledger.ReadBlacklistAsync(null, default);
        await ledger.ReadBlacklistAsync((await ledger.ReadCatalogRevAsync(default)) - 1, default);
        await ledger.ForgetBlacklistAsync(10, default);
        await ledger.CountOrdersAsync(default);
    }

    /// <summary>More time to pay, and how the shopper is reached.</summary>
    public static async Task ExtendAsync(ILedger ledger, OrderDraft order)
    {
        await ledger.ExtendAsync(order.Id, order.UserId, default);
        await ledger.WasExtendedAsync(order.Id, default);
        await ledger.KeepContactAsync(order.Id, order.UserId, new OrderContact("A", "12345", "B"), default);
        await ledger.FindContactAsync(order.Id, order.UserId, default);
    }
}
