using FlashSale.Server.Checkout;
using FlashSale.Server.Edge;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;
using FlashSale.Server.Orders;
using FlashSale.Server.Payments;
using FlashSale.Server.Reservations;
using FlashSale.Server.Storefront;

// Settings: read and checked before anything is started; wrong ones stop the start, all errors at once. `config` and `settings` only print them, `health` asks who runs.
var builder = ServerSetup.CreateBuilder(args);
var (settings, errors) = Settings.Read(builder.Configuration, builder.Environment, SettingsCommands.AreIn(args));
if (settings is null || SettingsCommands.AreIn(args))
{
    return await SettingsCommands.AnswerAsync(args, builder.Configuration, settings, errors);
}

// Services: storage, then the stages of a request, then the jobs of this instance's roles.
builder.AddKestrel();
if (await builder.AddStorageAsync(settings) is { Count: > 0 } problems)
{
    return ServerSetup.Refuse(problems);
}

builder.AddStages(settings);
builder.AddJobs(settings);

// Pipeline: outermost first.
var app = builder.Build();
app.UseTraces();
app.UseProblemPages();
app.UseMiddleware<ProblemMiddleware>();
app.UseEdge();
if (settings.Roles.HasFlag(InstanceRoles.Orders))
{
    app.UseOrderCalls();
}

app.UseForwardedScheme(settings.Edge.TrustedProxies);
app.UseSiteFiles();
app.UseRouting();
app.UseSessions();

// Endpoints: each stage maps its own; an instance maps those of its roles.
app.MapOwnState();
app.MapEdge();
app.MapSandboxes();
app.MapOpenApiDocument();
if (settings.Roles.HasFlag(InstanceRoles.Storefront))
{
    app.MapStorefront();
}

if (settings.Roles.HasFlag(InstanceRoles.Orders))
{
    app.MapReservations();
    app.MapOrderTokens();
    app.MapOrders();
    app.MapPayments();
    app.MapDealers();
}

if (settings.Roles.HasFlag(InstanceRoles.Console))
{
    app.MapOperators();
}

return await app.RunToEndAsync();
