using FlashSale.Core.Risk;
using FlashSale.Server.Console;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

using Xunit;

namespace FlashSale.Tests.Server.Console;

public sealed class ConsoleRolesTests
{
    [Fact]
    public void MapConsole_ForEveryEndpoint_AsksForARole()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddConsole();
        builder.Services.AddSingleton(TimeProvider.System);
        // Named, so that the endpoints know them for services; none is ever made.
        foreach (var service in (Type[])[typeof(ILedger), typeof(IGate), typeof(SaleCatalog), typeof(Settlements), typeof(WarmUp), typeof(Settings), typeof(Readiness), typeof(LedgerClock), typeof(Breakers), typeof(Books), typeof(RiskRules), typeof(AssessmentNews)])
        {
            builder.Services.AddSingleton(service, _ => throw new InvalidOperationException("Not in this test."));
        }

        using var app = builder.Build();
        app.MapConsole();

        var endpoints = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Cast<RouteEndpoint>().ToList();

        Assert.True(endpoints.Count >= 23, $"Only {endpoints.Count} endpoints.");
        Assert.All(endpoints, endpoint =>
        {
            Assert.StartsWith("/api/v1/admin/", endpoint.RoutePattern.RawText);
            Assert.NotEqual(Roles.None, endpoint.Metadata.GetMetadata<SessionRequirement>()!.AnyOf);
        });
        Assert.All(
            endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0] != "GET"),
            endpoint => Assert.True(endpoint.Metadata.GetMetadata<SessionRequirement>()!.AnyOf is Roles.Operator or (Roles.Operator | Roles.Approver) or (Roles.Operator | Roles.Risk)));
    }
}
