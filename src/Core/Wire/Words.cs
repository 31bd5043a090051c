using System.Collections.Frozen;
using System.Text.Json;

namespace FlashSale.Core.Wire;

/// <summary>The words that enums are on the wire, in the ledger, in metrics and in the audit log: <c>SoldOut</c> is <c>sold_out</c>.</summary>
public static class Words
{
    /// <exception cref="KeyNotFoundException">It has no name of its own.</exception>
    public static string Word<T>(this T value)
        where T : struct, Enum => Words<T>.ByValue[value];
}

/// <summary>All of one enum.</summary>
public static class Words<T>
    where T : struct, Enum
{
    public static readonly FrozenDictionary<T, string> ByValue =
        Enum.GetValues<T>().ToFrozenDictionary(value => value, value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));

    public static readonly FrozenDictionary<string, T> ByWord = ByValue.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);
}
