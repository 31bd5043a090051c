using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

using FlashSale.Core;

using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace FlashSale.Server.Hosting;

/// <summary>What the generator cannot see in our converters and options.</summary>
public static class OpenApiSchemas
{
    public static Task CorrectAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context)
    {
        var type = context.JsonTypeInfo.Type;
        if (type == typeof(DateTimeOffset) || type == typeof(DateTimeOffset?))
        {
            schema.Type = type == typeof(DateTimeOffset) ? JsonSchemaType.String : JsonSchemaType.String | JsonSchemaType.Null;
            schema.Format = "date-time";
        }
        else if (type.IsEnum)
        {
            schema.Type = JsonSchemaType.String;
        }
        else if (type == typeof(Money))
        {
            schema.Required = context.JsonTypeInfo.Properties.Select(property => property.Name).ToHashSet();
        }
        else if (schema.Required is { Count: > 0 } required)
        {
            required.ExceptWith(context.JsonTypeInfo.Properties.Where(IsAbsentWhenNull).Select(property => property.Name));
        }

        return Task.CompletedTask;
    }

    /// <summary>Written as absent instead of null, which the generator takes for required when the constructor asks for it.</summary>
    private static bool IsAbsentWhenNull(JsonPropertyInfo property) =>
        property.IsGetNullable && property.AttributeProvider?.IsDefined(typeof(JsonIgnoreAttribute), inherit: true) != true;
}
