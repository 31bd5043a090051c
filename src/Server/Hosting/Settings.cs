using System.Net;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Tokens;
using FlashSale.Server.Edge;
using FlashSale.Server.Orders;

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
}

/// <summary>Everything that can be set (docs/operations.md), read and checked once at the start.</summary>
public sealed record Settings
{
    /// <summary>Keys that stand in documents and examples; anybody could sign with them.</summary>
    private static readonly string[] KnownKeys =
    [
        "Zmxhc2hzYWxlLWRlbW8ta2V5LW5ldmVyLXVzZS1pbi1wcm9kdWN0aW9uIQ==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ];

    public required InstanceRoles Roles { get; init; }
    public required bool Demo { get; init; }
    public required DataDirectory Data { get; init; }
    public required WritePattern WritePattern { get; init; }
    public required LedgerWriterOptions Writer { get; init; }
    public required byte[] AuthKey { get; init; }
    public required byte[] TokenKey { get; init; }
    public required IReadOnlyList<byte[]> PreviousTokenKeys { get; init; }
    public required TokenAges TokenAges { get; init; }

    /// <summary>Null: there is no sandbox payment provider.</summary>
    public required byte[]? SandboxSecret { get; init; }
    public required EdgeOptions Edge { get; init; }
    public required bool FourEyes { get; init; }

    /// <summary>All settings, or every error.</summary>
    public static (Settings? Settings, IReadOnlyList<string> Errors) Read(IConfiguration configuration, IHostEnvironment environment)
    {
        var reader = new SettingsReader(configuration);
        var demo = reader.Flag("FlashSale:Demo") ?? (environment.IsDevelopment() || !reader.AnyConfigured());
        var data = ReadData(reader, environment);
        CheckUrls(reader);
        RefuseWhatIsNotBuilt(reader);
        var settings = new Settings
        {
            Roles = ReadRoles(reader),
            Demo = demo,
            Data = data,
            WritePattern = reader.Word("FlashSale:Ledger:WritePattern", "log-first", "stock-first") == "log-first" ? WritePattern.LogFirst : WritePattern.StockFirst,
            Writer = new LedgerWriterOptions(BatchMax: reader.Number("FlashSale:Ledger:BatchMax", Limits.BatchMax, 1, Limits.BatchMax)),
            AuthKey = ReadKey(reader, "FlashSale:Auth:SigningKey", demo) ?? data.ReadOrCreateKey("auth"),
            TokenKey = ReadKey(reader, "FlashSale:Tokens:SigningKey", demo) ?? data.ReadOrCreateKey("order-tokens"),
            PreviousTokenKeys = ReadKey(reader, "FlashSale:Tokens:PreviousSigningKey", demo) is { } previous ? [previous] : [],
            TokenAges = ReadAges(reader),
            SandboxSecret = ReadKey(reader, "FlashSale:Payments:Sandbox:Secret", demo) ?? (demo ? data.ReadOrCreateKey("sandbox-payments") : null),
            Edge = new EdgeOptions(ReadProxies(reader), reader.Flag("FlashSale:Limits:Enabled") ?? true),
            FourEyes = reader.Flag("FlashSale:Console:FourEyes") ?? false,
        };
        reader.FailOnUnknownKeys();
        return reader.Errors.Count == 0 ? (settings, []) : (null, reader.Errors);
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

    private static DataDirectory ReadData(SettingsReader reader, IHostEnvironment environment)
    {
        const string Key = "FlashSale:DataDirectory";
        var path = Path.GetFullPath(reader.Text(Key) ?? "data", environment.ContentRootPath);
        var data = new DataDirectory(path);
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
            if (Enum.TryParse<InstanceRoles>(word, ignoreCase: true, out var role) && char.IsAsciiLetter(word[0]) && role != InstanceRoles.None)
            {
                roles |= role;
            }
            else
            {
                reader.Fail(Key, $"has '{word}'; it may have storefront, orders, risk, console, jobs");
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

    /// <summary>Settings of the contract whose part is not in this version: to ignore them would be to promise what is not kept.</summary>
    private static void RefuseWhatIsNotBuilt(SettingsReader reader)
    {
        if (reader.Text("FlashSale:Ledger:Provider") is { } ledger && ledger != "sqlite")
        {
            reader.Fail("FlashSale:Ledger:Provider", "must be sqlite; this version has no other ledger");
        }

        if (reader.Text("FlashSale:Gate:Provider") is { } gate && gate != "memory")
        {
            reader.Fail("FlashSale:Gate:Provider", "must be memory; this version has no other gate");
        }

        foreach (var key in (ReadOnlySpan<string>)["FlashSale:Risk:Credit:Url", "FlashSale:Risk:Profile:Url"])
        {
            if (reader.Text(key) is not null)
            {
                reader.Fail(key, "cannot be used yet: this version has no risk providers, and would let everybody pass");
            }
        }
    }
}
