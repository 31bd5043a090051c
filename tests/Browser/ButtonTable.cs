using System.Text.Json;
using System.Text.RegularExpressions;

namespace FlashSale.Tests.Browser;

/// <summary>A state of the main button, as main-button.json has it: what people read on it, and whether it may be pressed.</summary>
public sealed record ButtonState(string State, string Zh, string En, bool Enabled)
{
    /// <summary>The whole label; where it has a number of seconds, any.</summary>
    public Regex Pattern(string language) => new(
        $"^{Regex.Escape(language == "en" ? En : Zh).Replace(@"\{n}", "[1-9][0-9]*", StringComparison.Ordinal)}$", RegexOptions.None, TimeSpan.FromSeconds(1));
}

/// <summary>The eighteen states, in the order of the design.</summary>
public static class ButtonTable
{
    private static readonly Lazy<IReadOnlyList<ButtonState>> States = new(Read);

    public static IReadOnlyList<ButtonState> All => States.Value;

    public static ButtonState Of(string state) => All.Single(one => one.State == state);

    private static IReadOnlyList<ButtonState> Read()
    {
        using var table = JsonDocument.Parse(Repository.Read("src/Server/Storefront/main-button.json"));
        return [.. table.RootElement.GetProperty("states").EnumerateArray().Select(state => state.Deserialize<ButtonState>(JsonSerializerOptions.Web)!)];
    }
}
