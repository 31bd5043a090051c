using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

using FlashSale.Core;
using FlashSale.Core.Sales;
using FlashSale.Core.Wire;

namespace FlashSale.Storage.Sql;

/// <summary>What the audit log keeps of the state before and after a change: compact JSON in the words of the API, Chinese left
/// readable.</summary>
internal static class AuditJson
{
    private static readonly JsonSerializerOptions Compact = new(JsonSerializerDefaults.Web)
    {
        TypeInfoResolver = AuditJsonContext.Default,
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new UtcTimeConverter(), new WordEnumConverter<SaleStatus>(), new SaleIdConverter(), new OfferIdConverter() },
    };

    /// <summary>Null for what an earlier version wrote in another shape.</summary>
    public static T? Read<T>(string json)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, (JsonTypeInfo<T>)Compact.GetTypeInfo(typeof(T)));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static string? Write<T>(T? document)
        where T : class => document is null ? null : JsonSerializer.Serialize(document, (JsonTypeInfo<T>)Compact.GetTypeInfo(typeof(T)));
}

internal sealed class SaleIdConverter : JsonConverter<SaleId>
{
    public override SaleId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        SaleId.TryParse(reader.GetString(), out var id) ? id : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, SaleId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class OfferIdConverter : JsonConverter<OfferId>
{
    public override OfferId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        OfferId.TryParse(reader.GetString(), out var id) ? id : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, OfferId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

[JsonSerializable(typeof(Sale))]
[JsonSerializable(typeof(StockDocument))]
[JsonSerializable(typeof(BlacklistDocument))]
[JsonSerializable(typeof(BlacklistEntry))]
[JsonSerializable(typeof(BlacklistImportAudit))]
[JsonSerializable(typeof(SiteAudit))]
[JsonSerializable(typeof(OrderAudit))]
internal sealed partial class AuditJsonContext : JsonSerializerContext;

/// <param name="Subjects">The first that were added or changed.</param>
internal sealed record BlacklistImportAudit(BlacklistImportDocument Done, IReadOnlyList<string> Subjects);

internal sealed record OrderAudit(string Status, string SaleId, string OfferId);

internal sealed record SiteAudit(long Version, string Fingerprint);
