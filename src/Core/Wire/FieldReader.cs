using System.Globalization;
using System.Text.Json;

namespace FlashSale.Core.Wire;

/// <summary>
/// Reads the fields of a JSON object one by one and notes every one that is not valid, wrong types included, by its path (<c>offers[0].stock</c>) and with what
/// it must be. What a method returns for such a field means nothing: ask <see cref="Errors"/> before the values are used. <c>null</c> counts as absent;
/// fields that nobody reads are ignored.
/// </summary>
public sealed class FieldReader
{
    /// <summary>Wide enough for any sale, and narrow enough that no sum of times overflows.</summary>
    private static readonly DateTimeOffset TimeMin = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset TimeMax = new(2200, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Dictionary<string, JsonElement> fields = new(StringComparer.Ordinal);
    private readonly string path;
    private readonly SortedDictionary<string, List<string>> errors;

    public FieldReader(JsonElement body)
        : this(body, "", new SortedDictionary<string, List<string>>(StringComparer.Ordinal))
    {
    }

    private FieldReader(JsonElement body, string path, SortedDictionary<string, List<string>> errors)
    {
        this.path = path;
        this.errors = errors;
        if (body.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        foreach (var property in body.EnumerateObject().Where(property => property.Value.ValueKind != JsonValueKind.Null))
        {
            if (NameOf(property) is { } name)
            {
                fields[name] = property.Value;
            }
        }
    }

    /// <summary>By path; empty when every field that was read is valid.</summary>
    public IReadOnlyDictionary<string, string[]> Errors => errors.ToDictionary(error => error.Key, error => error.Value.ToArray(), StringComparer.Ordinal);

    public bool IsValid => errors.Count == 0;

    /// <summary>Nothing was noted against the field or anything in it.</summary>
    public bool IsGood(string name)
    {
        var at = PathOf(name);
        return !errors.Keys.Any(key => key == at || key.StartsWith(at + ".", StringComparison.Ordinal) || key.StartsWith(at + "[", StringComparison.Ordinal));
    }

    public bool Has(string name) => fields.ContainsKey(name);

    /// <summary>Of every field that is there, whether anybody reads it or not.</summary>
    public IReadOnlyCollection<string> Names => fields.Keys;

    /// <summary>The field is valid in itself, but not with what else is known.</summary>
    public void Fail(string name, string mustBe)
    {
        var at = PathOf(name);
        if (!errors.TryGetValue(at, out var list))
        {
            errors[at] = list = [];
        }

        list.Add(mustBe);
    }

    /// <summary>A text that is not blank, without control characters, of at most <paramref name="maxLength"/> UTF-16 units.</summary>
    public string Text(string name, int maxLength)
    {
        if (fields.TryGetValue(name, out var value) && TextOf(value) is { } text
            && text.Length <= maxLength && !string.IsNullOrWhiteSpace(text) && !text.Any(char.IsControl))
        {
            return text;
        }

        Fail(name, $"must be a text of 1 to {maxLength} characters");
        return "";
    }

    /// <param name="otherwise">The value of an absent field; null when it must be there.</param>
    public long Number(string name, long min, long max, long? otherwise = null)
    {
        if (!fields.TryGetValue(name, out var value) && otherwise is { } absent)
        {
            return absent;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= min && number <= max)
        {
            return number;
        }

        Fail(name, string.Create(CultureInfo.InvariantCulture, $"must be a whole number from {min} to {max}"));
        return min;
    }

    public bool Flag(string name, bool otherwise)
    {
        if (!fields.TryGetValue(name, out var value))
        {
            return otherwise;
        }

        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return value.GetBoolean();
        }

        Fail(name, "must be true or false");
        return otherwise;
    }

    /// <summary>A time that must be there.</summary>
    public DateTimeOffset Time(string name)
    {
        if (!fields.ContainsKey(name))
        {
            Fail(name, MustBeTime);
            return TimeMin;
        }

        return TimeOrNull(name) ?? TimeMin;
    }

    /// <summary>In UTC and whole milliseconds; null when absent.</summary>
    public DateTimeOffset? TimeOrNull(string name)
    {
        if (!fields.TryGetValue(name, out var value))
        {
            return null;
        }

        // A time without an offset would be read as that of the server's own place.
        if (TextOf(value) is { } text && HasOffset(text) && value.TryGetDateTimeOffset(out var time) && time >= TimeMin && time < TimeMax)
        {
            return DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
        }

        Fail(name, MustBeTime);
        return null;
    }

    /// <summary>A word of a closed list; the first is what an absent field means.</summary>
    public T Word<T>(string name)
        where T : struct, Enum
    {
        if (!fields.TryGetValue(name, out var value))
        {
            return default;
        }

        var text = TextOf(value);
        foreach (var candidate in Enum.GetValues<T>())
        {
            if (candidate.Word() == text)
            {
                return candidate;
            }
        }

        Fail(name, $"must be one of {string.Join(", ", Enum.GetValues<T>().Select(Words.Word))}");
        return default;
    }

    public Money Money(string name)
    {
        var money = Object(name);
        var amount = money.Number("amount", 0, Limits.MoneyMax);
        var currency = money.fields.TryGetValue("currency", out var value) ? TextOf(value) : null;
        if (currency is not { Length: 3 } || !currency.All(char.IsAsciiLetterUpper))
        {
            money.Fail("currency", "must be the three capital letters of a currency, such as CNY (ISO 4217)");
        }

        return new Money(amount, currency ?? "");
    }

    /// <summary>The object of a field. Where there is none, all of what is read from it is missing.</summary>
    public FieldReader Object(string name)
    {
        if (!fields.TryGetValue(name, out var value) || value.ValueKind != JsonValueKind.Object)
        {
            Fail(name, "must be an object");
        }

        return new FieldReader(value, PathOf(name), errors);
    }

    /// <summary>The objects of a list. Beyond <paramref name="max"/> none is looked at.</summary>
    public IReadOnlyList<FieldReader> List(string name, int min, int max)
    {
        if (!fields.TryGetValue(name, out var value) || value.ValueKind != JsonValueKind.Array
            || value.GetArrayLength() is var length && (length < min || length > max))
        {
            Fail(name, $"must be a list of {min} to {max} objects");
            return [];
        }

        var items = new List<FieldReader>(length);
        foreach (var item in value.EnumerateArray())
        {
            var itemAt = $"{PathOf(name)}[{items.Count}]";
            if (item.ValueKind != JsonValueKind.Object)
            {
                errors[itemAt] = ["must be an object"];
            }

            items.Add(new FieldReader(item, itemAt, errors));
        }

        return items;
    }

    private const string MustBeTime = "must be a time with its offset, such as 2030-01-31T12:00:00Z (RFC 3339), from the year 2000 to 2199";

    private string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";
    private static bool HasOffset(string text) => text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':');

    /// <summary>Null for what is no string, or is one that no text can be: half a surrogate pair, which only shows when it is decoded.</summary>
    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
