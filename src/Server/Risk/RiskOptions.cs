using FlashSale.Core.Risk;

namespace FlashSale.Server.Risk;

/// <summary>What reservations are assessed by.</summary>
/// <param name="Profile">Null: nobody is asked, and its inputs are absent.</param>
/// <param name="Credit">Likewise.</param>
public sealed record RiskOptions(RiskRules Rules, ProviderOptions? Profile, ProviderOptions? Credit)
{
    public bool AsksProviders => Profile is not null || Credit is not null;
}

/// <param name="Url">Absolute, http or https.</param>
/// <param name="Key">Sent as bearer token; a secret.</param>
public sealed record ProviderOptions(Uri Url, string? Key)
{
    /// <summary>Without the key.</summary>
    public override string ToString() => Url.ToString();
}
