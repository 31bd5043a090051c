using System.Diagnostics;
using System.Net.Sockets;

namespace FlashSale.Bench;

/// <summary>The gateway as <c>deploy/nginx</c> has it, in front of one server with all roles; and in the same nginx a port that answers <c>return 200</c>.</summary>
public sealed class NginxProcess : IAsyncDisposable
{
    private readonly string folder = BenchSale.NewDirectory();
    private readonly int port = ServerProcess.FreePort();
    private readonly int fixedPort = ServerProcess.FreePort();
    private readonly int filesPort = ServerProcess.FreePort();
    private Process? process;

    private const UnixFileMode ReadableByAll =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    public Uri Url => new($"http://127.0.0.1:{port}");

    /// <summary>Answers everything at once with a few bytes.</summary>
    public Uri FixedUrl => new($"http://127.0.0.1:{fixedPort}");

    /// <summary>Serves the files of <see cref="Files"/> from disk, as packed with Brotli.</summary>
    public Uri FilesUrl => new($"http://127.0.0.1:{filesPort}");

    public string Files => Path.Combine(folder, "files");

    /// <returns>Null where nginx, or its configuration, is not installed.</returns>
    public static async Task<NginxProcess?> StartAsync(Uri application, BenchKeys keys)
    {
        if (FindConfiguration() is not { } source || !File.Exists("/usr/sbin/nginx"))
        {
            return null;
        }

        var nginx = new NginxProcess();
        nginx.Write(source, application, keys);
        nginx.process = Process.Start(new ProcessStartInfo("/usr/sbin/nginx", ["-p", nginx.folder, "-c", $"{nginx.folder}/conf/nginx.conf", "-g", "daemon off;"]) { UseShellExecute = false })!;
        foreach (var wanted in (int[])[nginx.port, nginx.fixedPort, nginx.filesPort])
        {
            await nginx.WaitAsync(wanted);
        }

        // Four times a second it asks for the state of the sales.
        await Task.Delay(TimeSpan.FromSeconds(1));
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        // SIGTERM to the master ends the workers too; a master that is killed leaves them.
        using var kill = Process.Start("kill", ["-TERM", $"{process!.Id}"]);
        await kill.WaitForExitAsync();
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static string? FindConfiguration() => new[] { AppContext.BaseDirectory, Environment.CurrentDirectory }
        .SelectMany(Parents)
        .Select(directory => Path.Combine(directory, "deploy", "nginx"))
        .FirstOrDefault(path => File.Exists(Path.Combine(path, "nginx.conf")));

    private static IEnumerable<string> Parents(string path)
    {
        for (var directory = new DirectoryInfo(path); directory is not null; directory = directory.Parent)
        {
            yield return directory.FullName;
        }
    }

    private void Write(string source, Uri application, BenchKeys keys)
    {
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder, "conf", Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var site = Path.Combine(folder, "conf", "site.conf");
        var text = File.ReadAllText(site)
            .Replace("127.0.0.1:5080", application.Authority, StringComparison.Ordinal)
            .Replace("session_key = \"\"", $"session_key = \"{keys.AuthText}\"", StringComparison.Ordinal)
            .Replace("token_keys = {}", $"token_keys = {{ \"{keys.TokensText}\" }}", StringComparison.Ordinal)
            .Replace("listen 8080", $"listen 127.0.0.1:{port}", StringComparison.Ordinal);
        File.WriteAllText(site, text + $"\nserver {{ listen 127.0.0.1:{fixedPort} backlog=4096; location / {{ return 200 \"{new string('x', 120)}\"; }} }}\n");
        // The workers are nobody in particular.
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Directory.CreateDirectory(Files).Parent!.FullName, ReadableByAll);
        }

        File.AppendAllText(site, $"server {{ listen 127.0.0.1:{filesPort} backlog=4096; root {Files}; gzip off; default_type text/html; add_header Content-Encoding br; }}\n");
    }

    private async Task WaitAsync(int wanted)
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync("127.0.0.1", wanted);
                return;
            }
            catch (SocketException) when (!process!.HasExited)
            {
                await Task.Delay(100);
            }
        }

        throw new InvalidOperationException("nginx did not start.");
    }
}
