using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace FlashSale.Server.Console.Pages;

/// <summary>Times as the fields of the console have them: Beijing's, without an offset (<c>datetime-local</c>).</summary>
public static class BeijingTime
{
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.FFF", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss.FFF", "yyyy-MM-dd",
    ];

    /// <summary>Wide enough for any sale, and narrow enough that no sum of times overflows.</summary>
    private const int YearMin = 2000;
    private const int YearMax = 2199;

    /// <summary>As short as a browser sends it (html.spec.whatwg.org, "valid normalized local date and time string"): what nobody touched comes back as it was.</summary>
    public static string Format(DateTimeOffset at)
    {
        var local = at.ToOffset(ConsoleTexts.Shanghai);
        return local.ToString(local is { Second: 0, Millisecond: 0 } ? "yyyy-MM-dd'T'HH:mm" : "yyyy-MM-dd'T'HH:mm:ss.FFF", CultureInfo.InvariantCulture);
    }

    public static string Format(DateTimeOffset? at) => at is { } time ? Format(time) : "";

    public static bool TryParse([NotNullWhen(true)] string? text, out DateTimeOffset at)
    {
        at = default;
        if (!DateTime.TryParseExact(text?.Trim(), Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local) || local.Year is < YearMin or > YearMax)
        {
            return false;
        }

        at = new DateTimeOffset(local, ConsoleTexts.Shanghai);
        return true;
    }
}
