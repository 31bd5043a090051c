using FlashSale.Core.Sales;

namespace FlashSale.Storage.Sql;

/// <summary>A sale as an entry of the audit log keeps it.</summary>
public static class AuditedSale
{
    /// <summary>Null for no state, and for one that an earlier version wrote in another shape.</summary>
    public static Sale? Read(string? json) => json is null ? null : AuditJson.Read<Sale>(json);
}
