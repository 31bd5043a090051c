using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

using FlashSale.Core;
using FlashSale.Core.Wire;

namespace FlashSale.Server.Console.Pages;

/// <summary>Turns what was typed into the JSON that the API takes, so that the same rules read both, and name what is wrong by the same paths.</summary>
public static class FormFields
{
    /// <summary>Nothing typed is an absent field.</summary>
    public static JsonValue? Text(string typed) => typed.Trim() is { Length: > 0 } text ? JsonValue.Create(text) : null;

    /// <summary>What is no whole number stays a text, which the rules refuse.</summary>
    public static JsonValue? Number(string typed) =>
        long.TryParse(typed.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? JsonValue.Create(number) : Text(typed);

    /// <summary>A time of Beijing.</summary>
    public static JsonValue? Time(string typed) =>
        BeijingTime.TryParse(typed, out var at) ? JsonValue.Create(at.ToString(TimeFormat, CultureInfo.InvariantCulture)) : Text(typed);

    /// <summary>Yuan with at most two decimals, as fen.</summary>
    public static JsonObject Money(string typed, string currency)
    {
        var amount = decimal.TryParse(typed.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var yuan)
            && yuan <= Limits.MoneyMax && yuan * 100 == decimal.Truncate(yuan * 100)
            ? JsonValue.Create((long)(yuan * 100))
            : Text(typed);
        return new JsonObject { ["amount"] = amount, ["currency"] = Text(currency) };
    }

    public static JsonElement Element(JsonObject body) => JsonElement.Parse(body.ToJsonString());

    public static FieldReader Reader(JsonObject body) => new(Element(body));

    /// <summary>What is wrong with the fields, by path, in the language of the page.</summary>
    public static Dictionary<string, string> Errors(FieldReader fields, ConsoleTexts texts) =>
        fields.Errors.ToDictionary(error => error.Key, error => string.Join(' ', error.Value.Select(mustBe => texts.FieldError(error.Key, mustBe))), StringComparer.Ordinal);

    /// <summary>What <paramref name="read"/> makes of the fields, or null with what is wrong with them, by path.</summary>
    public static (T? Value, IReadOnlyDictionary<string, string[]> Errors) Read<T>(JsonObject body, Func<FieldReader, T> read)
        where T : class
    {
        var fields = Reader(body);
        var value = read(fields);
        return (fields.IsValid ? value : null, fields.Errors);
    }

    // With the offset, and as many digits as a sale keeps.
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fffzzz";

    /// <summary>The reason of an action; null where none was typed.</summary>
    /// <returns>Error is what is wrong with it in the language of the page.</returns>
    public static (string? Reason, string? Error) Reason(IFormCollection form, ConsoleTexts texts, bool required)
    {
        if (!required && string.IsNullOrWhiteSpace(form["reason"]))
        {
            return (null, null);
        }

        var (reason, errors) = Read(new JsonObject { ["reason"] = Text(form["reason"].ToString()) }, fields => fields.Text("reason", Limits.ReasonLength));
        return (reason, errors.TryGetValue("reason", out var error) ? texts.FieldError("reason", error[0]) : null);
    }
}
