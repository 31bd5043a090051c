using System.Globalization;
using System.Text.Json;

namespace FlashSale.Server.Console.Pages;

/// <summary>A field that an action changed; null where it was not there.</summary>
/// <param name="Path">Such as <c>offers[0].stock</c>; empty for a whole that is no object.</param>
public readonly record struct FieldChange(string Path, string? Before, string? After);

/// <summary>What an entry of the audit log changed, field by field.</summary>
public static class AuditDiff
{
    /// <summary>Fields of one entry, at most; a sale of 50 offers has about 800.</summary>
    public const int FieldsMax = 2_000;

    /// <summary>In the order of what is there now, then what is gone. Equal fields are left out.</summary>
    public static IReadOnlyList<FieldChange> Of(string? before, string? after, ConsoleTexts texts)
    {
        var old = Flatten(before, texts);
        var now = Flatten(after, texts);
        return
        [
            .. now.Where(field => old.GetValueOrDefault(field.Key) != field.Value).Select(field => new FieldChange(field.Key, old.GetValueOrDefault(field.Key), field.Value)),
            .. old.Where(field => !now.ContainsKey(field.Key)).Select(field => new FieldChange(field.Key, field.Value, null)),
        ];
    }

    private static OrderedDictionary<string, string> Flatten(string? json, ConsoleTexts texts)
    {
        var fields = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        if (json is null)
        {
            return fields;
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            Add(fields, "", document.RootElement, texts);
        }
        catch (JsonException)
        {
            // A log that somebody has written into is shown as it is.
            fields[""] = json;
        }

        return fields;
    }

    private static void Add(OrderedDictionary<string, string> fields, string path, JsonElement value, ConsoleTexts texts)
    {
        if (fields.Count >= FieldsMax)
        {
            return;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                {
                    Add(fields, path.Length == 0 ? property.Name : $"{path}.{property.Name}", property.Value, texts);
                }

                break;
            case JsonValueKind.Array:
                foreach (var (i, item) in value.EnumerateArray().Index())
                {
                    Add(fields, string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), item, texts);
                }

                break;
            case JsonValueKind.Null:
                break;
            default:
                fields[path] = Text(value, texts);
                break;
        }
    }

    private static string Text(JsonElement value, ConsoleTexts texts) => value.ValueKind switch
    {
        JsonValueKind.True => texts.Yes,
        JsonValueKind.False => texts.No,
        JsonValueKind.String when value.GetString() is { Length: >= 20 } text && text[10] == 'T' && value.TryGetDateTimeOffset(out var at) => texts.Time(at),
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };
}
