using FlashSale.Core.Wire;
using FlashSale.Server.Http;

namespace FlashSale.Server.Hosting;

public static class SettingsEndpoint
{
    /// <summary>On every instance, whatever its roles: each has settings of its own.</summary>
    public static void MapSettings(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/v1/admin/settings", (HttpContext context, Settings settings) => context.WriteDocumentAsync(
                StatusCodes.Status200OK, new SettingsDocument(settings.InForce), WireJson.Default.SettingsDocument))
            .WithTags("Operators")
            .WithSummary("The settings of the instance that answers, without secrets")
            .Produces<SettingsDocument>()
            .RequireRole(Roles.Operator | Roles.Auditor);
}
