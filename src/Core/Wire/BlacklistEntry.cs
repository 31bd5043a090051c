using System.Text.Json.Serialization;

namespace FlashSale.Core.Wire;

/// <summary>What an entry of the blacklist bars.</summary>
[JsonConverter(typeof(WordEnumConverter<BlacklistKind>))]
public enum BlacklistKind
{
    User,
    Device,

    /// <summary>A range of addresses.</summary>
    Address,
}

/// <summary>An entry of the blacklist: one line of its export.</summary>
/// <param name="Subject">A user id; 16 hexadecimal digits of a device; or a range in CIDR notation, such as <c>203.0.113.0/24</c>.</param>
/// <param name="ExpiresAt">Null: for good.</param>
public sealed record BlacklistEntry(
    BlacklistKind Kind, string Subject, string Reason, string Source, string Actor, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);

/// <summary>What an import did, in entries. Those that had run out are skipped.</summary>
public sealed record BlacklistImportDocument(int Added, int Changed, int Unchanged, int Expired);
