using FlashSale.Core.RateLimits;
using FlashSale.Core.Wire;

using Xunit;

namespace FlashSale.Tests.Storage;

public abstract partial class LedgerContract
{
    [Fact]
    public async Task ReadLimitsAsync_WhenNobodySetAny_GivesTheDefaults() =>
        Assert.Equal(LimitsDocument.Default, await Ledger.ReadLimitsAsync(Stop));

    [Fact]
    public async Task SaveLimitsAsync_WhenTheRevisionIsTheExpectedOne_KeepsThemAndRaisesTheCatalogue()
    {
        var rev = await Ledger.ReadCatalogRevAsync(Stop);
        var asked = LimitsDocument.Default with { User = new RateLimit(7, 21), Shedding = new SheddingDocument(TargetLatencyMs: 50) };

        var saved = await Ledger.SaveLimitsAsync(asked, 0, Operator, Stop);

        Assert.Equal(asked with { Rev = 1 }, saved);
        Assert.True(await Ledger.ReadCatalogRevAsync(Stop) > rev);
        Assert.Null(await Ledger.SaveLimitsAsync(LimitsDocument.Default, 0, Operator, Stop));
        Assert.Equal(2, (await Ledger.SaveLimitsAsync(asked, null, Operator, Stop))!.Rev);
        await ReopenAsync();
        Assert.Equal(asked with { Rev = 2 }, await Ledger.ReadLimitsAsync(Stop));

        var audit = (await Ledger.ListAuditAsync(null, 10, Stop)).First(entry => entry.Action == "limits.set");
        Assert.Equal(("olivia", "as agreed", "limits"), (audit.Actor, audit.Reason, audit.Subject));
    }

    [Fact]
    public async Task SaveLimitsAsync_ByManyAtOnce_LetsOneThrough()
    {
        var saved = await Task.WhenAll(Enumerable.Range(1, 8).Select(i =>
            Ledger.SaveLimitsAsync(LimitsDocument.Default with { User = new RateLimit(i, i) }, 0, Operator, Stop)));

        Assert.Equal(await Ledger.ReadLimitsAsync(Stop), Assert.Single(saved, limits => limits is not null));
    }
}
