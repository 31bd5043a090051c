using System.Security.Cryptography;

using FlashSale.Core;
using FlashSale.Core.Draws;
using FlashSale.Core.Sales;

using Xunit;

namespace FlashSale.Tests.Core.Draws;

/// <summary>The vectors are those of <c>draw_vectors.py</c> beside this file, which shares no code with the server.</summary>
public sealed class DrawRulesTests
{
    private static readonly byte[] Seed = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private static readonly string[] Entries =
    [
        "779bc8986a360a071115d55fc7e6f6bcdf02b1854942a3f2f25afd5a0d694eac",
        "1855b8b8c165bd9d9512fdd00e25a790a11cca05c7fc6a0ddee1b981ba8b60d2",
        "6d675375608d1652f22d027921434a182d1991ed0a0ce00ec5db2fe121168509",
        "6443887d7321085603560384250a3f123665ab087c3cb57d6febac53c4dcbae5",
        "2f2230340e1143d62f5ce561ba96154c52be7cbb4ed315d3e671a14f30e466e4",
        "bcade99e80ac021f22befca16e3e197e34b5023872b8a5effc13851619de5c07",
    ];

    private static readonly int[] Drawn = [1, 0, 5, 2, 3, 4];

    [Fact]
    public void Commitment_OfTheSeedOfTheVectors_IsTheirs() =>
        Assert.Equal("630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd", DrawRules.Commitment(Seed));

    [Fact]
    public void Of_WithTheIdsOfTheVectors_IsTheirs()
    {
        var offer = new OfferId(72);
        Assert.Equal("1A", offer.ToString());
        for (var i = 0; i < Entries.Length; i++)
        {
            Assert.True(OrderId.TryParse($"0190b5c8{i:x24}", out var order));
            Assert.Equal(Entries[i], DrawEntry.Of(order, offer, UserId.Parse($"user-{i}")).ToString());
        }
    }

    [Fact]
    public void Rank_InWhateverOrderTheyCame_GivesTheOrderOfTheVectors()
    {
        var random = new Random(1);
        for (var round = 0; round < 50; round++)
        {
            var entries = Entries.Select(Parse).ToArray();
            random.Shuffle(entries);

            Assert.Equal(Drawn.Select(i => Entries[i]), DrawRules.Rank(Seed, entries).Select(entry => entry.ToString()));
        }

        Assert.Empty(DrawRules.Rank(Seed, []));
    }

    /// <summary>In another way: hexadecimal text instead of numbers, and the standard library's ordering of it.</summary>
    [Fact]
    public void Rank_OfManyEntries_IsThatOfTheirHashesAsText()
    {
        var random = new Random(7);
        var entries = Enumerable.Range(0, 2_000).Select(i => DrawEntry.Of(new OrderId(Guid.NewGuid()), new OfferId(1 + i % 3), UserId.Parse($"u{random.Next()}"))).ToArray();
        using var hmac = new HMACSHA256(Seed);

        var expected = entries.Select(entry => entry.ToString()).OrderBy(entry => Convert.ToHexString(hmac.ComputeHash(Convert.FromHexString(entry))), StringComparer.Ordinal);

        Assert.Equal(expected, DrawRules.Rank(Seed, entries).Select(entry => entry.ToString()));
    }

    /// <summary>Whoever knows the entries but not the seed knows nothing of the order: each place is as good as any other.</summary>
    [Fact]
    public void Rank_UnderManySeeds_GivesEveryEntryEveryPlaceAsOften()
    {
        const int Rounds = 3_000;
        var entries = Entries.Select(Parse).ToArray();
        var first = new Dictionary<string, int>();
        for (var i = 0; i < Rounds; i++)
        {
            var winner = DrawRules.Rank(SHA256.HashData(BitConverter.GetBytes(i)), entries)[0].ToString();
            first[winner] = first.GetValueOrDefault(winner) + 1;
        }

        // 500 each; the deviation is 20.
        Assert.Equal(Entries.Order(), first.Keys.Order());
        Assert.All(first.Values, count => Assert.InRange(count, 380, 620));
    }

    [Fact]
    public void Rank_OfTheSameEntryTwice_KeepsBoth()
    {
        var entry = Parse(Entries[0]);
        Assert.Equal([entry, entry], DrawRules.Rank(Seed, [entry, entry]));
    }

    [Fact]
    public void Times_OfTheLongestWindow_LeaveTheOrderTimeToBePlaced()
    {
        Assert.True(TimeSpan.FromMilliseconds(Limits.DrawMsMax) + Limits.DrawGrace < Limits.OrderDeadline);
        // What the gateway waits for an answer: proxy_read_timeout of deploy/nginx/gateway.conf.
        Assert.Contains("proxy_read_timeout 4500ms;", Repository.Read("deploy/nginx/gateway.conf"));
        Assert.True(TimeSpan.FromMilliseconds(Limits.DrawMsMax) + Limits.DrawGrace + Limits.DrawPatience + Limits.OrderDeadline <= TimeSpan.FromMilliseconds(4_500));
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(499, true)]
    [InlineData(500, true)] // they wait behind those that are drawn
    [InlineData(1_999, true)]
    [InlineData(2_000, false)]
    public void DrawIsOpen_FromTheOpeningUntilEverybodyWasLetGo(int ms, bool open)
    {
        var sale = TestSale.Draft(new DateTimeOffset(2026, 11, 11, 12, 0, 0, TimeSpan.Zero), 1) with
        {
            Status = SaleStatus.Published,
            Defences = new SaleDefences { DrawMs = 500 },
        };
        var now = sale.OpensAt.AddMilliseconds(ms);

        Assert.Equal(open, SalePhases.DrawIsOpen(sale, now));
        Assert.False(SalePhases.DrawIsOpen(sale with { Status = SaleStatus.Paused }, now));
        Assert.False(SalePhases.DrawIsOpen(sale with { Status = SaleStatus.Closed }, now));
        Assert.False(SalePhases.DrawIsOpen(sale with { Status = SaleStatus.Draft }, now));
        Assert.False(SalePhases.DrawIsOpen(sale with { Defences = SaleDefences.Default }, now));
    }

    private static DrawEntry Parse(string entry) => DrawEntry.Read(Convert.FromHexString(entry));
}
