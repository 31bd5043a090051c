using FlashSale.Core.Auditing;

using Xunit;

namespace FlashSale.Tests.Core.Auditing;

public sealed class AuditChainTests
{
    /// <summary>The entries of docs/audit.md, whose hashes another program computed.</summary>
    internal static readonly AuditEntry First = new(
        1, new DateTimeOffset(2026, 11, 26, 8, 0, 0, 123, TimeSpan.Zero), "olivia", "operator", "sale.pause", "sale/7", "库存核对",
        """{"status":"published"}""", """{"status":"paused"}""", "trace-1");
    internal static readonly AuditEntry Second = new(
        2, new DateTimeOffset(2026, 11, 26, 8, 0, 2, 0, TimeSpan.Zero), "system", "system", "blacklist.add", "user/u-9", "", null, """{"userId":"u-9"}""", null);
    internal const string FirstHash = "62e0d763f448799b165b69c212b6c778bfa4117da8f4ae608ecda3cc632210de";
    internal const string SecondHash = "8c7a504c95a42b0ffae5aca856fb58b9f623db0c4571efd8bb2fe395ce24e188";

    [Fact]
    public void HashOf_TheEntriesOfTheDocumentation_IsAsItSays()
    {
        Assert.Equal(FirstHash, AuditChain.HashOf(AuditChain.Start, First));
        Assert.Equal(SecondHash, AuditChain.HashOf(FirstHash, Second));
        var page = Repository.Read("docs/audit.md");
        Assert.Contains(FirstHash, page);
        Assert.Contains(SecondHash, page);
    }

    [Fact]
    public void HashOf_WhenAnythingIsAnother_IsAnother()
    {
        AuditEntry[] others =
        [
            First, First with { Seq = 2 }, First with { At = First.At.AddMilliseconds(1) }, First with { Actor = "olivi" }, First with { Role = "Operator" },
            First with { Action = "sale.paus" }, First with { Subject = "sale/8" }, First with { Reason = null }, First with { Reason = "" }, First with { Before = null },
            First with { Before = First.After, After = First.Before }, First with { After = "" }, First with { TraceId = null }, First with { TraceId = "" },
            // The same characters, cut elsewhere.
            First with { Actor = "oliviao", Role = "perator" }, First with { Action = "sale.pauses", Subject = "ale/7" },
            First with { Reason = null, Before = "库存核对" }, First with { TraceId = null, After = First.After + "trace-1" },
        ];

        var hashes = others.Select(entry => AuditChain.HashOf(AuditChain.Start, entry)).Append(AuditChain.HashOf(FirstHash, First)).ToList();

        Assert.Equal(hashes.Count, hashes.Distinct().Count());
        Assert.All(hashes, hash => Assert.Matches("^[0-9a-f]{64}$", hash));
    }
}
