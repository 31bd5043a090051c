using System.Text.Json;

namespace FlashSale.Tools.Load;

/// <summary>What a server asks for before it goes on: work, or an answer to a question.</summary>
/// <param name="Bits">Leading zero bits that SHA-256 of <c>stamp:nonce</c> must have.</param>
/// <param name="Question">In English; null where there is none.</param>
internal sealed record Challenge(string Stamp, int Bits, string? Question)
{
    /// <returns>Null when it is not the object that the API describes.</returns>
    public static Challenge? Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }

        using var document = JsonDocument.ParseValue(ref reader);
        var root = document.RootElement;
        return root.TryGetProperty("stamp", out var stamp) && stamp.ValueKind == JsonValueKind.String
            && root.TryGetProperty("bits", out var bits) && bits.ValueKind == JsonValueKind.Number && bits.TryGetInt32(out var zeros)
            ? new Challenge(
                stamp.GetString()!,
                zeros,
                root.TryGetProperty("question", out var question) && question.ValueKind == JsonValueKind.Object && question.TryGetProperty("en", out var english) ? english.GetString() : null)
            : null;
    }
}
