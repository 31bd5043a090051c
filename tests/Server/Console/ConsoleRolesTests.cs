using FlashSale.Core.Risk;
using FlashSale.Server.Console;
using FlashSale.Server.Console.Pages;
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
    public void MapConsole_ForEveryCallAndPage_AsksForARole()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddConsole();
        builder.Services.AddSingleton(TimeProvider.System);
        // Named, so that the endpoints know them for services; none is ever made.
        foreach (var service in (Type[])[typeof(ILedger), typeof(IGate), typeof(SaleCatalog), typeof(Settlements), typeof(WarmUp), typeof(Settings), typeof(Readiness), typeof(LedgerClock), typeof(Breakers), typeof(Books), typeof(RiskRules), typeof(AssessmentNews), typeof(LiveBoard)])
        {
            builder.Services.AddSingleton(service, _ => throw new InvalidOperationException("Not in this test."));
        }

        using var app = builder.Build();
        app.MapConsole();

        var endpoints = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Cast<RouteEndpoint>().ToList();

        var calls = endpoints.Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/api/v1/admin/", StringComparison.Ordinal)).ToList();
        Assert.True(calls.Count >= 23, $"Only {calls.Count} calls.");
        Assert.All(calls, call => Assert.NotEqual(Roles.None, call.Metadata.GetMetadata<SessionRequirement>()!.AnyOf));
        Assert.All(
            calls.Where(Acts),
            call => Assert.True(call.Metadata.GetMetadata<SessionRequirement>()!.AnyOf is Roles.Operator or (Roles.Operator | Roles.Approver) or (Roles.Operator | Roles.Risk)));
        AssertPages([.. endpoints.Except(calls)]);
    }

    /// <summary>Style and script are for everybody, and so is the way in and out; everything else asks for a role, and what acts for one that may act.</summary>
    private static void AssertPages(IReadOnlyList<RouteEndpoint> pages)
    {
        Assert.True(pages.Count >= 40, $"Only {pages.Count} pages.");
        Assert.All(pages, page => Assert.StartsWith("/console", page.RoutePattern.RawText));
        Assert.All(pages.Where(page => !IsOpen(page)), page => Assert.NotEqual(Roles.None, page.Metadata.GetMetadata<PageAccess>()!.AnyOf));
        Assert.All(
            pages.Where(page => Acts(page) && !IsOpen(page)),
            page => Assert.Equal(Roles.None, page.Metadata.GetMetadata<PageAccess>()!.AnyOf & (Roles.Viewer | Roles.Auditor | Roles.Dealer)));
    }

    private static bool IsOpen(RouteEndpoint page) =>
        page.RoutePattern.RawText!.Split('/') is [.., "sign-in" or "sign-out"] or ["", "console", "assets", _];

    private static bool Acts(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0] != "GET";
}
