using System.Diagnostics;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

using FlashSale.Tests.Servers;

using Xunit;

namespace FlashSale.Tests.Server;

/// <summary>
/// The real server, a process of its own on a free loopback port with a data directory of its own. It can be stopped, killed and started again on the same
/// data and port. Sessions are signed here, not by the server's own code. The demo is off unless its setting says otherwise; sandbox payments are on.
/// </summary>
public sealed partial class TestServer : IAsyncDisposable
{
    /// <summary>Instances of one shop have the same; a server that is given none has its own.</summary>
    public const string AuthKeySetting = "FlashSale__Auth__SigningKey";
    public const string SandboxSecretSetting = "FlashSale__Payments__Sandbox__Secret";

    /// <summary>The promise of api.md: SIGTERM ends the process within it.</summary>
    public static readonly TimeSpan StopMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(60);
    private const int SigTerm = 15;
    private const int SigKill = 9;
    private const int SigStop = 19;
    private const int SigContinue = 18;

    private readonly Dictionary<string, string> environment;
    private readonly byte[] authKey;
    private readonly StringBuilder log = new();
    private readonly List<HttpClient> clients = [];
    private Process? process;
    private string urls = $"http://127.0.0.1:{LocalProcess.FreePort()}";

    private TestServer(IReadOnlyDictionary<string, string> settings)
    {
        DataDirectory = Directory.CreateTempSubdirectory("flashsale-test-").FullName;
        environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            // The port is read from this line.
            ["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information",
            ["FlashSale__DataDirectory"] = DataDirectory,
            ["FlashSale__Demo"] = "false",
            [AuthKeySetting] = NewKey(),
            [SandboxSecretSetting] = NewKey(),
            ["FlashSale__Limits__Enabled"] = "false",
        };
        foreach (var (key, value) in settings)
        {
            environment[key] = value;
        }

        urls = settings.GetValueOrDefault("Urls", urls);
        authKey = Convert.FromBase64String(environment[AuthKeySetting]);
        SandboxSecret = Convert.FromBase64String(environment[SandboxSecretSetting]);
    }

    /// <summary>Base64, as <c>--auth-key</c> takes it.</summary>
    public string AuthKey => Convert.ToBase64String(authKey);

    /// <summary>Signs the callbacks of the sandbox payment provider.</summary>
    public byte[] SandboxSecret { get; }

    public string DataDirectory { get; }

    public bool IsRunning => process is { HasExited: false };

    public int ProcessId => process!.Id;

    /// <summary>The same after a restart.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>What the process wrote so far, both streams.</summary>
    public string Log
    {
        get
        {
            lock (log)
            {
                return log.ToString();
            }
        }
    }

    /// <param name="settings">By their names in the environment, such as <c>FlashSale__Demo</c>; they win over the ones of this class.</param>
    /// <returns>A server that says it is ready.</returns>
    public static async Task<TestServer> StartAsync(params IReadOnlyList<(string Key, string Value)> settings)
    {
        var server = new TestServer(settings.ToDictionary(setting => setting.Key, setting => setting.Value));
        try
        {
            await server.StartProcessAsync();
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }

        return server;
    }

    /// <summary>A client without a session.</summary>
    public HttpClient Anonymous() => Client(null);

    public HttpClient SignedIn(string userId, params IReadOnlyList<string> roles) => Client(CreateSession(userId, roles));

    public HttpClient Operator(string userId = "olga") => SignedIn(userId, "operator");

    /// <summary>A session token, signed here (RFC 7515, appendix A.1).</summary>
    public string CreateSession(string userId, params IReadOnlyList<string> roles)
    {
        var head = Base64Url("""{"alg":"HS256","typ":"JWT"}"""u8);
        var expires = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds();
        var claims = JsonSerializer.SerializeToUtf8Bytes(new { iss = "flashsale", aud = "flashsale", sub = userId, exp = expires, role = roles });
        var signed = $"{head}.{Base64Url(claims)}";
        return $"{signed}.{Base64Url(HMACSHA256.HashData(authKey, Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>Asks the process to end, and holds it to its promise: exit code 0 in time.</summary>
    public async Task StopAsync()
    {
        Signal(SigTerm);
        using var patience = new CancellationTokenSource(StopMax);
        try
        {
            await process!.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The server did not stop within {StopMax}.\n{Log}");
        }

        Assert.True(process.ExitCode == 0, $"The server stopped with exit code {process.ExitCode}.\n{Log}");
    }

    /// <summary><c>kill -9</c>.</summary>
    public async Task KillAsync()
    {
        Signal(SigKill);
        await process!.WaitForExitAsync();
    }

    /// <summary>The process stands still, with all its connections, until <see cref="Thaw"/>.</summary>
    public void Freeze() => Signal(SigStop);

    public void Thaw() => Signal(SigContinue);

    /// <summary>Starts again after <see cref="StopAsync"/> or <see cref="KillAsync"/>: the same data, port and settings.</summary>
    public Task RestartAsync() => StartProcessAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients)
        {
            client.Dispose();
        }

        if (process is { HasExited: false })
        {
            await KillAsync();
        }

        process?.Dispose();
        Directory.Delete(DataDirectory, recursive: true);
    }

    private HttpClient Client(string? session)
    {
        var client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(30) };
        if (session is not null)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", session);
        }

        lock (clients)
        {
            clients.Add(client);
        }

        return client;
    }

    private async Task StartProcessAsync()
    {
        var start = new ProcessStartInfo("dotnet", [ServerFile(), "--urls", urls])
        {
            WorkingDirectory = DataDirectory,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        process?.Dispose();
        process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Note(line.Data, listening);
        process.ErrorDataReceived += (_, line) => Note(line.Data, listening);
        process.Exited += (_, _) => listening.TrySetException(new InvalidOperationException("The server ended while it started."));
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            urls = await listening.Task.WaitAsync(StartMax);
            Address = new Uri(urls);
            await WaitUntilReadyAsync();
        }
        catch (Exception exception) when (exception is InvalidOperationException or TimeoutException)
        {
            throw new InvalidOperationException($"The server did not start: {exception.Message}\n{Log}", exception);
        }
    }

    private async Task WaitUntilReadyAsync()
    {
        using var client = new HttpClient { BaseAddress = Address };
        var since = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(since) < StartMax)
        {
            using var answer = await client.GetAsync(new Uri("/healthz/ready", UriKind.Relative));
            if (answer.IsSuccessStatusCode)
            {
                return;
            }

            await Task.Delay(20);
        }

        throw new TimeoutException("It is not ready in time.");
    }

    private void Note(string? line, TaskCompletionSource<string> listening)
    {
        if (line is null)
        {
            return;
        }

        lock (log)
        {
            log.AppendLine(line);
        }

        if (ListeningLine().Match(line) is { Success: true } match)
        {
            listening.TrySetResult(match.Groups[1].Value);
        }
    }

    private void Signal(int signal)
    {
        if (process is null || NativeMethods.Kill(process.Id, signal) != 0)
        {
            throw new InvalidOperationException("The server does not run.");
        }
    }

    /// <summary>The server in its own output folder, where its pages and native libraries stand beside it, built in the same configuration as the tests.</summary>
    private static string ServerFile()
    {
        var tests = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(tests.Parent!.Parent!.FullName, "Server", tests.Name, "FlashSale.Server.dll");
    }

    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private static string Base64Url(ReadOnlySpan<byte> bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    [GeneratedRegex(@"Now listening on: (http://[\w.:\[\]]+)", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex ListeningLine();

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Kill(int pid, int signal);
    }
}
