using System.Text.RegularExpressions;

namespace FlashSale.Tests.Deploy;

/// <summary>What expressions ask for, and what there is.</summary>
internal static partial class MetricNames
{
    private static readonly HashSet<string> Words = new(StringComparer.OrdinalIgnoreCase) { "and", "or", "unless", "bool", "offset", "inf", "nan", "by", "without", "on", "ignoring", "group_left", "group_right" };

    /// <summary>Each name of a series in an expression, with the labels that it is selected by.</summary>
    public static IEnumerable<(string Name, IReadOnlyList<(string Label, string Value)> Labels)> Of(string expression)
    {
        // What stands in parentheses behind these is labels, not series.
        var text = Grouping().Replace(expression, " ");
        foreach (var match in Selector().Matches(text).Where(match => !Words.Contains(match.Groups[1].Value)))
        {
            yield return (match.Groups[1].Value, [.. Matcher().Matches(match.Groups[2].Value).Select(one => (one.Groups[1].Value, one.Groups[2].Value))]);
        }
    }

    /// <summary>The lines of <c>/metrics</c> by the name of the series.</summary>
    public static ILookup<string, string> Read(string metrics) => metrics
        .Split('\n')
        .Where(line => line.Length > 0 && line[0] != '#')
        .ToLookup(line => line[..line.IndexOfAny(['{', ' '])], StringComparer.Ordinal);

    /// <summary>What a line has for a label; nothing where it has none.</summary>
    public static IEnumerable<string> Values(string line, string label) => Matcher().Matches(line).Where(match => match.Groups[1].Value == label).Select(match => match.Groups[2].Value);

    [GeneratedRegex(@"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\[[^\]]*\]", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Grouping();

    // Neither a function nor the rest of a number, nor inside of a string.
    [GeneratedRegex(@"(?<![\w:.""$~])([A-Za-z_][A-Za-z0-9_:]*)(?![\w:""]|\s*\()(?:\{([^}]*)\})?", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Selector();

    [GeneratedRegex(@"(\w+)=~?""([^""]*)""", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex Matcher();
}
