using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

using FlashSale.Storage.MySql;

namespace FlashSale.Bench;

/// <summary>A mariadbd or redis-server of the benchmark's own, on a free port of the loopback, with its data in a folder that goes with it.</summary>
public sealed class StoreServer : IAsyncDisposable
{
    private const string Password = "bench";
    private static readonly string[] Folders = ["/usr/sbin", "/usr/bin", "/usr/local/bin"];
    private readonly string data = BenchSale.NewDirectory();
    private readonly int port = ServerProcess.FreePort();
    private Process? process;
    private int databases;

    /// <summary>For <c>ConnectionStrings__Gate</c>.</summary>
    public string Redis => $"127.0.0.1:{port}";

    /// <summary>Durable commits, no binlog, a buffer for everything: what is measured is the ledger, not a small memory.</summary>
    public static async Task<StoreServer> StartMariaDbAsync()
    {
        var server = new StoreServer();
        string[] user = Environment.UserName == "root" ? ["--user=root"] : [];
        using (var install = Run("mariadb-install-db", [
            "--no-defaults", $"--datadir={server.data}/db", $"--tmpdir={server.data}", "--auth-root-authentication-method=normal", "--skip-test-db", .. user]))
        {
            await install.StandardOutput.ReadToEndAsync();
            await install.WaitForExitAsync();
        }

        server.process = Run("mariadbd", [
            "--no-defaults", $"--datadir={server.data}/db", $"--tmpdir={server.data}", $"--socket={server.data}/socket", $"--port={server.port}", "--bind-address=127.0.0.1", "--skip-log-bin",
            "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=1", "--innodb-rollback-on-timeout=ON", "--innodb-buffer-pool-size=4G",
            "--innodb-log-file-size=2G", "--max-connections=500", $"--log-error={server.data}/log", .. user]);
        await server.WaitAsync(() => server.ExecuteAsync(null, $"CREATE USER bench@'%' IDENTIFIED BY '{Password}'; GRANT ALL ON *.* TO bench@'%'", "root", ""));
        return server;
    }

    public static async Task<StoreServer> StartRedisAsync()
    {
        var server = new StoreServer();
        server.process = Run("redis-server", ["--port", $"{server.port}", "--bind", "127.0.0.1", "--dir", server.data, "--save", "", "--loglevel", "warning"]);
        await server.WaitAsync(async () =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, server.port);
        });
        return server;
    }

    /// <summary>For <c>ConnectionStrings__Ledger</c>: an empty database.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"bench_{++databases}";
        await ExecuteAsync(null, $"CREATE DATABASE {name}");
        return ConnectionString(name, "bench", Password);
    }

    /// <summary>Of the whole server since its start.</summary>
    public async Task<long> ReadStatusAsync(string name)
    {
        await using var connection = await OpenAsync(null, "bench", Password);
        await using var command = connection.CreateCommand();
        command.CommandText = $"SHOW GLOBAL STATUS LIKE '{name}'";
        await using var row = await command.ExecuteReaderAsync();
        return await row.ReadAsync() ? long.Parse(row.GetString(1), CultureInfo.InvariantCulture) : 0;
    }

    public Task ExecuteAsync(string? connectionString, string sql) => ExecuteAsync(connectionString, sql, "bench", Password);

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process?.Dispose();
        Directory.Delete(data, recursive: true);
    }

    private async Task ExecuteAsync(string? connectionString, string sql, string user, string password)
    {
        await using var connection = await OpenAsync(connectionString, user, password);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 600;
        await command.ExecuteNonQueryAsync();
    }

    private async Task<DbConnection> OpenAsync(string? connectionString, string user, string password)
    {
        var connection = MySqlDriver.Create(new MySqlTarget(connectionString ?? ConnectionString("mysql", user, password), "", "", Encrypted: false));
        await connection.OpenAsync();
        return connection;
    }

    private string ConnectionString(string database, string user, string password) =>
        $"Server=127.0.0.1;Port={port};Database={database};User ID={user};Password={password};SslMode=Disabled;Pooling=false";

    private static async Task WaitAsync(Func<Task> reached, int attempts)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await reached();
                return;
            }
            catch (Exception exception) when (attempt < attempts && exception is DbException or SocketException)
            {
                await Task.Delay(100);
            }
        }
    }

    private Task WaitAsync(Func<Task> reached) => WaitAsync(reached, attempts: 300);

    private static Process Run(string program, string[] arguments)
    {
        var path = Folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"{program} is not installed: ./test.sh installs what tests and benchmarks need.");
        var started = Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        started.ErrorDataReceived += (_, _) => { };
        started.BeginErrorReadLine();
        return started;
    }
}
