using System.Text;

namespace FlashSale.Tests.Tidy;

/// <summary>Just enough of C# to look at a source: what is code, and where a method ends.</summary>
internal static class CSharpText
{
    private static readonly string[] NoMethods =
        ["if", "for", "foreach", "while", "switch", "using", "lock", "catch", "fixed", "when", "new", "return", "await", "=>", "=", "record", "class", "struct", "is", "with"];

    /// <summary>The source with comments and the insides of texts made blank; lines stay where they are.</summary>
    public static string CodeOnly(string source)
    {
        var code = new StringBuilder(source);
        for (var at = 0; at < source.Length;)
        {
            var end = EndOfBlank(source, at);
            for (var i = at; i < end; i++)
            {
                code[i] = source[i] == '\n' ? '\n' : ' ';
            }

            at = Math.Max(end, at + 1);
        }

        return code.ToString();
    }

    /// <summary>Methods, constructors and local functions with a body in braces, and how many lines each has from its name to its last brace.</summary>
    public static IEnumerable<(string Name, int Line, int Lines)> Methods(string source)
    {
        var code = CodeOnly(source);
        var open = new Stack<(string? Name, int Start)>();
        var begin = 0;
        for (var at = 0; at < code.Length; at++)
        {
            if (code[at] is ';' or '{' or '}')
            {
                if (code[at] == '{')
                {
                    var head = WithoutAttributes(code[begin..at]);
                    open.Push((NameOf(head), at - head.Length));
                }
                else if (code[at] == '}' && open.TryPop(out var block) && block.Name is { } name)
                {
                    yield return (name, LineOf(code, block.Start), LineOf(code, at) - LineOf(code, block.Start) + 1);
                }

                begin = at + 1;
            }
        }
    }

    private static string WithoutAttributes(string head)
    {
        var text = head.TrimStart();
        while (text.StartsWith('[') && text.IndexOf(']', StringComparison.Ordinal) is > 0 and var end)
        {
            text = text[(end + 1)..].TrimStart();
        }

        return text;
    }

    /// <summary>Null when the block that follows is not the body of a method.</summary>
    private static string? NameOf(string head)
    {
        var text = head.Trim();
        var parenthesis = text.IndexOf('(', StringComparison.Ordinal);
        if (parenthesis <= 0 || !text.Contains(')', StringComparison.Ordinal))
        {
            return null;
        }

        var words = text[..parenthesis].Split([' ', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var afterwards = text[parenthesis..].Contains("=>", StringComparison.Ordinal);
        return words.Length == 0 || afterwards || words.Any(word => NoMethods.Contains(word)) ? null : words[^1];
    }

    private static int LineOf(string text, int at) => text.AsSpan(0, at).Count('\n') + 1;

    /// <summary>Where the comment or text that begins here ends; the same place when none does.</summary>
    private static int EndOfBlank(string source, int at)
    {
        var rest = source.AsSpan(at);
        if (rest.StartsWith("//"))
        {
            return At(source.IndexOf('\n', at), source);
        }

        if (rest.StartsWith("/*"))
        {
            return At(source.IndexOf("*/", at, StringComparison.Ordinal), source) + 2;
        }

        if (rest[0] == '\'')
        {
            return EndOfQuoted(source, at + 1, '\'');
        }

        var quote = at;
        while (quote < source.Length && source[quote] is '$' or '@')
        {
            quote++;
        }

        return quote < source.Length && source[quote] == '"' ? EndOfText(source, at, quote) : at;
    }

    private static int At(int found, string source) => found < 0 ? source.Length : found;

    private static int EndOfText(string source, int at, int quote)
    {
        var quotes = source.AsSpan(quote).IndexOfAnyExcept('"');
        if (quotes >= 3)
        {
            return At(source.IndexOf(new string('"', quotes), quote + quotes, StringComparison.Ordinal), source) + quotes;
        }

        var prefix = source[at..quote];
        if (prefix.Contains('@', StringComparison.Ordinal))
        {
            var end = quote + 1;
            while (end < source.Length && (source[end] != '"' || source.AsSpan(end).StartsWith("\"\"")))
            {
                end += source[end] == '"' ? 2 : 1;
            }

            return end + 1;
        }

        return prefix.Length == 0 ? EndOfQuoted(source, quote + 1, '"') : EndOfInterpolated(source, quote + 1);
    }

    private static int EndOfQuoted(string source, int at, char quote)
    {
        while (at < source.Length && source[at] != quote)
        {
            at += source[at] == '\\' ? 2 : 1;
        }

        return at + 1;
    }

    /// <summary>A hole may have texts of its own.</summary>
    private static int EndOfInterpolated(string source, int at)
    {
        var depth = 0;
        while (at < source.Length && (depth > 0 || source[at] != '"'))
        {
            if (depth == 0 && (source.AsSpan(at).StartsWith("{{") || source[at] == '\\'))
            {
                at += 2;
                continue;
            }

            depth += source[at] == '{' ? 1 : source[at] == '}' && depth > 0 ? -1 : 0;
            var end = depth > 0 ? EndOfBlank(source, at) : at;
            at = Math.Max(end, at + 1);
        }

        return at + 1;
    }
}
