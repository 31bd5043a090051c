using System.Data.Common;
using System.Security.Cryptography;
using System.Text;

using FlashSale.Core.Wire;

using Microsoft.Extensions.Hosting.Internal;

namespace FlashSale.Server.Hosting;

/// <summary>What each setting means, for the reference (docs/settings.md); and what is in force, without secrets. Defaults and bounds are those that are really read.</summary>
internal static class SettingsReference
{
    private const string Hidden = "***";

    /// <summary>A setting with such a name is never shown, whoever adds it.</summary>
    private static readonly string[] SecretEndings = ["Key", "Secret", "Password", "Token", "Headers"];

    /// <summary>In the order of the reference. The default stands here where it is no plain value.</summary>
    private static readonly (string Key, string? Default, string Meaning)[] Entries =
    [
        ("Urls", "http://localhost:5080", "where to listen; also `ASPNETCORE_URLS`. Several, separated by semicolons"),
        ("FlashSale:Roles", "all but `risk-sandbox`", "any of `storefront`, `orders`, `risk`, `console`, `jobs`, separated by commas; and `risk-sandbox`, which is not among all ([risk.md](risk.md))"),
        ("FlashSale:Demo", "true in Development, or when nothing at all is configured", "demo sales, demo sign-in, sandbox payments. Never in production: anybody signs in as anybody"),
        ("FlashSale:DataDirectory", "data", "relative to the content root: SQLite file, generated keys, published pages. One process at a time"),
        ("FlashSale:Ledger:Provider", null, "`sqlite`: a file in the data directory, for one instance. `mysql`: MySQL or MariaDB, for any number of them ([production.md](production.md))"),
        ("ConnectionStrings:Ledger", "none", "for `mysql`: `Server=…;Port=3306;Database=flashsale;User ID=…;Password=…;SslMode=Required`"),
        ("FlashSale:Ledger:WritePattern", null, "`log-first` writes rows of the change log before the hot stock row, `stock-first` after it"),
        ("FlashSale:Ledger:BatchMax", null, "orders in one transaction. 1 turns batching off, for comparison"),
        ("FlashSale:Gate:Provider", null, "`memory`: each instance has its own. `redis`: one for all instances (single server, Sentinel or Cluster)"),
        ("ConnectionStrings:Gate", "none", "for `redis`, as one string: `10.0.0.1:6379,10.0.0.2:6379,password=…`; Sentinel with `serviceName=…`"),
        ("FlashSale:Gate:Shards", "8 in a Cluster, else 1", "slices of a sale in Redis, the same on every instance"),
        ("FlashSale:Auth:SigningKey", "generated", "HS256 key of session tokens: 32 bytes or more in base64 (`openssl rand -base64 32`). With `mysql` it must be set, the same on every instance"),
        ("FlashSale:Tokens:SigningKey", "generated", "key of order tokens, likewise. With `mysql` it follows from the key of the session tokens unless it is set"),
        ("FlashSale:Tokens:PreviousSigningKey", "none", "still accepted, never used to sign; set it while a key is changed, remove it ten minutes later ([operations.md](operations.md#changing-the-key-of-order-tokens))"),
        ("FlashSale:Tokens:MinimumAge", null, "an order token that is younger is refused"),
        ("FlashSale:Tokens:MaximumAge", null, "and one that is older; longer than the minimum"),
        ("FlashSale:TrustedProxies", "none", "addresses or CIDR ranges, separated by commas, whose `X-Forwarded-For` (its last entry that is not one of them counts), `X-Forwarded-Proto` and `X-Deadline-Ms` are believed"),
        ("FlashSale:Payments:Sandbox:Secret", "generated in Demo, else none", "base64; without Demo and without it there is no payment provider"),
        ("FlashSale:Limits:Enabled", "true", "false switches the rate limits off"),
        ("FlashSale:Console:Port", "all", "the only port on which `/console` and `/api/v1/admin` are answered; `Urls` has an address with it too, such as `http://0.0.0.0:5080;http://10.0.0.1:5081`"),
        ("FlashSale:Console:FourEyes", "false", "publication by a second person with the role `approver`"),
        ("FlashSale:Telemetry:Enabled", "true", "false: no metrics (`/metrics` is 404) and no traces"),
        ("FlashSale:Telemetry:OtlpEndpoint", "none", "a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`: [metrics and traces](metrics.md) are pushed to it every 10 s and 2 s"),
        ("FlashSale:Telemetry:TraceRatio", "0.01 with a collector, else 0", "the share of the API's requests, and of assessments, that are traced"),
        ("FlashSale:Telemetry:LogFormat", null, "`json`: one object a line"),
        ("FlashSale:ClockIsWrongBy", null, "for tests, in Demo only: takes the machine's clock as wrong by so much. Every instance corrects its clock by the ledger's"),
        ("FlashSale:Risk:RulesFile", "`risk-rules.json` beside the program", "[rules](risk.md#rules) of the assessment, relative to the content root; read at the start. `deploy/risk/strict.json` is a stricter set"),
        ("FlashSale:Risk:Profile:Url", "none", "[provider](risk.md#providers) of risk signals: `https://…`, without user, query or fragment. Without one its inputs are absent"),
        ("FlashSale:Risk:Profile:Key", "none", "sent to it as bearer token"),
        ("FlashSale:Risk:Credit:Url", "none", "likewise"),
        ("FlashSale:Risk:Credit:Key", "none", "likewise"),
    ];

    /// <summary>The page docs/settings.md.</summary>
    public static string Markdown()
    {
        var reader = new SettingsReader(new ConfigurationBuilder().Build());
        Settings.Read(reader, new HostingEnvironment { EnvironmentName = Environments.Production, ContentRootPath = AppContext.BaseDirectory }, lookOnly: true);
        var page = new StringBuilder("""
            # Settings

            Made by `dotnet FlashSale.Server.dll settings`; do not edit. Keys as in the environment; in `appsettings.json` they are nested at each `__`, on the command line `--FlashSale:Roles=orders`. Durations as `hh:mm:ss`. What is wrong stops the start, with every error listed.

            | key | default | takes | meaning |
            |---|---|---|---|

            """);
        foreach (var key in reader.Known.Keys.Where(key => !Entries.Any(entry => entry.Key.Equals(key, StringComparison.OrdinalIgnoreCase))))
        {
            throw new InvalidOperationException($"{key} is read, and its meaning does not stand in {nameof(SettingsReference)}.");
        }

        foreach (var (key, text, meaning) in Entries)
        {
            var shape = reader.Known.TryGetValue(key, out var read) ? read : throw new InvalidOperationException($"{key} is explained, and never read.");
            var secret = IsSecret(key) ? " **Secret.**" : "";
            page.Append($"| `{Name(key)}` | {text ?? $"`{shape.Default}`"} | {shape.Bounds ?? "text"} | {meaning}.{secret} |\n");
        }

        return page.ToString();
    }

    /// <summary>Every setting with its value.</summary>
    public static IReadOnlyList<SettingValue> Describe(SettingsReader reader, Settings settings) =>
        [.. reader.Known.ToArray().Select(one => new SettingValue(Name(one.Key), Value(one.Key, one.Value, reader.Text(one.Key), settings), reader.Text(one.Key) is not null)).OrderBy(one => one.Key, StringComparer.Ordinal)];

    private static string Value(string key, SettingShape shape, string? text, Settings settings) => key switch
    {
        "FlashSale:Roles" => Words(settings.Roles),
        "FlashSale:Demo" => settings.Demo ? "true" : "false",
        "FlashSale:DataDirectory" => settings.Data.Folder,
        "FlashSale:Auth:SigningKey" => Redact(settings.AuthKey, settings),
        "FlashSale:Tokens:SigningKey" => Redact(settings.TokenKey, settings),
        "FlashSale:Tokens:PreviousSigningKey" when settings.PreviousTokenKeys is [var previous, ..] => Redact(previous, settings),
        "FlashSale:Payments:Sandbox:Secret" => settings.SandboxSecret is { } secret ? Redact(secret, settings) : "none",
        "ConnectionStrings:Ledger" when text is not null => WithoutPassword(text, settings),
        "ConnectionStrings:Gate" when text is not null => string.Join(',', text.Split(',').Select(part => WithoutSecret(part, settings))),
        _ when text is null => shape.Default ?? Entries.FirstOrDefault(entry => entry.Key.Equals(key, StringComparison.OrdinalIgnoreCase)).Default?.Replace("`", "", StringComparison.Ordinal) ?? "none",
        _ => IsSecret(key) ? Redact(Encoding.UTF8.GetBytes(text), settings) : text,
    };

    private static string Name(string key) => key.Replace(":", "__", StringComparison.Ordinal);

    private static bool IsSecret(string key) => SecretEndings.Any(ending => key.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    private static string Words(InstanceRoles roles) => string.Join(',', Enum.GetValues<InstanceRoles>()
        .Where(role => role is not (InstanceRoles.None or InstanceRoles.All) && roles.HasFlag(role))
        .Select(role => role == InstanceRoles.RiskSandbox ? "risk-sandbox" : role.ToString().ToLowerInvariant()));

    /// <summary>
    /// Its fingerprint is the same on every instance with the same key of sessions, and of no use to whoever has not got that: a plain hash would let anybody try
    /// passwords against it.
    /// </summary>
    private static string Redact(ReadOnlySpan<byte> secret, Settings settings)
    {
        const int Digits = 8;
        return settings.AuthKey.Length == 0 || secret.Length == 0
            ? Hidden
            : $"{Hidden} ({Convert.ToHexStringLower(HMACSHA256.HashData(settings.AuthKey, (byte[])[.. "fingerprint of a setting: "u8, .. secret]))[..Digits]})";
    }

    private static string WithoutPassword(string connection, Settings settings)
    {
        try
        {
            var parts = new DbConnectionStringBuilder { ConnectionString = connection };
            return string.Join(';', parts.Keys.Cast<string>().Select(key => WithoutSecret($"{key}={parts[key]}", settings)));
        }
        catch (ArgumentException)
        {
            // It cannot be taken apart, so nobody knows where its password is.
            return Hidden;
        }
    }

    private static string WithoutSecret(string part, Settings settings)
    {
        var at = part.IndexOf('=', StringComparison.Ordinal);
        var name = at < 0 ? "" : part[..at].Trim();
        return name.Contains("password", StringComparison.OrdinalIgnoreCase) || name.Equals("pwd", StringComparison.OrdinalIgnoreCase)
            ? $"{name}={Redact(Encoding.UTF8.GetBytes(part[(at + 1)..]), settings)}"
            : part;
    }
}
