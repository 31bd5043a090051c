using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using FlashSale.Tools.Verify;

namespace FlashSale.Tools.VerifyDraw;

/// <summary>What was checked, in words.</summary>
internal sealed record DrawFinding(FindingState State, string Title, string Figures);

/// <summary>
/// Checks the public document of a draw by arithmetic of its own (docs/draw.md): nothing here is the server's code. It knows only what everybody can read.
/// </summary>
internal sealed class DrawCheck
{
    private const int HashDigits = 64;
    private readonly List<DrawFinding> findings = [];
    private bool drawn;
    private bool askedInVain;

    private DrawCheck()
    {
    }

    public IReadOnlyList<DrawFinding> Findings => findings;

    /// <summary>One of <see cref="ExitCodes"/>.</summary>
    public int ExitCode => findings.Any(finding => finding.State == FindingState.Violated) ? ExitCodes.Violated
        : drawn && !askedInVain ? ExitCodes.Holds
        : ExitCodes.ProvesNothing;

    /// <param name="now">The answer of <c>GET /api/v1/sales/{saleId}/draw</c>.</param>
    /// <param name="before">The same, as it was saved before the opening; null when nobody did.</param>
    /// <param name="asked">The order and the user to look for; null for nobody.</param>
    /// <exception cref="UsageException">One of them is not such an answer.</exception>
    public static DrawCheck Of(JsonElement now, JsonElement? before, (string Order, string User)? asked)
    {
        var check = new DrawCheck();
        try
        {
            check.Run(now, before, asked);
        }
        catch (Exception problem) when (problem is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new UsageException($"This is not the document of a draw: {problem.Message}", problem);
        }

        return check;
    }

    private void Run(JsonElement now, JsonElement? before, (string Order, string User)? asked)
    {
        var commitment = Hash(now, "commitment");
        if (before is { } saved)
        {
            CheckBefore(now, saved, commitment);
        }

        if (!now.TryGetProperty("seed", out _))
        {
            Note(FindingState.NotExercised, "drawn", "nothing is drawn (yet): there is no seed to check");
            return;
        }

        var seed = Convert.FromHexString(Hash(now, "seed"));
        var hashed = Convert.ToHexStringLower(SHA256.HashData(seed));
        Note(hashed == commitment, "commitment", $"SHA-256 of the seed is {hashed}, the commitment {commitment}");
        foreach (var offer in now.GetProperty("offers").EnumerateArray())
        {
            CheckOffer(seed, offer);
        }

        if (asked is { } one)
        {
            Find(now, one.Order, one.User);
        }
    }

    private void CheckBefore(JsonElement now, JsonElement saved, string commitment)
    {
        if (Text(saved, "saleId") != Text(now, "saleId"))
        {
            throw new UsageException($"The saved answer is of sale {Text(saved, "saleId")}, not of {Text(now, "saleId")}.");
        }

        if (saved.TryGetProperty("seed", out _))
        {
            throw new UsageException("The saved answer has the seed: it was not saved before the draw, and proves nothing.");
        }

        var earlier = Hash(saved, "commitment");
        Note(earlier == commitment, "committed before", $"the commitment was {earlier} in the saved answer, and is {commitment}");
    }

    private void CheckOffer(byte[] seed, JsonElement offer)
    {
        var id = Text(offer, "offerId");
        string[] entries = [.. offer.GetProperty("entries").EnumerateArray().Select(entry => Hash(entry.GetString()))];
        drawn |= entries.Length > 0;
        var twice = entries.Length - entries.Distinct(StringComparer.Ordinal).Count();
        Note(twice == 0, $"offer {id}, distinct", $"{entries.Length} entries, {twice} of them twice");
        string[] ranks = [.. entries.Select(entry => Convert.ToHexStringLower(HMACSHA256.HashData(seed, Convert.FromHexString(entry))))];
        var wrong = Enumerable.Range(1, Math.Max(0, ranks.Length - 1)).Where(i => string.CompareOrdinal(ranks[i - 1], ranks[i]) > 0).ToList();
        Note(wrong.Count == 0, $"offer {id}, order", wrong.Count == 0
            ? $"{entries.Length} entries stand in the order that the seed gives them, for {offer.GetProperty("stock").GetInt64()} units"
            : $"position {wrong[0] + 1} should stand before the one above it, and {wrong.Count} in all");
    }

    private void Find(JsonElement now, string order, string user)
    {
        foreach (var offer in now.GetProperty("offers").EnumerateArray())
        {
            var id = Text(offer, "offerId");
            var entry = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{order}:{id}:{user}")));
            var position = offer.GetProperty("entries").EnumerateArray().TakeWhile(other => other.GetString() != entry).Count();
            if (position < offer.GetProperty("entries").GetArrayLength())
            {
                var stock = offer.GetProperty("stock").GetInt64();
                Note(FindingState.Holds, "entry", $"{entry} of offer {id} is position {position + 1} of {offer.GetProperty("entries").GetArrayLength()}: {(position < stock ? "among" : "not among")} the {stock} units");
                return;
            }
        }

        askedInVain = true;
        Note(FindingState.NotExercised, "entry", $"order {order} of {user} is in no list: it came after the window, or these are not its ids");
    }

    private void Note(bool holds, string title, string figures) => Note(holds ? FindingState.Holds : FindingState.Violated, title, figures);

    private void Note(FindingState state, string title, string figures) => findings.Add(new DrawFinding(state, title, figures));

    private static string Text(JsonElement document, string name) => document.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null.");

    private static string Hash(JsonElement document, string name) => Hash(Text(document, name));

    private static string Hash(string? text) => text is { Length: HashDigits } && text.All(char.IsAsciiHexDigitLower)
        ? text
        : throw new FormatException($"'{text}' is not {HashDigits} lower-case hexadecimal digits.");
}
