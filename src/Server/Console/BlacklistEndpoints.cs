using FlashSale.Core.Wire;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;

namespace FlashSale.Server.Console;

/// <summary>
/// Users, devices and address ranges that may not take part in any sale. Every user id is a user's, also <c>devices</c> and <c>addresses</c>: the paths of those
/// have one segment more.
/// </summary>
public static class BlacklistEndpoints
{
    public static void MapBlacklist(this IEndpointRouteBuilder group)
    {
        MapUsers(group.MapGroup("/blacklist/{userId}"));
        MapDevices(group.MapGroup("/blacklist/devices/{device}"));
        MapAddresses(group.MapGroup("/blacklist/addresses/{address}"));
        MapRanges(group.MapGroup("/blacklist/addresses/{address}/{prefix}"));
        group.MapGet("/blacklist", (string? kind, string? cursor, HttpContext context, BlacklistDesk desk) => desk.ListAsync(kind, cursor, context))
            .RequireRole(ConsoleRequests.RiskReaders)
            .WithSummary("The blacklist: users, then devices, then address ranges, or one of them")
            .Produces<Page<BlacklistEntry>>()
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapGet("/blacklist-entries", (HttpContext context, BlacklistDesk desk) => desk.ExportAsync(context))
            .RequireRole(ConsoleRequests.RiskReaders)
            .WithSummary("The whole blacklist, one JSON document a line")
            .Produces<BlacklistEntry>(StatusCodes.Status200OK, JsonLines.MediaType);
        group.MapPost("/blacklist-entries", (HttpContext context, BlacklistImport import) => import.RunAsync(context))
            .RequireRole(ConsoleRequests.RiskDeciders)
            .WithSummary("Add entries to the blacklist, one JSON document a line as in the export: all of them or none")
            .Produces<BlacklistImportDocument>()
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }

    private static void MapUsers(RouteGroupBuilder entry)
    {
        entry.MapGet("", (string userId, HttpContext context, BlacklistDesk desk) => desk.FindAsync(BlacklistSubject.User(userId), context))
            .Reads("A user's entry in the blacklist").Produces<BlacklistDocument>();
        entry.MapPut("", (string userId, HttpContext context, BlacklistDesk desk) => desk.PutAsync(BlacklistSubject.User(userId), context))
            .Bars("Bar a user from every sale").Produces<BlacklistDocument>();
        entry.MapDelete("", (string userId, string? reason, HttpContext context, BlacklistDesk desk) => desk.LiftAsync(BlacklistSubject.User(userId), reason, context))
            .Lifts("Let a user take part again");
    }

    private static void MapDevices(RouteGroupBuilder entry)
    {
        entry.MapGet("", (string device, HttpContext context, BlacklistDesk desk) => desk.FindAsync(BlacklistSubject.Device(device), context))
            .Reads("A device's entry in the blacklist").Produces<BlacklistEntry>();
        entry.MapPut("", (string device, HttpContext context, BlacklistDesk desk) => desk.PutAsync(BlacklistSubject.Device(device), context))
            .Bars("Bar a device from every sale").Produces<BlacklistEntry>();
        entry.MapDelete("", (string device, string? reason, HttpContext context, BlacklistDesk desk) => desk.LiftAsync(BlacklistSubject.Device(device), reason, context))
            .Lifts("Let a device take part again");
    }

    private static void MapAddresses(RouteGroupBuilder entry)
    {
        entry.MapGet("", (string address, HttpContext context, BlacklistDesk desk) => desk.FindAsync(BlacklistSubject.Address(address), context))
            .Reads("An address's own entry in the blacklist").Produces<BlacklistEntry>();
        entry.MapPut("", (string address, HttpContext context, BlacklistDesk desk) => desk.PutAsync(BlacklistSubject.Address(address), context))
            .Bars("Bar an address from every sale").Produces<BlacklistEntry>();
        entry.MapDelete("", (string address, string? reason, HttpContext context, BlacklistDesk desk) => desk.LiftAsync(BlacklistSubject.Address(address), reason, context))
            .Lifts("Let an address take part again");
    }

    private static void MapRanges(RouteGroupBuilder entry)
    {
        entry.MapGet("", (string address, string prefix, HttpContext context, BlacklistDesk desk) => desk.FindAsync(BlacklistSubject.Address($"{address}/{prefix}"), context))
            .Reads("The entry of a range of addresses in the blacklist").Produces<BlacklistEntry>();
        entry.MapPut("", (string address, string prefix, HttpContext context, BlacklistDesk desk) => desk.PutAsync(BlacklistSubject.Address($"{address}/{prefix}"), context))
            .Bars("Bar a range of addresses from every sale").Produces<BlacklistEntry>();
        entry.MapDelete("", (string address, string prefix, string? reason, HttpContext context, BlacklistDesk desk) =>
                desk.LiftAsync(BlacklistSubject.Address($"{address}/{prefix}"), reason, context))
            .Lifts("Let a range of addresses take part again");
    }

    private static RouteHandlerBuilder Reads(this RouteHandlerBuilder call, string summary) =>
        call.RequireRole(ConsoleRequests.RiskReaders).WithSummary(summary).ProducesProblem(StatusCodes.Status404NotFound);

    private static RouteHandlerBuilder Bars(this RouteHandlerBuilder call, string summary) =>
        call.RequireRole(ConsoleRequests.RiskDeciders).WithSummary(summary).TakesJson<BlacklistRequest>()
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    private static RouteHandlerBuilder Lifts(this RouteHandlerBuilder call, string summary) =>
        call.RequireRole(ConsoleRequests.RiskDeciders).WithSummary(summary).Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
}
