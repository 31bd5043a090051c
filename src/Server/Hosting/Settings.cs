using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Risk;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Server.Edge;
using FlashSale.Server.Orders;
using FlashSale.Server.Risk;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Hosting;

/// <summary>What an instance does; any number of instances of each.</summary>
[Flags]
public enum InstanceRoles
{
    None = 0,
    Storefront = 1,
    Orders = 2,
    Risk = 4,
    Console = 8,
    Jobs = 16,
    All = Storefront | Orders | Risk | Console | Jobs,

    /// <summary>Stands in for the providers of risk signals; for demonstrations, and so not among all.</summary>
    RiskSandbox = 32,
}

/// <summary>Everything that can be set (docs/settings.md), read and checked once at the start.</summary>
public sealed record Settings
{
    /// <summary>Keys that stand in documents and examples; anybody could sign with them.</summary>
    private static readonly string[] KnownKeys =
    [
        "Zmxhc2hzYWxlLWRlbW8ta2V5LW5ldmVyLXVzZS1pbi1wcm9kdWN0aW9uIQ==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ];

    private const double TraceRatioDefault = 0.01;

    public required InstanceRoles Roles { get; init; }
    public required bool Demo { get; init; }
    public required DataDirectory Data { get; init; }
    public required StorageOptions Storage { get; init; }
    public required LedgerWriterOptions Writer { get; init; }
    public required byte[] AuthKey { get; init; }
    public required byte[] TokenKey { get; init; }
    public required IReadOnlyList<byte[]> PreviousTokenKeys { get; init; }
    public required TokenAges TokenAges { get; init; }

    /// <summary>Null: there is no sandbox payment provider.</summary>
    public required byte[]? SandboxSecret { get; init; }
    public required EdgeOptions Edge { get; init; }
    public required RiskOptions Risk { get; init; }
    public required bool FourEyes { get; init; }

    /// <summary>The only port of this instance on which the console and the calls of operators are answered; null: all of them.</summary>
    public required int? ConsolePort { get; init; }
    public required TelemetryOptions Telemetry { get; init; }

    /// <summary>For tests of instances whose machine has a wrong clock.</summary>
    public required TimeSpan ClockIsWrongBy { get; init; }

    /// <summary>What is in force, by key and without secrets, for people.</summary>
    public IReadOnlyList<SettingValue> InForce { get; private init; } = [];

    /// <summary>All settings, or every error.</summary>
    /// <param name="configuration">From all sources.</param>
    /// <param name="environment">Of the host.</param>
    /// <param name="lookOnly">Nothing is made or locked: another process may be running with the same settings.</param>
    public static (Settings? Settings, IReadOnlyList<string> Errors) Read(IConfiguration configuration, IHostEnvironment environment, bool lookOnly = false) =>
        Read(new SettingsReader(configuration), environment, lookOnly);

    internal static (Settings? Settings, IReadOnlyList<string> Errors) Read(SettingsReader reader, IHostEnvironment environment, bool lookOnly)
    {
        var demo = reader.Flag("FlashSale:Demo") ?? (environment.IsDevelopment() || !reader.AnyConfigured());
        var data = ReadData(reader, environment, lookOnly);
        CheckUrls(reader);
        var roles = ReadRoles(reader);
        var settings = new Settings
        {
            Roles = roles,
            Demo = demo,
            Data = data,
            Storage = ReadStorage(reader, data),
            Writer = new LedgerWriterOptions(BatchMax: reader.Number("FlashSale:Ledger:BatchMax", Limits.BatchMax, 1, Limits.BatchMax)),
            AuthKey = ReadKey(reader, "FlashSale:Auth:SigningKey", demo) ?? data.ReadOrCreateKey("auth"),
            TokenKey = ReadTokenKey(reader, data, demo),
            PreviousTokenKeys = ReadKey(reader, "FlashSale:Tokens:PreviousSigningKey", demo) is { } previous ? [previous] : [],
            TokenAges = ReadAges(reader),
            SandboxSecret = ReadKey(reader, "FlashSale:Payments:Sandbox:Secret", demo) ?? (demo ? data.ReadOrCreateKey("sandbox-payments") : null),
            Edge = new EdgeOptions(ReadProxies(reader), reader.Flag("FlashSale:Limits:Enabled") ?? true),
            Risk = ReadRisk(reader, environment),
            FourEyes = reader.Flag("FlashSale:Console:FourEyes") ?? false,
            ConsolePort = ReadConsolePort(reader),
            Telemetry = ReadTelemetry(reader, roles),
            ClockIsWrongBy = ReadClockIsWrongBy(reader, demo),
        };
        reader.FailOnUnknownKeys();
        return reader.Errors.Count == 0 ? (settings with { InForce = SettingsReference.Describe(reader, settings) }, []) : (null, reader.Errors);
    }

    /// <summary>The server reads them itself, but would end on a wrong one without a word about the other settings.</summary>
    private static void CheckUrls(SettingsReader reader)
    {
        const string Key = "Urls";
        foreach (var url in reader.Text(Key)?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [])
        {
            if (!IsUrl(url))
            {
                reader.Fail(Key, $"has '{url}'; it takes addresses such as http://localhost:5080, separated by semicolons");
            }
        }
    }

    private static int? ReadConsolePort(SettingsReader reader)
    {
        const string Key = "FlashSale:Console:Port";
        var port = reader.Number(Key, 0, 1, IPEndPoint.MaxPort);
        if (port == 0)
        {
            return null;
        }

        var ports = reader.Text("Urls")?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(IsUrl).Select(url => BindingAddress.Parse(url).Port) ?? [];
        if (!ports.Contains(port))
        {
            reader.Fail(Key, $"is {port}, where nothing listens; Urls must have an address with this port too");
        }

        return port;
    }

    private static bool IsUrl(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            return address.IsUnixPipe || (address.Scheme is "http" or "https" && address.Port is >= 0 and <= IPEndPoint.MaxPort);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static DataDirectory ReadData(SettingsReader reader, IHostEnvironment environment, bool lookOnly)
    {
        const string Key = "FlashSale:DataDirectory";
        var path = Path.GetFullPath(reader.Text(Key) ?? "data", environment.ContentRootPath);
        var data = new DataDirectory(path, lookOnly);
        if (data.Problem is { } problem)
        {
            reader.Fail(Key, problem);
        }

        return data;
    }

    private static InstanceRoles ReadRoles(SettingsReader reader)
    {
        const string Key = "FlashSale:Roles";
        var roles = InstanceRoles.None;
        foreach (var word in reader.List(Key))
        {
            if (word.Equals("risk-sandbox", StringComparison.OrdinalIgnoreCase))
            {
                roles |= InstanceRoles.RiskSandbox;
            }
            else if (Enum.TryParse<InstanceRoles>(word, ignoreCase: true, out var role) && char.IsAsciiLetter(word[0])
                && role is not (InstanceRoles.None or InstanceRoles.RiskSandbox))
            {
                roles |= role;
            }
            else
            {
                reader.Fail(Key, $"has '{word}'; it may have storefront, orders, risk, console, jobs, risk-sandbox");
            }
        }

        return roles == InstanceRoles.None ? InstanceRoles.All : roles;
    }

    private static byte[]? ReadKey(SettingsReader reader, string key, bool demo)
    {
        if (reader.Text(key) is not { } text)
        {
            return null;
        }

        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, bytes, out var length) || length < Limits.SigningKeyBytes)
        {
            reader.Fail(key, $"must be {Limits.SigningKeyBytes} bytes or more in base64; `openssl rand -base64 {Limits.SigningKeyBytes}` makes one");
        }
        else if (!demo && (KnownKeys.Contains(text) || bytes.AsSpan(1, length - 1).IndexOfAnyExcept(bytes[0]) < 0))
        {
            reader.Fail(key, $"is a key that everybody knows; `openssl rand -base64 {Limits.SigningKeyBytes}` makes one of your own");
        }

        return bytes[..Math.Max(length, 1)];
    }

    private static TokenAges ReadAges(SettingsReader reader)
    {
        const string MaximumKey = "FlashSale:Tokens:MaximumAge";
        var ages = new TokenAges(
            reader.Duration("FlashSale:Tokens:MinimumAge", Limits.TokenMinimumAge, TimeSpan.Zero, TimeSpan.FromMinutes(1)),
            reader.Duration(MaximumKey, Limits.TokenMaximumAge, TimeSpan.FromSeconds(2), Limits.TokenMaximumAgeMost));
        if (ages.Maximum <= ages.Minimum)
        {
            reader.Fail(MaximumKey, "must be longer than FlashSale__Tokens__MinimumAge");
        }

        return ages;
    }

    private static IReadOnlyList<IPNetwork> ReadProxies(SettingsReader reader)
    {
        const string Key = "FlashSale:TrustedProxies";
        List<IPNetwork> networks = [];
        foreach (var text in reader.List(Key))
        {
            if (IPAddress.TryParse(text, out var address))
            {
                networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            }
            else if (IPNetwork.TryParse(text, out var network))
            {
                networks.Add(network);
            }
            else
            {
                reader.Fail(Key, $"has '{text}'; it takes addresses and CIDR ranges such as 10.0.0.0/8, separated by commas");
            }
        }

        return networks;
    }

    private static StorageOptions ReadStorage(SettingsReader reader, DataDirectory data) => new(
        reader.Word("FlashSale:Ledger:Provider", "sqlite", "mysql") == "mysql" ? LedgerProvider.MySql : LedgerProvider.Sqlite,
        data.LedgerFile,
        ReadConnection(reader, "Ledger", "mysql", "Server=127.0.0.1;Port=3306;Database=flashsale;User ID=flashsale;Password=…"),
        reader.Word("FlashSale:Ledger:WritePattern", "log-first", "stock-first") == "log-first" ? WritePattern.LogFirst : WritePattern.StockFirst,
        reader.Word("FlashSale:Gate:Provider", "memory", "redis") == "redis" ? GateProvider.Redis : GateProvider.Memory,
        ReadConnection(reader, "Gate", "redis", "127.0.0.1:6379,password=…"),
        reader.Number("FlashSale:Gate:Shards", otherwise: 0, 1, Limits.GateShardsMax));

    private static string? ReadConnection(SettingsReader reader, string part, string provider, string example)
    {
        var key = $"ConnectionStrings:{part}";
        var connection = reader.Text(key);
        var wanted = reader.Text($"FlashSale:{part}:Provider")?.ToLowerInvariant() == provider;
        if (wanted && connection is null)
        {
            reader.Fail(key, $"must be set for FlashSale__{part}__Provider={provider}, such as {example}");
        }
        else if (!wanted && connection is not null)
        {
            reader.Fail(key, $"is set, and nothing uses it: set FlashSale__{part}__Provider={provider} too, or take it away");
        }

        return connection;
    }

    /// <summary>
    /// Instances that share a ledger must know each other's tokens. They share the key of the sessions; one for order tokens follows from that, unless it is set
    /// (HKDF, RFC 5869).
    /// </summary>
    private static byte[] ReadTokenKey(SettingsReader reader, DataDirectory data, bool demo)
    {
        if (ReadKey(reader, "FlashSale:Tokens:SigningKey", demo) is { } key)
        {
            return key;
        }

        if (reader.Text("FlashSale:Ledger:Provider")?.ToLowerInvariant() != "mysql")
        {
            return data.ReadOrCreateKey("order-tokens");
        }

        const string SessionKey = "FlashSale:Auth:SigningKey";
        if (reader.Text(SessionKey) is not { } auth)
        {
            if (!demo)
            {
                reader.Fail(SessionKey, $"must be set where instances share a ledger, the same for all; `openssl rand -base64 {Limits.SigningKeyBytes}` makes one");
            }

            return data.ReadOrCreateKey("order-tokens");
        }

        return HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.ASCII.GetBytes(auth), Limits.SigningKeyBytes, info: "flashsale order tokens"u8.ToArray());
    }

    private static TimeSpan ReadClockIsWrongBy(SettingsReader reader, bool demo)
    {
        const string Key = "FlashSale:ClockIsWrongBy";
        var hour = TimeSpan.FromHours(1);
        var wrong = reader.Duration(Key, TimeSpan.Zero, -hour, hour);
        if (wrong != TimeSpan.Zero && !demo)
        {
            reader.Fail(Key, "is for tests, and taken in the demo only");
        }

        return wrong;
    }

    private static TelemetryOptions ReadTelemetry(SettingsReader reader, InstanceRoles roles)
    {
        const string EndpointKey = "FlashSale:Telemetry:OtlpEndpoint";
        const string RatioKey = "FlashSale:Telemetry:TraceRatio";
        Uri? endpoint = null;
        if (reader.Text(EndpointKey) is { } url
            && (!Uri.TryCreate(url, UriKind.Absolute, out endpoint) || endpoint.Scheme is not ("http" or "https") || endpoint.UserInfo.Length > 0
                || endpoint.Query.Length > 0 || endpoint.Fragment.Length > 0))
        {
            reader.Fail(EndpointKey, "must be the address of a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318, without user, query or fragment");
        }

        var ratio = reader.Share(RatioKey, endpoint is null ? 0 : TraceRatioDefault);
        if (endpoint is null && ratio > 0)
        {
            reader.Fail(RatioKey, "is set, and nothing uses it: set FlashSale__Telemetry__OtlpEndpoint too, or take it away");
        }

        var words = string.Join(',', Enum.GetValues<InstanceRoles>().Where(role => BitOperations.IsPow2((int)role) && roles.HasFlag(role)));
        return new TelemetryOptions(
            reader.Flag("FlashSale:Telemetry:Enabled") ?? true,
            endpoint,
            ratio,
            reader.Word("FlashSale:Telemetry:LogFormat", "text", "json") == "json",
            words.ToLowerInvariant());
    }

    private static RiskOptions ReadRisk(SettingsReader reader, IHostEnvironment environment)
    {
        const string Key = "FlashSale:Risk:RulesFile";
        var file = reader.Text(Key) is { } path ? Path.GetFullPath(path, environment.ContentRootPath) : Path.Combine(AppContext.BaseDirectory, "risk-rules.json");
        RiskRules? rules = null;
        try
        {
            (rules, var errors) = RiskRules.Parse(File.ReadAllBytes(file));
            foreach (var error in errors)
            {
                reader.Fail(Key, $"{file}: {error}");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            reader.Fail(Key, $"cannot be read: {exception.Message}");
        }

        return new RiskOptions(
            rules!,
            ReadProvider(reader, "FlashSale:Risk:Profile:Url", "FlashSale:Risk:Profile:Key"),
            ReadProvider(reader, "FlashSale:Risk:Credit:Url", "FlashSale:Risk:Credit:Key"));
    }

    private static ProviderOptions? ReadProvider(SettingsReader reader, string urlKey, string keyKey)
    {
        var key = reader.Text(keyKey);
        if (key is not null && !key.All(c => c is > ' ' and <= '~'))
        {
            reader.Fail(keyKey, "must be printable ASCII without spaces: it is sent in a header");
        }

        if (reader.Text(urlKey) is not { } url)
        {
            if (key is not null)
            {
                reader.Fail(keyKey, $"is set, and nothing uses it: set {urlKey.Replace(":", "__", StringComparison.Ordinal)} too, or take it away");
            }

            return null;
        }

        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0
            || address.Query.Length > 0 || address.Fragment.Length > 0)
        {
            reader.Fail(urlKey, "must be an address such as https://credit.example/v1, without user, query or fragment; a key of its own is sent as bearer token");
            return null;
        }

        return new ProviderOptions(address, key);
    }
}
