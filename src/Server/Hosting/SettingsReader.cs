using System.Globalization;

namespace FlashSale.Server.Hosting;

/// <summary>What a setting takes, as it was asked for.</summary>
/// <param name="Default">Null where it is no plain value.</param>
/// <param name="Bounds">Null for a text.</param>
public sealed record SettingShape(string? Default, string? Bounds);

/// <summary>Reads settings by key and collects every error, so that an operator sees all of them at once.</summary>
public sealed class SettingsReader(IConfiguration configuration)
{
    private const string Root = "FlashSale";
    private readonly List<string> errors = [];
    private readonly Dictionary<string, SettingShape> known = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<string> Errors => errors;

    /// <summary>Every setting that was read so far.</summary>
    public IReadOnlyDictionary<string, SettingShape> Known => known;

    public string? Text(string key)
    {
        known.TryAdd(key, new SettingShape(null, null));
        return configuration[key] is { Length: > 0 } value ? value.Trim() : null;
    }

    public bool? Flag(string key)
    {
        known[key] = new SettingShape(null, "true, false");
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
        known[key] = new SettingShape($"{otherwise:c}", $"{min:c} to {max:c}");
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
        known[key] = new SettingShape(otherwise < min ? null : otherwise.ToString(CultureInfo.InvariantCulture), $"{min} to {max}");
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

    /// <summary>From 0 to 1.</summary>
    public double Share(string key, double otherwise)
    {
        known[key] = new SettingShape(otherwise.ToString(CultureInfo.InvariantCulture), "0 to 1");
        if (Text(key) is not { } text)
        {
            return otherwise;
        }

        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value <= 1)
        {
            return value;
        }

        Fail(key, "must be a number from 0 to 1, such as 0.01");
        return otherwise;
    }

    /// <summary>One word of a closed list; the first is the default.</summary>
    public string Word(string key, params ReadOnlySpan<string> words)
    {
        known[key] = new SettingShape(words[0], string.Join(", ", words.ToArray()));
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
            if (value is not null && key.StartsWith(Root + ":", StringComparison.OrdinalIgnoreCase) && !known.ContainsKey(key))
            {
                Fail(key, "is no setting of this program; see docs/settings.md for all of them");
            }
        }
    }

    /// <summary>Whether anybody configured anything: then the demo is not the default.</summary>
    public bool AnyConfigured() =>
        configuration.AsEnumerable().Any(entry => entry.Value is not null
            && (entry.Key.StartsWith(Root + ":", StringComparison.OrdinalIgnoreCase)
                || entry.Key.StartsWith("ConnectionStrings:", StringComparison.OrdinalIgnoreCase)));
}
