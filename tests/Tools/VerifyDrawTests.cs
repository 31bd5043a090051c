using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

using FlashSale.Tools;
using FlashSale.Tools.VerifyDraw;

using Xunit;

namespace FlashSale.Tests.Tools;

/// <summary>The check of a draw, by documents that are right and by ones in which somebody cheats.</summary>
public sealed class VerifyDrawTests
{
    private const string Order = "0190b5c8000000000000000000000003";
    private static readonly byte[] Seed = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void Of_WhenTheDrawIsHonest_Holds()
    {
        var check = Check(Honest());

        Assert.Equal(ExitCodes.Holds, check.ExitCode);
        Assert.Equal(["commitment", "offer 1A, distinct", "offer 1A, order"], check.Findings.Select(finding => finding.Title));
    }

    public static TheoryData<string, string> Cheats => new()
    {
        { "another seed", "commitment" },
        { "two swapped", "offer 1A, order" },
        { "one moved to the front", "offer 1A, order" },
        { "one twice", "offer 1A, distinct" },
        { "one put in by hand", "offer 1A, order" },
    };

    [Theory]
    [MemberData(nameof(Cheats))]
    public void Of_WhenSomebodyCheats_NamesIt(string cheat, string title)
    {
        var document = Honest();
        var entries = document["offers"]![0]!["entries"]!.AsArray();
        switch (cheat)
        {
            case "another seed":
                document["seed"] = new string('a', 64);
                break;
            case "two swapped":
                Move(entries, 3, 4);
                break;
            case "one moved to the front":
                Move(entries, 5, 0);
                break;
            case "one twice":
                entries.Insert(3, entries[3]!.DeepClone());
                break;
            default:
                entries.Insert(0, new string('0', 64));
                break;
        }

        var check = Check(document);

        Assert.Equal(ExitCodes.Violated, check.ExitCode);
        Assert.Contains(check.Findings, finding => finding.Title == title && finding.State == FlashSale.Tools.Verify.FindingState.Violated);
    }

    [Fact]
    public void Of_WithAnAnswerFromBefore_ComparesItsCommitment()
    {
        Assert.Equal(ExitCodes.Holds, Check(Honest(), before: Before(Honest())).ExitCode);

        // A seed that somebody chose when the entries were known: the list is in its order, and the commitment is its hash.
        var chosen = Draw(SHA256.HashData(Seed));
        Assert.Equal(ExitCodes.Holds, Check(chosen).ExitCode);
        var check = Check(chosen, before: Before(Honest()));
        Assert.Equal(ExitCodes.Violated, check.ExitCode);
        Assert.Equal("committed before", Assert.Single(check.Findings, finding => finding.State == FlashSale.Tools.Verify.FindingState.Violated).Title);
    }

    [Fact]
    public void Of_BeforeTheDraw_ProvesNothing()
    {
        Assert.Equal(ExitCodes.ProvesNothing, Check(Before(Honest())).ExitCode);
        Assert.Equal(ExitCodes.ProvesNothing, Check(Before(Honest()), before: Before(Honest())).ExitCode);
        Assert.Equal(ExitCodes.Violated, Check(Before(Draw(SHA256.HashData(Seed))), before: Before(Honest())).ExitCode);
    }

    [Fact]
    public void Of_WithAnOrder_TellsWhereItStands()
    {
        var check = Check(Honest(), asked: (Order, "user-3"));
        Assert.Equal(ExitCodes.Holds, check.ExitCode);
        // The fifth of the vectors of DrawRulesTests.
        Assert.Contains("position 5 of 6: not among the 2 units", check.Findings[^1].Figures);
        Assert.Contains("position 1 of 6: among the 2 units", Check(Honest(), asked: (Order[..^1] + "1", "user-1")).Findings[^1].Figures);
        Assert.Equal(ExitCodes.ProvesNothing, Check(Honest(), asked: (Order, "user-4")).ExitCode);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"saleId\": \"1\", \"commitment\": \"ab\"}")]
    [InlineData("{\"saleId\": \"1\", \"commitment\": null}")]
    public void Of_WhenItIsNoSuchDocument_SaysSo(string text) =>
        Assert.Throws<UsageException>(() => DrawCheck.Of(JsonElement.Parse(text), null, null));

    [Fact]
    public void Of_WithASavedAnswerThatProvesNothing_SaysSo()
    {
        Assert.Throws<UsageException>(() => Check(Honest(), before: Honest()));
        var other = Before(Honest());
        other["saleId"] = "8";
        Assert.Throws<UsageException>(() => Check(Honest(), before: other));
    }

    private static DrawCheck Check(JsonNode now, JsonNode? before = null, (string Order, string User)? asked = null) =>
        DrawCheck.Of(JsonElement.Parse(now.ToJsonString()), before is null ? null : JsonElement.Parse(before.ToJsonString()), asked);

    private static void Move(JsonArray entries, int from, int to)
    {
        var one = entries[from];
        entries.RemoveAt(from);
        entries.Insert(to, one);
    }

    private static JsonObject Honest() => Draw(Seed);

    private static JsonObject Draw(byte[] seed)
    {
        var entries = Enumerable.Range(0, 6).Select(i => SHA256.HashData(Encoding.ASCII.GetBytes($"0190b5c8{i:x24}:1A:user-{i}")))
            .OrderBy(entry => Convert.ToHexString(HMACSHA256.HashData(seed, entry)), StringComparer.Ordinal).Select(Convert.ToHexStringLower);
        return new JsonObject
        {
            ["saleId"] = "7",
            ["windowMs"] = 500,
            ["commitment"] = Convert.ToHexStringLower(SHA256.HashData(seed)),
            ["opensAt"] = "2026-11-11T12:00:00.000Z",
            ["seed"] = Convert.ToHexStringLower(seed),
            ["drawnAt"] = "2026-11-11T12:00:00.800Z",
            ["offers"] = new JsonArray(new JsonObject
            {
                ["offerId"] = "1A",
                ["stock"] = 2,
                ["entries"] = new JsonArray([.. entries.Select(entry => JsonValue.Create(entry))]),
            }),
        };
    }

    private static JsonObject Before(JsonObject drawn)
    {
        var before = (JsonObject)drawn.DeepClone();
        before.Remove("seed");
        before.Remove("drawnAt");
        before.Remove("offers");
        return before;
    }
}
