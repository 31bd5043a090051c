using FlashSale.Core.Wire;
using FlashSale.Server.Http;

using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace FlashSale.Server.Hosting;

/// <summary>
/// The body of a call, for the OpenAPI document alone: it names no content types, so routing does not answer 415 before anybody asked who is calling. The
/// endpoint reads the body itself, after its session was checked.
/// </summary>
public sealed record TakesJson(Type RequestType, bool IsOptional) : IAcceptsMetadata
{
    public IReadOnlyList<string> ContentTypes => [];
}

public static class OpenApiMetadata
{
    public static RouteHandlerBuilder TakesJson<TBody>(this RouteHandlerBuilder builder, bool optional = false) =>
        builder.WithMetadata(new TakesJson(typeof(TBody), optional));
}

/// <summary>Adds what holds for every call to what its endpoint says: errors are problem documents, and a session or a body can be refused.</summary>
public sealed class ProblemDescriptions : IApiDescriptionProvider
{
    public int Order => 0;

    public void OnProvidersExecuting(ApiDescriptionProviderContext context)
    {
        // Endpoints are described by then, when the providers are asked the second time.
    }

    public void OnProvidersExecuted(ApiDescriptionProviderContext context)
    {
        foreach (var call in context.Results)
        {
            var responses = call.SupportedResponseTypes;
            int[] refusals = [.. responses.Select(response => response.StatusCode).Where(status => status >= StatusCodes.Status400BadRequest).Concat(General(call)).Distinct()];
            foreach (var refused in responses.Where(response => refusals.Contains(response.StatusCode)).ToArray())
            {
                responses.Remove(refused);
            }

            foreach (var status in refusals.Order())
            {
                responses.Add(Problem(status));
            }

            responses.Add(Problem(status: 0));
        }
    }

    private static IEnumerable<int> General(ApiDescription call)
    {
        if (call.ActionDescriptor.EndpointMetadata.OfType<SessionRequirement>().LastOrDefault() is { } requirement)
        {
            yield return StatusCodes.Status401Unauthorized;
            if (requirement.AnyOf != Roles.None)
            {
                yield return StatusCodes.Status403Forbidden;
            }
        }

        if (call.ParameterDescriptions.Any(parameter => parameter.Source == BindingSource.Body))
        {
            yield return StatusCodes.Status400BadRequest;
            yield return StatusCodes.Status413PayloadTooLarge;
            yield return StatusCodes.Status415UnsupportedMediaType;
        }
    }

    /// <param name="status">0: any other.</param>
    private static ApiResponseType Problem(int status) => new()
    {
        StatusCode = status,
        IsDefaultResponse = status == 0,
        Description = status == 0 ? "Any other problem" : null,
        Type = typeof(ProblemDocument),
        ApiResponseFormats = [new ApiResponseFormat { MediaType = "application/problem+json" }],
    };
}
