using System.Net.Sockets;

using FlashSale.Core;
using FlashSale.Core.Challenges;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Server.Checkout;
using FlashSale.Server.Console;
using FlashSale.Server.Edge;
using FlashSale.Server.Http;
using FlashSale.Server.Jobs;
using FlashSale.Server.Orders;
using FlashSale.Server.Payments;
using FlashSale.Server.Reservations;
using FlashSale.Server.Risk;
using FlashSale.Server.Storefront;
using FlashSale.Server.Storefront.Publishing;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Configuration.Memory;

namespace FlashSale.Server.Hosting;

/// <summary>What the lines of <c>Program.cs</c> do.</summary>
public static class ServerSetup
{
    private static readonly Dictionary<string, string?> Defaults = new()
    {
        ["urls"] = "http://localhost:5080",
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        // It writes nothing above Information, but makes an activity and a scope for each request as long as it is on.
        ["Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics"] = "None",
    };

    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            // Settings are read once; to watch for changes would watch every file below the working directory.
            Args = ["--hostBuilder:reloadConfigOnChange=false", .. args],
            // Beside the program, wherever it was started from.
            WebRootPath = Path.Combine(AppContext.BaseDirectory, "wwwroot"),
        });
        // In front of every other source, so that each of them may say otherwise.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = Defaults });

        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(20));
        return builder;
    }

    /// <summary>Says what is wrong, on the error stream, and gives the exit code.</summary>
    public static int Refuse(IReadOnlyList<string> errors)
    {
        System.Console.Error.WriteLine("FlashSale cannot start:");
        foreach (var error in errors)
        {
            System.Console.Error.WriteLine("  - " + error);
        }

        return 1;
    }

    /// <summary>Runs until it is asked to stop. An address that cannot be had is a setting to correct, not a crash.</summary>
    public static async Task<int> RunToEndAsync(this WebApplication app)
    {
        var urls = app.Configuration["urls"];
        try
        {
            await app.RunAsync();
            return 0;
        }
        catch (Exception exception) when (exception is SocketException or IOException { InnerException: AddressInUseException })
        {
            return Refuse([$"Urls is {urls}, where this process cannot listen: {exception.Message}"]);
        }
    }

    /// <summary>Limits of the protocol: what a client may send, and how slowly.</summary>
    public static void AddKestrel(this WebApplicationBuilder builder) => builder.WebHost.ConfigureKestrel(options =>
    {
        options.AddServerHeader = false;
        options.Limits.MaxRequestBodySize = Limits.BodyBytesRead;
        options.Limits.MaxRequestHeadersTotalSize = Limits.HeaderBytes;
        options.Limits.MaxConcurrentConnections = Limits.Connections;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
    });

    /// <summary>Opens ledger and gate. Empty, or why they cannot be opened.</summary>
    public static async Task<IReadOnlyList<string>> AddStorageAsync(this WebApplicationBuilder builder, Settings settings)
    {
        var clock = new LedgerClock(settings.ClockIsWrongBy);
        List<string> problems = [];
        ILedger? ledger = null;
        IGate? gate = null;
        IUserLimit? userLimit = null;
        try
        {
            ledger = await StorageSetup.OpenLedgerAsync(settings.Storage, CancellationToken.None);
            await clock.AdjustAsync(ledger, CancellationToken.None);
        }
        catch (LedgerUnavailableException exception)
        {
            problems.Add(exception.Message);
        }

        try
        {
            gate = await StorageSetup.OpenGateAsync(settings.Storage, clock, CancellationToken.None);
            userLimit = await StorageSetup.OpenUserLimitAsync(settings.Storage, clock, CancellationToken.None);
        }
        catch (GateUnavailableException exception)
        {
            problems.Add(exception.Message);
        }

        if (ledger is null || gate is null || userLimit is null)
        {
            await (ledger?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (gate?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (userLimit?.DisposeAsync() ?? ValueTask.CompletedTask);
            return problems;
        }

        var services = builder.Services;
        services.AddSingleton(_ => ledger);
        services.AddSingleton(_ => gate);
        services.AddSingleton(settings);
        services.AddSingleton(clock);
        services.AddSingleton<TimeProvider>(clock);
        services.AddSingleton<Breakers>();
        services.AddSingleton<EligibilityCheck>();
        services.AddSingleton<SaleCatalog>();
        services.AddSingleton<OriginBlacklist>();
        services.AddSingleton<KnownOrders>();
        services.AddSingleton(_ => userLimit);
        services.AddSingleton<Settlements>();
        services.AddSingleton<WarmUp>();
        return [];
    }

    public static void AddStages(this WebApplicationBuilder builder, Settings settings)
    {
        var services = builder.Services;
        services.AddEdge(settings.Edge);
        services.AddTelemetry(settings.Telemetry);
        services.AddSingleton<ConductLog>();
        services.AddSingleton<SaleMetrics>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<Books>();
        services.AddSingleton(provider => new LiveBoard { Self = provider.GetRequiredService<Instance>().Id });
        services.AddSingleton(provider => new Sessions(settings.AuthKey, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(settings.TokenAges);
        services.AddSingleton(new OrderTokens(settings.TokenKey, settings.PreviousTokenKeys, settings.TokenAges));
        services.AddSingleton(new Stamps(settings.TokenKey, settings.PreviousTokenKeys));
        services.AddSingleton<Devices>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<BarredOrigins>(provider, settings.Edge.TrustedProxies));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<Callers>(provider, settings.Edge.TrustedProxies));
        services.AddSingleton<ChallengeStamps>();
        services.AddSingleton<RecentFaults>();
        services.AddSingleton(_ => new SeenAccounts());
        services.AddSingleton<CallerChecks>();
        services.AddSingleton(new CheckoutOptions(settings.Edge.LimitsEnabled));
        services.AddSingleton<OrderSubmissions>();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton(settings.Risk);
        services.AddSingleton(settings.Risk.Rules);
        services.AddSingleton<AssessmentNews>();
        services.AddSingleton<RiskMetrics>();
        services.AddSingleton(new ReservationOptions(settings.Risk.Rules, settings.Roles.HasFlag(InstanceRoles.Risk) && !settings.Risk.AsksProviders));
        services.AddSingleton<ReservationDesk>();
        services.AddSingleton(settings.Writer);
        services.AddSingleton<LedgerWriter>();
        services.AddHostedService(provider => provider.GetRequiredService<LedgerWriter>());
        services.AddSingleton<Admission>();
        services.AddSingleton<DrawRoom>();
        services.AddSingleton<PlaceOrder>();
        services.AddSingleton<CancelOrder>();
        services.AddSingleton<ExtendOrder>();
        services.AddSingleton<PaymentDesk>();
        services.AddConsole();
        services.AddOpenApiDocument();
        services.AddStorefront();
        services.AddSingleton<SalePreview>();
        if (settings.SandboxSecret is { } secret)
        {
            services.AddSingleton(new SandboxProvider(secret));
            services.AddSingleton<SandboxCallbacks>();
        }
    }

    /// <summary>What stands in for a provider, where that role was asked for.</summary>
    public static void MapSandboxes(this WebApplication app)
    {
        if (app.Services.GetRequiredService<Settings>().Roles.HasFlag(InstanceRoles.RiskSandbox))
        {
            RiskSandbox.Map(app);
        }
    }

    /// <summary>
    /// What an instance says of itself, whatever its roles: to probes, to those who collect metrics, and to operators, who are answered nowhere else where they have a port of
    /// their own.
    /// </summary>
    public static void MapOwnState(this WebApplication app)
    {
        app.MapHealth();
        app.MapMetrics();
        if (app.Services.GetRequiredService<Settings>().ConsolePort is { } port)
        {
            app.Use((context, next) => context.Connection.LocalPort != port && IsForOperators(context.Request.Path) ? context.WriteProblemAsync(ProblemCode.NotFound) : next(context));
        }

        app.MapSettings();
        app.MapLoad();
        app.MapSiteStatus();
        app.MapReadiness();
    }

    public static void MapOperators(this WebApplication app)
    {
        app.MapConsole();
        app.MapSite();
    }

    private static bool IsForOperators(PathString path) =>
        path.StartsWithSegments("/console", StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments("/api/v1/admin", StringComparison.OrdinalIgnoreCase);

    /// <summary>Every instance keeps its own memory fresh; the role <c>jobs</c> does what is done once for all.</summary>
    public static void AddJobs(this WebApplicationBuilder builder, Settings settings)
    {
        var services = builder.Services;
        services.AddHostedService<Drain>();
        services.AddHostedService<SystemdNotice>();
        services.AddHostedService<CatalogJob>();
        services.AddHostedService<SettleJob>();
        services.AddHostedService<LedgerCheckJob>();
        services.AddHostedService<ConductJob>();
        services.AddSingleton(Instance.Create());
        services.AddHostedService<InstanceReportJob>();
        if (settings.Roles.HasFlag(InstanceRoles.Console))
        {
            services.AddHostedService<LiveBoardJob>();
        }

        if ((settings.Roles & (InstanceRoles.Storefront | InstanceRoles.Console)) != InstanceRoles.None)
        {
            services.AddHostedService<SiteFollower>();
        }

        if (settings.Roles.HasFlag(InstanceRoles.Storefront))
        {
            services.AddHostedService<SitePublisher>();
            services.AddHostedService<SiteDiskJob>();
        }

        if (settings.Storage.Gate != GateProvider.Memory)
        {
            services.AddHostedService<KnownOrdersJob>();
        }

        if (settings.Roles.HasFlag(InstanceRoles.Risk))
        {
            services.AddSingleton<RiskProviders>();
            services.AddHostedService<AssessmentWorker>();
            services.AddHostedService<AssessmentCountJob>();
        }

        if (settings.Roles.HasFlag(InstanceRoles.Jobs))
        {
            services.AddHostedService<ForgetJob>();
            services.AddHostedService<ReconciliationJob>();
            if (settings.Storage.Gate != GateProvider.Memory)
            {
                services.AddHostedService<WarmUpJob>();
            }

            services.AddHostedService<ExpiryJob>();
            services.AddHostedService<BlacklistJob>();
            if (settings.Demo)
            {
                services.AddHostedService<DemoJob>();
            }
        }
    }
}
