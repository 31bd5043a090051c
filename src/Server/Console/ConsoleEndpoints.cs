using FlashSale.Server.Console.Pages;
using FlashSale.Server.Http;

namespace FlashSale.Server.Console;

/// <summary>What operators, approvers and auditors do (api.md, Operators and Export).</summary>
public static class ConsoleEndpoints
{
    public static void AddConsole(this IServiceCollection services)
    {
        services.AddSingleton<SaleDesk>();
        services.AddSingleton<SaleHistory>();
        services.AddSingleton<OrderDesk>();
        services.AddSingleton<FourEyes>();
        services.AddSingleton<SaleControl>();
        services.AddSingleton<StockDesk>();
        services.AddSingleton<GateComparison>();
        services.AddSingleton<SaleReadiness>();
        services.AddSingleton<Reconciliation>();
        services.AddSingleton<AssessmentDesk>();
        services.AddSingleton<BlacklistDesk>();
        services.AddSingleton<BlacklistImport>();
        services.AddSingleton<ConsoleFiles>();
        services.AddSingleton<SaleReport>();
    }

    public static void MapConsole(this IEndpointRouteBuilder app)
    {
        // The role of an endpoint that names none.
        var group = app.MapGroup("/api/v1/admin").RequireRole(Roles.Operator).WithTags("Operators");
        group.MapSales();
        group.MapSaleActions();
        group.MapStock();
        group.MapBlacklist();
        group.MapLimits();
        group.MapOrderDesk();
        group.MapAudit();
        group.MapChecks();
        group.MapAssessments();
        group.MapRisk();
        group.MapLive();
        app.MapConsolePages();
    }
}
