namespace FlashSale.Core.Wire;

/// <summary>A setting that is in force.</summary>
/// <param name="Key">As in the environment: <c>FlashSale__Roles</c>.</param>
/// <param name="Value">A secret is <c>***</c> with a fingerprint, by which instances can be compared.</param>
/// <param name="IsSet">False: it is the default.</param>
public sealed record SettingValue(string Key, string Value, bool IsSet)
{
    /// <summary>As <c>config</c> prints it.</summary>
    public override string ToString() => IsSet ? $"{Key}={Value}" : $"{Key}={Value}  # default";
}

public sealed record SettingsDocument(IReadOnlyList<SettingValue> Settings);
