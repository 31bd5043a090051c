using System.Net;
using System.Net.Sockets;

using FlashSale.Tests.Server;

using Xunit;

namespace FlashSale.Tests.Servers;

/// <summary>What a gateway is to stand in front of: ports of this machine for each role, and the keys.</summary>
public sealed record NginxSite
{
    public required IReadOnlyList<int> Orders { get; init; }
    public required IReadOnlyList<int> Storefront { get; init; }
    public required IReadOnlyList<int> Console { get; init; }

    /// <summary>Who is asked for the state of the sales.</summary>
    public required IReadOnlyList<int> State { get; init; }
    public string SessionKey { get; init; } = "";
    public IReadOnlyList<string> TokenKeys { get; init; } = [];

    /// <summary>The <c>data/site</c> of an instance, whose pages are then served from disk; null: nobody's.</summary>
    public string? Published { get; init; }

    /// <summary>One process with all roles.</summary>
    public static NginxSite Of(int port) => new() { Orders = [port], Storefront = [port], Console = [port], State = [port] };
}

/// <summary>
/// The gateway in a real nginx on a free port of this machine: <c>deploy/nginx</c> as it is, copied and with a <c>site.conf</c> of the test's own, in a temporary
/// folder.
/// </summary>
public sealed class Nginx : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly NginxSite site;
    private LocalProcess? process;

    private Nginx(NginxSite site)
    {
        this.site = site;
        Port = LocalProcess.FreePort();
    }

    public int Port { get; }

    public Uri Address => new($"http://127.0.0.1:{Port}");

    public string ErrorLog => File.ReadAllText(folder.File("error.log"));

    public string Conf => folder.File("conf/nginx.conf");

    public string Folder => folder.Path;

    public static async Task<Nginx> StartAsync(NginxSite site)
    {
        var nginx = new Nginx(site);
        try
        {
            nginx.WriteConf();
            nginx.process = new LocalProcess("nginx", "-p", nginx.Folder, "-c", nginx.Conf, "-g", "daemon off;");
            await Eventually.HoldsAsync(nginx.AnswersAsync, "nginx answers");
            return nginx;
        }
        catch (Exception exception)
        {
            var said = $"{nginx.process?.LastLine}\n{(File.Exists(nginx.folder.File("error.log")) ? nginx.ErrorLog : "")}";
            await nginx.DisposeAsync();
            throw new InvalidOperationException($"nginx does not start: {said}", exception);
        }
    }

    /// <summary>As an operator does after a change of site.conf.</summary>
    public void Reload()
    {
        using var kill = System.Diagnostics.Process.Start("kill", ["-HUP", $"{process!.Id}"]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        await (process?.DisposeAsync() ?? ValueTask.CompletedTask);
        folder.Dispose();
    }

    private void WriteConf()
    {
        var source = Path.Combine(Repository.Root, "deploy", "nginx");
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder.File("conf"), Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var text = File.ReadAllText(folder.File("conf/site.conf"));
        text = Upstream(text, "orders", site.Orders);
        text = Upstream(text, "storefront", site.Storefront);
        text = Upstream(text, "console", site.Console);
        text = Replace(text, "state = { \"127.0.0.1:5080\" }", $"state = {{ {string.Join(", ", site.State.Select(port => $"\"127.0.0.1:{port}\""))} }}");
        text = Replace(text, "session_key = \"\"", $"session_key = \"{site.SessionKey}\"");
        text = Replace(text, "token_keys = {}", $"token_keys = {{ {string.Join(", ", site.TokenKeys.Select(key => $"\"{key}\""))} }}");
        if (site.Published is { } published)
        {
            text = Replace(text, "# set $published /var/lib/flashsale/data/site;", $"set $published {published};");
        }

        text = Replace(text, "listen 8080", $"listen 127.0.0.1:{Port}");
        File.WriteAllText(folder.File("conf/site.conf"), text);
    }

    private static string Upstream(string text, string name, IReadOnlyList<int> ports)
    {
        const string Server = "    server 127.0.0.1:5080";
        var at = text.IndexOf($"upstream {name} {{", StringComparison.Ordinal);
        at = text.IndexOf(Server, at, StringComparison.Ordinal);
        var end = text.IndexOf('\n', at);
        var line = text[at..end];
        return text[..at] + string.Join('\n', ports.Select(port => line.Replace("5080", $"{port}", StringComparison.Ordinal))) + text[end..];
    }

    private static string Replace(string text, string what, string by)
    {
        Assert.Contains(what, text, StringComparison.Ordinal);
        return text.Replace(what, by, StringComparison.Ordinal);
    }

    private async Task<bool> AnswersAsync()
    {
        if (process!.HasExited)
        {
            throw new InvalidOperationException("It has ended.");
        }

        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
