using System.Globalization;

namespace FlashSale.Server.Hosting;

/// <summary>Reads settings by key and collects every error, so that an operator sees all of them at once.</summary>
public sealed class SettingsReader(IConfiguration configuration)
{
    private const string Root = "FlashSale";
    private readonly List<string> errors = [];
    private readonly HashSet<string> known = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<string> Errors => errors;

    public string? Text(string key)
    {
        known.Add(key);
        return configuration[key] is { Length: > 0 } value ? value.Trim() : null;
    }

    public bool? Flag(string key)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        if (bool.TryParse(text, out var value))
        {
            return value;
        }

        Fail(key, "must be true or false");
        return null;
    }

    public TimeSpan Duration(string key, TimeSpan otherwise, TimeSpan min, TimeSpan max)
    {
        if (Text(key) is not { } text)
        {
            return otherwise;
        }

        if (TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
        {
            return value;
        }

        Fail(key, $"must be a duration such as {otherwise:c}, from {min:c} to {max:c}");
        return otherwise;
    }

    public int Number(string key, int otherwise, int min, int max)
    {
        if (Text(key) is not { } text)
        {
            return otherwise;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
        {
            return value;
        }

        Fail(key, $"must be a whole number from {min} to {max}");
        return otherwise;
    }

    /// <summary>One word of a closed list; the first is the default.</summary>
    public string Word(string key, params ReadOnlySpan<string> words)
    {
        var text = Text(key)?.ToLowerInvariant() ?? words[0];
        if (words.Contains(text))
        {
            return text;
        }

        Fail(key, $"must be one of {string.Join(", ", words.ToArray())}");
        return words[0];
    }

    public IReadOnlyList<string> List(string key) =>
        Text(key)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    public void Fail(string key, string what) => errors.Add($"{key.Replace(":", "__", StringComparison.Ordinal)} {what}");

    /// <summary>A misspelt setting would be ignored in silence, so it is an error.</summary>
    public void FailOnUnknownKeys()
    {
        foreach (var (key, value) in configuration.AsEnumerable())
        {
            if (value is not null && key.StartsWith(Root + ":", StringComparison.OrdinalIgnoreCase) && !known.Contains(key))
            {
                Fail(key, "is no setting of this program; see docs/operations.md for all of them");
            }
        }
    }

    /// <summary>Whether anybody configured anything: then the demo is not the default.</summary>
    public bool AnyConfigured() =>
        configuration.AsEnumerable().Any(entry => entry.Value is not null
            && (entry.Key.StartsWith(Root + ":", StringComparison.OrdinalIgnoreCase)
                || entry.Key.StartsWith("ConnectionStrings:", StringComparison.OrdinalIgnoreCase)));
}
