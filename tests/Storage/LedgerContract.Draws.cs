using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Draws;
using FlashSale.Core.Sales;
using FlashSale.Storage;

using Xunit;

namespace FlashSale.Tests.Storage;

public abstract partial class LedgerContract
{
    private const int DrawMs = 500;

    [Fact]
    public async Task UpdateSaleAsync_WhenASaleThatDrawsIsPublished_CommitsItToOneSeedForGood()
    {
        var draft = (await Ledger.CreateSaleAsync(Draft("drawing", (5, 1)) with { Defences = Drawing }, Operator, Stop))!;
        Assert.Null(draft.DrawCommitment);

        var sale = await ChangeAsync(draft with { Status = SaleStatus.Published });

        Assert.Matches("^[0-9a-f]{64}$", sale.DrawCommitment);
        var changed = await ChangeAsync(sale with { OpensAt = sale.OpensAt.AddMinutes(1), Defences = Drawing with { DrawMs = 900 } });
        Assert.Equal(sale.DrawCommitment, changed.DrawCommitment);
        changed = await ChangeAsync(changed with { Defences = SaleDefences.Default });
        changed = await ChangeAsync(changed with { Defences = Drawing });
        await ReopenAsync();
        Assert.Equal(sale.DrawCommitment, Assert.Single(await Ledger.ListSalesAsync(Stop)).DrawCommitment);
        Assert.NotEqual(sale.DrawCommitment, (await DrawingSaleAsync(1)).DrawCommitment);
    }

    [Fact]
    public async Task UpdateSaleAsync_WhenADrawIsSetAfterThePublication_CommitsThen()
    {
        var sale = await PublishAsync((5, 1));
        Assert.Null(sale.DrawCommitment);

        Assert.NotNull((await ChangeAsync(sale with { Defences = Drawing })).DrawCommitment);
    }

    [Fact]
    public async Task Draw_FromItsOpeningToItsEnd_TakesEntriesThenFixesThemThenTellsTheSeed()
    {
        var sale = await DrawingSaleAsync(3);
        var entrants = Enumerable.Range(0, 5).Select(i => Entrant(sale, i)).ToArray();
        Time.Advance(TimeSpan.FromMilliseconds(-1));
        Assert.False(await Ledger.EnterDrawAsync(sale.Id, entrants[..1], Stop));
        Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await Ledger.EnterDrawAsync(sale.Id, entrants[..3], Stop));
        Time.Advance(DrawTimes.Of(sale).FixedFrom - Time.GetUtcNow() - TimeSpan.FromMilliseconds(1));
        Assert.True(await Ledger.EnterDrawAsync(sale.Id, entrants[2..4], Stop));
        Assert.False(await Ledger.FixDrawAsync(sale.Id, Stop));
        Assert.Null(await Ledger.ReadDrawAsync(sale.Id, Stop));

        Time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.False(await Ledger.EnterDrawAsync(sale.Id, entrants[4..], Stop));
        Assert.Null(await Ledger.ReadDrawAsync(sale.Id, Stop));
        Assert.True(await Ledger.FixDrawAsync(sale.Id, Stop));
        var at = Time.GetUtcNow();
        Time.Advance(TimeSpan.FromHours(1));
        Assert.True(await Ledger.FixDrawAsync(sale.Id, Stop));
        Assert.False(await Ledger.EnterDrawAsync(sale.Id, entrants[4..], Stop));
        var draw = (await Ledger.ReadDrawAsync(sale.Id, Stop))!;
        Assert.Equal(at, draw.FixedAt);
        Assert.Equal(sale.DrawCommitment, Convert.ToHexStringLower(SHA256.HashData(draw.Seed)));
        var offer = Assert.Single(draw.Offers);
        Assert.Equal((sale.Offers[0].Id, 3L), (offer.OfferId, offer.Stock));
        Assert.Equal(DrawRules.Rank(draw.Seed, [.. entrants[..4].Select(one => one.Entry)]), offer.Entries);
    }

    [Fact]
    public async Task EnterDrawAsync_WhenAUserComesAgain_KeepsTheFirstEntryOfTheOffer()
    {
        var sale = (await Ledger.CreateSaleAsync(Draft("two", (1, 2), (7, 2)) with { Defences = Drawing }, Operator, Stop))!;
        sale = await ChangeAsync(sale with { Status = SaleStatus.Published });
        DrawEntrant[] of = [Entrant(sale, 1), Entrant(sale, 1), Entrant(sale, 2), Entrant(sale, 1, offer: 1)];

        Assert.True(await Ledger.EnterDrawAsync(sale.Id, of[..1], Stop));
        Assert.True(await Ledger.EnterDrawAsync(sale.Id, of, Stop));
        Assert.True(await Ledger.EnterDrawAsync(sale.Id, of, Stop));

        Time.Advance(DrawTimes.Of(sale).FixedFrom - Time.GetUtcNow());
        Assert.True(await Ledger.FixDrawAsync(sale.Id, Stop));
        var draw = (await Ledger.ReadDrawAsync(sale.Id, Stop))!;
        Assert.Equal([(sale.Offers[0].Id, 1L, 2), (sale.Offers[1].Id, 7L, 1)], draw.Offers.Select(offer => (offer.OfferId, offer.Stock, offer.Entries.Count)));
        Assert.Equivalent(new[] { of[0].Entry, of[2].Entry }, draw.Offers[0].Entries);
    }

    [Fact]
    public async Task FixDrawAsync_WhenItsTimeIsOver_NeverFixesIt()
    {
        var sale = await DrawingSaleAsync(3);
        Assert.True(await Ledger.EnterDrawAsync(sale.Id, [Entrant(sale, 1)], Stop));
        Time.Advance(DrawTimes.Of(sale).FixedUntil - Time.GetUtcNow());

        Assert.False(await Ledger.FixDrawAsync(sale.Id, Stop));
        Assert.Null(await Ledger.ReadDrawAsync(sale.Id, Stop));
    }

    [Fact]
    public async Task Draw_OfASaleThatDoesNotDraw_IsNotThere()
    {
        var sale = await PublishAsync((3, 1));
        Time.Advance(TimeSpan.FromMilliseconds(350));

        Assert.False(await Ledger.EnterDrawAsync(sale.Id, [Entrant(sale, 1)], Stop));
        Assert.False(await Ledger.FixDrawAsync(sale.Id, Stop));
        Assert.Null(await Ledger.ReadDrawAsync(sale.Id, Stop));
        Assert.False(await Ledger.EnterDrawAsync(new SaleId(999), [Entrant(sale, 1)], Stop));
    }

    /// <summary>Instances enter while others fix: who was told that the entry counts is in the list, and nobody else is.</summary>
    [Fact]
    public async Task EnterDrawAsync_WhileOthersFixTheList_IsInItOrIsRefused()
    {
        var sale = await DrawingSaleAsync(3);
        Time.Advance(DrawTimes.Of(sale).FixedFrom - Time.GetUtcNow() - TimeSpan.FromMilliseconds(20));
        var entered = new ConcurrentBag<DrawEntry>();
        var refused = 0;
        using var isFixed = new CancellationTokenSource();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(async instance =>
        {
            for (var i = 0; !isFixed.IsCancellationRequested || i < 3; i++)
            {
                var entrant = Entrant(sale, instance * 1_000_000 + i);
                if (await Ledger.EnterDrawAsync(sale.Id, [entrant], Stop))
                {
                    entered.Add(entrant.Entry);
                }
                else
                {
                    Interlocked.Increment(ref refused);
                }
            }
        }).Append(FixAsync()));

        async Task FixAsync()
        {
            while (!await Ledger.FixDrawAsync(sale.Id, Stop))
            {
                Time.Advance(TimeSpan.FromMilliseconds(1));
            }

            await isFixed.CancelAsync();
        }

        Assert.True(refused > 0);
        Assert.Equivalent(entered, (await Ledger.ReadDrawAsync(sale.Id, Stop))!.Offers[0].Entries);
        Assert.Equal(entered.Count, (await Ledger.ReadDrawAsync(sale.Id, Stop))!.Offers[0].Entries.Count);
    }

    [Fact]
    public async Task Seed_WhateverIsAsked_IsInNoAuditEntryAndNoExport()
    {
        var sale = await DrawingSaleAsync(3);
        Assert.True(await Ledger.EnterDrawAsync(sale.Id, [Entrant(sale, 1)], Stop));
        await ChangeAsync(Assert.Single(await Ledger.ListSalesAsync(Stop)) with { ClosesAt = sale.ClosesAt.AddMinutes(1) });
        var said = JsonSerializer.Serialize(await Ledger.ListAuditAsync(null, 100, Stop)) + JsonSerializer.Serialize(await Ledger.ListSalesAsync(Stop));
        await foreach (var line in Ledger.ExportAsync(sale.Id, Stop))
        {
            said += JsonSerializer.Serialize(line);
        }

        Time.Advance(DrawTimes.Of(sale).FixedFrom - Time.GetUtcNow());
        Assert.True(await Ledger.FixDrawAsync(sale.Id, Stop));
        var seed = (await Ledger.ReadDrawAsync(sale.Id, Stop))!.Seed;
        Assert.Contains(sale.DrawCommitment!, said, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexString(seed), said, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Convert.ToBase64String(seed), said, StringComparison.Ordinal);
    }

    private static SaleDefences Drawing => new() { DrawMs = DrawMs };

    private async Task<Sale> DrawingSaleAsync(int stock)
    {
        var sale = await Ledger.CreateSaleAsync(Draft($"sale-{Guid.NewGuid():N}", (stock, 1)) with { Defences = Drawing }, Operator, Stop);
        return await ChangeAsync(sale! with { Status = SaleStatus.Published });
    }

    private async Task<Sale> ChangeAsync(Sale sale)
    {
        var changed = await Ledger.UpdateSaleAsync(sale, sale.Rev, "sale.update", Operator, Stop);
        Assert.NotNull(changed);
        return changed;
    }

    private DrawEntrant Entrant(Sale sale, int user, int offer = 0) => new(
        sale.Offers[offer].Id, User(user), DrawEntry.Of(OrderId.Create(Time.GetUtcNow()), sale.Offers[offer].Id, User(user)));
}
