namespace FlashSale.Server.Hosting;

/// <summary>
/// The body of a call, for the OpenAPI document alone. <c>Accepts</c> would also let routing answer 415 before anybody asked who is calling; here the
/// endpoint reads the body itself, after its session was checked.
/// </summary>
public sealed record OpenApiBody(Type Type);

public static class OpenApiBodyExtensions
{
    public static RouteHandlerBuilder TakesJson<TBody>(this RouteHandlerBuilder builder) => builder.WithMetadata(new OpenApiBody(typeof(TBody)));
}
