using System.Net.Sockets;
using System.Text;

using FlashSale.Tests.Server;

namespace FlashSale.Tests.Servers;

/// <summary>A real redis-server on a free port of this machine, with its data in a temporary folder.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly TemporaryFolder folder = new();
    private readonly string[] settings;
    private LocalProcess? process;

    private RedisServer(int port, string[] settings)
    {
        Port = port;
        this.settings = settings;
    }

    public int Port { get; }
    public string Address => $"127.0.0.1:{Port}";
    public string Folder => folder.Path;
    public LocalProcess Process => process ?? throw new InvalidOperationException("It is not running.");

    /// <param name="settings">As on its command line, for instance <c>--maxmemory 10mb</c>, each word by itself.</param>
    public static async Task<RedisServer> StartAsync(params string[] settings)
    {
        var server = new RedisServer(LocalProcess.FreePort(), settings);
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>On the same port and folder.</summary>
    public async Task StartAgainAsync()
    {
        process = new LocalProcess(
            "redis-server",
            ["--port", $"{Port}", "--bind", "127.0.0.1", "--dir", folder.Path, "--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning", .. settings]);
        await AnswersAsync();
    }

    public Task KillAsync() => Process.KillAsync();

    public Task FlushAsync() => CommandAsync("FLUSHALL");

    /// <summary>Its one replica has all that it was told: WAIT would only ask for what came on the same connection.</summary>
    public Task ReplicatedAsync() => Eventually.HoldsAsync(
        async () =>
        {
            var info = (await CommandAsync("INFO", "replication")).Split("\r\n");
            var offset = info.First(line => line.StartsWith("master_repl_offset:", StringComparison.Ordinal)).Split(':')[1];
            return info.Any(line => line.StartsWith("slave0:", StringComparison.Ordinal) && line.Contains($"offset={offset},"));
        },
        "the replica has caught up");

    /// <summary>One command, as redis-cli would send it; errors come back as text that begins with '-'.</summary>
    public Task<string> CommandAsync(params string[] words) => CommandAsync(Port, words);

    public static async Task<string> CommandAsync(int port, params string[] words)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        await using var stream = client.GetStream();
        var request = new StringBuilder($"*{words.Length}\r\n");
        foreach (var word in words)
        {
            request.Append($"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes(request.ToString()));
        return await ReadReplyAsync(new StreamReader(stream, Encoding.Latin1));
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            await process.DisposeAsync();
        }

        folder.Dispose();
    }

    /// <summary>Elements of an array come back one a line.</summary>
    private static async Task<string> ReadReplyAsync(StreamReader reader)
    {
        var line = await reader.ReadLineAsync() ?? "";
        switch (line.Length > 0 ? line[0] : ' ')
        {
            case '$' when int.Parse(line[1..]) is var length and >= 0:
                var text = new char[length + 2];
                await reader.ReadBlockAsync(text);
                return new string(text, 0, length);
            case '*':
                List<string> items = [];
                for (var i = int.Parse(line[1..]); i > 0; i--)
                {
                    items.Add(await ReadReplyAsync(reader));
                }

                return string.Join('\n', items);
            case '-':
                return line;
            default:
                return line.Length > 1 ? line[1..] : "";
        }
    }

    private async Task AnswersAsync()
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                if (!(await CommandAsync("PING")).StartsWith("-LOADING", StringComparison.Ordinal))
                {
                    return;
                }
            }
            catch (SocketException) when (!Process.HasExited && TimeProvider.System.GetElapsedTime(since) < Patience)
            {
                // Not listening yet.
            }

            await Task.Delay(10);
        }
    }
}
