using System.Reflection;
using System.Text;
using System.Text.Json.Serialization;

using FlashSale.Core.Wire;
using FlashSale.Server.Http;

using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.OpenApi;

namespace FlashSale.Server.Hosting;

/// <summary>The OpenAPI 3.1 document of the calls that this instance serves, at <c>/openapi/v1.json</c>.</summary>
public static class OpenApiSetup
{
    private const string Document = "v1";
    private const string Bearer = "bearer";

    public static void AddOpenApiDocument(this IServiceCollection services)
    {
        // Schemas are made from the same contract that the answers are written with.
        services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.TypeInfoResolverChain.Insert(0, WireJson.Default);
            options.SerializerOptions.Converters.Add(new UtcTimeConverter());
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            options.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        });
        services.TryAddEnumerable(ServiceDescriptor.Transient<IApiDescriptionProvider, ProblemDescriptions>());
        services.AddOpenApi(Document, options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            options.AddDocumentTransformer((document, _, _) => DescribeAsync(document));
            options.AddSchemaTransformer((schema, context, _) => OpenApiSchemas.CorrectAsync(schema, context));
            options.AddOperationTransformer((operation, context, _) => SecureAsync(operation, context));
        });
    }

    public static void MapOpenApiDocument(this IEndpointRouteBuilder app)
    {
        var provider = app.ServiceProvider.GetRequiredKeyedService<IOpenApiDocumentProvider>(Document);
        var made = new Lazy<Task<byte[]>>(() => MakeAsync(provider));
        app.MapGet($"/openapi/{Document}.json", async () => Results.Bytes(await made.Value, "application/json")).ExcludeFromDescription();
    }

    /// <summary>Once: the endpoints of a process do not change.</summary>
    private static async Task<byte[]> MakeAsync(IOpenApiDocumentProvider provider)
    {
        var document = await provider.GetOpenApiDocumentAsync(CancellationToken.None);
        return Encoding.UTF8.GetBytes(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, CancellationToken.None));
    }

    private static Task DescribeAsync(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "FlashSale",
            Version = typeof(OpenApiSetup).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0],
            Description = "Flash sales of coupons. Every error is a problem document (RFC 9457) whose `type` is a page that explains it.",
            License = new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
        };
        // Relative to where the document was found: a gateway stands in front.
        document.Servers = [];
        document.AddComponent<IOpenApiSecurityScheme>(Bearer, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            BearerFormat = "JWT",
            Description = "HS256; iss and aud are flashsale, sub is the user, role has viewer, operator, approver, risk, dealer or auditor.",
        });
        return Task.CompletedTask;
    }

    /// <summary>A session is asked for where the endpoint says so; the order path checks its own, to count what it refuses.</summary>
    private static Task SecureAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        var call = context.Description;
        if (call.ActionDescriptor.EndpointMetadata.OfType<SessionRequirement>().Any() || (call.HttpMethod == HttpMethods.Post && call.RelativePath?.Trim('/') == "api/v1/orders"))
        {
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] }];
        }

        return Task.CompletedTask;
    }
}
