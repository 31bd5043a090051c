using FlashSale.Core.Risk;
using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Reservations;
using FlashSale.Core.Sales;
using FlashSale.Core.Stock;
using FlashSale.Core.Wire;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

public abstract partial class LedgerContract
{
    [Fact]
    public async Task CreateSaleAsync_WhenTheSlugIsFree_StoresADraftWithIdsOfItsOwn()
    {
        var asked = Draft("dragon-boat", (5, 1), (7, 2)) with
        {
            RequiresReservation = true,
            ReservationOpensAt = Time.GetUtcNow().AddHours(-3),
            ReservationClosesAt = Time.GetUtcNow().AddHours(-1),
            RiskThreshold = 60,
            Defences = new SaleDefences { Challenge = ChallengePolicy.Suspicious, TokensPerUser = 5, DrawMs = 800 },
            Status = SaleStatus.Published,
        };

        var sale = await Ledger.CreateSaleAsync(asked, Operator, Stop);

        Assert.Equivalent(
            asked with { Id = sale!.Id, Status = SaleStatus.Draft, Rev = 1, Offers = [.. asked.Offers.Zip(sale.Offers, (a, b) => a with { Id = b.Id })] },
            sale,
            strict: true);
        Assert.Equal(2, sale.Offers.Select(offer => offer.Id).Distinct().Count());
        Assert.Equivalent(sale, Assert.Single(await Ledger.ListSalesAsync(Stop)), strict: true);
        Assert.Empty(await Ledger.ReadStockAsync([.. sale.Offers.Select(offer => offer.Id)], Stop));
        Assert.Null(await Ledger.CreateSaleAsync(Draft("dragon-boat", (1, 1)), Operator, Stop));
        Assert.Single(await Ledger.ListSalesAsync(Stop));
    }

    [Fact]
    public async Task UpdateSaleAsync_WhenItIsADraft_ReplacesItsOffers()
    {
        var sale = (await Ledger.CreateSaleAsync(Draft("a", (5, 1)), Operator, Stop))!;
        var changed = Draft("b", (6, 2), (8, 3)) with { Id = sale.Id, Defences = new SaleDefences { AccountsPerDevice = 3 } };

        var updated = await Ledger.UpdateSaleAsync(changed, 1, "sale.update", Operator, Stop);

        Assert.Equal(("b", 2L), (updated!.Slug, updated.Rev));
        Assert.Equal([6, 8], updated.Offers.Select(offer => offer.Stock));
        Assert.DoesNotContain(sale.Offers[0].Id, updated.Offers.Select(offer => offer.Id));
        Assert.Null(await Ledger.UpdateSaleAsync(changed, 1, "sale.update", Operator, Stop));
        Assert.Equivalent(updated, Assert.Single(await Ledger.ListSalesAsync(Stop)), strict: true);
    }

    [Fact]
    public async Task UpdateSaleAsync_WhenTheSlugIsTaken_WritesNothing()
    {
        await Ledger.CreateSaleAsync(Draft("a", (5, 1)), Operator, Stop);
        var sale = (await Ledger.CreateSaleAsync(Draft("b", (5, 1)), Operator, Stop))!;

        await Assert.ThrowsAsync<BatchRejectedException>(() => Ledger.UpdateSaleAsync(sale with { Slug = "a" }, 1, "sale.update", Operator, Stop));

        Assert.Equivalent(sale, (await Ledger.ListSalesAsync(Stop))[1], strict: true);
    }

    [Fact]
    public async Task UpdateSaleAsync_WhenPublished_WritesStockAndItsFirstChangeOnce()
    {
        var sale = (await Ledger.CreateSaleAsync(Draft("a", (5, 1), (7, 1)), Operator, Stop))!;

        var published = (await Ledger.UpdateSaleAsync(sale with { Status = SaleStatus.Published }, 1, "sale.publish", Operator, Stop))!;
        var paused = (await Ledger.UpdateSaleAsync(
            published with { Status = SaleStatus.Paused, ClosesAt = published.ClosesAt.AddHours(1), Offers = [] }, 2, "sale.pause", Operator, Stop))!;

        Assert.Equal(sale.Offers, published.Offers);
        Assert.Equal(sale.Offers, paused.Offers);
        Assert.Equal((SaleStatus.Paused, 3L, sale.ClosesAt.AddHours(1)), (paused.Status, paused.Rev, paused.ClosesAt));
        Assert.Equal(Row(5, 0, 5, 0, 0, 1), await StockAsync(sale, 0));
        Assert.Equal(Row(7, 0, 7, 0, 0, 1), await StockAsync(sale, 1));
        var rows = await AuditAsync(sale);
        Assert.All(rows.Of("stockChange"), change => Assert.Equal(StockChangeKind.Initial, change.Kind));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => Ledger.UpdateSaleAsync(paused with { Status = SaleStatus.Draft }, 3, "sale.update", Operator, Stop));
    }

    [Fact]
    public async Task UpdateSaleAsync_WhenManyUseOneRevision_OneWins()
    {
        var sale = (await Ledger.CreateSaleAsync(Draft("a", (5, 1)), Operator, Stop))!;

        var results = await AtOnceAsync(10, i => Ledger.UpdateSaleAsync(sale with { RiskThreshold = i }, 1, "sale.update", Operator, Stop));

        Assert.Single(results, result => result is not null);
        Assert.Equal(2, Assert.Single(await Ledger.ListSalesAsync(Stop)).Rev);
    }

    [Fact]
    public async Task ReadCatalogRevAsync_WhenSalesOrBlacklistChange_IsRaisedByEach()
    {
        var revs = new List<long> { await Ledger.ReadCatalogRevAsync(Stop) };
        async Task NoteAsync() => revs.Add(await Ledger.ReadCatalogRevAsync(Stop));

        var sale = (await Ledger.CreateSaleAsync(Draft("a", (5, 1)), Operator, Stop))!;
        await NoteAsync();
        await Ledger.UpdateSaleAsync(sale with { Status = SaleStatus.Published }, 1, "sale.publish", Operator, Stop);
        await NoteAsync();
        await Ledger.BlacklistAsync(User(1), new BlacklistRequest("bot", "risk", null), Operator, Stop);
        await NoteAsync();
        await Ledger.UnblacklistAsync(User(1), Operator, Stop);
        await NoteAsync();
        Assert.Equal(5, revs.Distinct().Count());
        Assert.Equal(revs.Order(), revs);

        await Ledger.UpdateSaleAsync(sale, 1, "sale.update", Operator, Stop);
        await PlaceAsync(Order(sale, User(1)));
        Assert.Equal(revs[^1], await Ledger.ReadCatalogRevAsync(Stop));
    }

    [Fact]
    public async Task AdjustStockAsync_WhenExpectedValueHolds_ChangesLogRowAndAudit()
    {
        var sale = await PublishAsync((5, 1));
        await PlaceAsync(Order(sale, User(1)));
        var offer = sale.Offers[0].Id;

        var move = await Ledger.AdjustStockAsync(offer, new StockAdjustmentRequest(10, "more came", "ticket-9", 4), Operator, Stop);

        Assert.Equal(new StockMove(new OfferStock(offer, 0, Row(5, 10, 14, 1, 0, 3)), null, null, null), move);
        Assert.Null(await Ledger.AdjustStockAsync(offer, new StockAdjustmentRequest(1, "again", "ticket-9", 4), Operator, Stop));
        Assert.Null(await Ledger.AdjustStockAsync(offer, new StockAdjustmentRequest(-15, "too much", "ticket-9", 14), Operator, Stop));
        Assert.Null(await Ledger.AdjustStockAsync(new OfferId(999_999), new StockAdjustmentRequest(1, "nobody's", "x", 0), Operator, Stop));
        Assert.NotNull(await Ledger.AdjustStockAsync(offer, new StockAdjustmentRequest(-14, "all gone", "ticket-10", 14), Operator, Stop));
        Assert.Equal(PlacementOutcome.SoldOut, await PlaceAsync(Order(sale, User(2))));
        await AuditAsync(sale);

        var audit = await Ledger.ListAuditAsync(null, 2, Stop);
        Assert.Equal(["stock.adjust", "stock.adjust"], audit.Select(entry => entry.Action));
        Assert.Equal($"offer/{offer}", audit[1].Subject);
        Assert.Equal("more came (ticket-9)", audit[1].Reason);
        Assert.Contains("\"available\":4,", audit[1].Before);
        Assert.Contains("\"available\":14,", audit[1].After);
    }

    [Fact]
    public async Task ListAuditAsync_WhenOperatorsChangedThings_TellsWhoWhatWhyBeforeAndAfter()
    {
        var sale = (await Ledger.CreateSaleAsync(Draft("a", (5, 1)), Operator, Stop))!;
        Time.Advance(TimeSpan.FromSeconds(5));
        await Ledger.UpdateSaleAsync(sale with { Status = SaleStatus.Published }, 1, "sale.publish", Operator with { UserId = "peter" }, Stop);
        await Ledger.BlacklistAsync(User(1), new BlacklistRequest("机器人", "risk", null), new Actor("rita", "risk", null, null), Stop);
        Assert.True(await Ledger.UnblacklistAsync(User(1), Operator, Stop));
        Assert.False(await Ledger.UnblacklistAsync(User(1), Operator, Stop));

        var all = await Ledger.ListAuditAsync(null, 50, Stop);
        var older = await Ledger.ListAuditAsync(long.Parse(all[1].Id), 50, Stop);

        Assert.Equal(["blacklist.remove", "blacklist.remove", "blacklist.add", "sale.publish", "sale.create"], all.Select(entry => entry.Action));
        Assert.Equal(all.Skip(2), older);
        Assert.Equal([all[3], all[4]], await Ledger.ListAuditOfAsync($"sale/{sale.Id}", null, 50, Stop));
        Assert.Equal([all[4]], await Ledger.ListAuditOfAsync($"sale/{sale.Id}", long.Parse(all[3].Id), 50, Stop));
        Assert.Empty(await Ledger.ListAuditOfAsync("优惠券", null, 50, Stop));
        Assert.Equal(
            ("peter", "operator", "as agreed", "trace-1", $"sale/{sale.Id}", Time.GetUtcNow()),
            (all[3].Actor, all[3].Role, all[3].Reason, all[3].TraceId, all[3].Subject, all[3].At));
        Assert.Null(all[4].Before);
        Assert.Contains("\"status\":\"draft\"", all[3].Before);
        Assert.Contains("\"status\":\"published\"", all[3].After);
        Assert.Contains("端午", all[3].After);
        Assert.Equal("机器人", all[2].Reason);
        Assert.Equal(all[2].After, all[1].Before);
        Assert.Null(all[0].Before);
    }

    [Fact]
    public async Task BlacklistAsync_WhenEntriesRunOut_TheyAreNotListed()
    {
        var until = Time.GetUtcNow().AddHours(1);
        var entry = await Ledger.BlacklistAsync(User(1), new BlacklistRequest("bot", "risk", until), Operator, Stop);
        await Ledger.BlacklistAsync(User(2), new BlacklistRequest("old", "risk", until), Operator, Stop);
        var replaced = await Ledger.BlacklistAsync(User(2), new BlacklistRequest("new", "manual", null), Operator, Stop);

        Assert.Equal(new BlacklistDocument("user-1", "bot", "risk", "olivia", Time.GetUtcNow(), until), entry);
        Assert.Equal(entry, await Ledger.FindBlacklistedAsync(User(1), Stop));
        Assert.Equal(["user-1", "user-2"], (await Ledger.ListBlacklistAsync(BlacklistKind.User, "", 10, Stop)).Select(listed => listed.Subject));
        Time.Advance(TimeSpan.FromHours(1));
        Assert.Null(await Ledger.FindBlacklistedAsync(User(1), Stop));
        Assert.Equal(replaced.Reason, Assert.Single(await Ledger.ListBlacklistAsync(BlacklistKind.User, "", 10, Stop)).Reason);
    }

    [Fact]
    public async Task ReserveAsync_WhenAskedTwice_IsTheSameReservation()
    {
        var sale = await PublishAsync((5, 1));
        Reservation Asked(int user, ReservationStatus status) => new(Guid.CreateVersion7(Time.GetUtcNow()), sale.Id, User(user), status);
        var asked = Asked(1, ReservationStatus.Approved);

        var results = await AtOnceAsync(20, i => Ledger.ReserveAsync(i == 0 ? asked : Asked(1, ReservationStatus.Approved), Evidence.Unknown, Stop));
        await Ledger.ReserveAsync(Asked(2, ReservationStatus.Rejected), Evidence.Unknown, Stop);
        await Ledger.ReserveAsync(Asked(3, ReservationStatus.Pending), Evidence.Unknown, Stop);

        Assert.Single(results, result => result.Created);
        Assert.Single(results.Select(result => result.Reservation).Distinct());
        Assert.Equal(results[0].Reservation, await Ledger.FindReservationAsync(sale.Id, User(1), Stop));
        Assert.Null(await Ledger.FindReservationAsync(sale.Id, User(4), Stop));
        var load = await Ledger.ReadGateLoadAsync(sale, Stop);
        Assert.Equal([User(1)], load.Reserved);
        Assert.Equal([User(2)], load.Rejected);
    }
}
