using System.Data.Common;
using System.Diagnostics;

using FlashSale.Storage.MySql;

using Xunit;

namespace FlashSale.Tests.Servers;

/// <summary>A MariaDB of the tests' own, on a free port of the loopback, in a folder that goes with it.</summary>
public sealed class MariaDb : IAsyncDisposable
{
    public const string User = "flashsale";
    public const string Password = "a'b\"c;d=1";

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    /// <summary>What the ledger asks for, and little memory.</summary>
    private static readonly string[] Settings =
    [
        "innodb-flush-log-at-trx-commit=1", "innodb-rollback-on-timeout=ON", "skip-log-bin", "skip-name-resolve", "bind-address=127.0.0.1",
        "innodb-buffer-pool-size=128M", "innodb-log-file-size=64M", "max-connections=500", "performance-schema=OFF", "open-files-limit=8192", "table-open-cache=1000",
    ];

    private readonly TemporaryFolder folder = new();
    private readonly List<string> settings;
    private Process? process;
    private int databases;

    private MariaDb(string[] extra)
    {
        settings = [.. Settings, .. extra];
        // Also when the tests are stopped half-way.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => process?.Kill();
    }

    public int Port { get; } = LocalProcess.FreePort();

    public int ProcessId => process!.Id;

    public string File(string name) => folder.File(name);

    /// <param name="extra">Options of the server, as in its settings file; the last of the same name counts.</param>
    public static async Task<MariaDb> StartAsync(params string[] extra)
    {
        var server = new MariaDb(extra);
        try
        {
            await server.InstallAsync();
            await server.StartAgainAsync();
            await server.AsRootAsync($"CREATE USER '{User}'@'%' IDENTIFIED BY '{Password.Replace("'", "''")}'; GRANT ALL ON *.* TO '{User}'@'%'");
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>How the ledger's user reaches a database; its own settings stand behind <paramref name="more"/>.</summary>
    public string ConnectionString(string database, string more = "") =>
        $"Server=127.0.0.1;Port={Port};Database={database};User ID={User};Password=\"{Password.Replace("\"", "\"\"")}\";{more}";

    /// <summary>An empty database of its own.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test_{Interlocked.Increment(ref databases)}";
        await AsRootAsync($"CREATE DATABASE {name}");
        return name;
    }

    public async Task AsRootAsync(string sql)
    {
        await using var connection = await RootAsync();
        await connection.RunAsync(sql);
    }

    public async Task<DbConnection> RootAsync(string more = "")
    {
        var connection = Connect($"Server=127.0.0.1;Port={Port};User ID=root;Pooling=false;SslMode=Disabled;{more}");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Another client, with the driver's own defaults.</summary>
    public async Task<DbConnection> ConnectAsync(string database, string more = "")
    {
        var connection = Connect(ConnectionString(database, "Pooling=false;" + more));
        await connection.OpenAsync();
        return connection;
    }

    private static DbConnection Connect(string connectionString) => MySqlDriver.Create(new MySqlTarget(connectionString, "", "", Encrypted: false));

    /// <summary>As a power cut would leave the server, apart from what the kernel holds.</summary>
    public async Task KillAsync()
    {
        process!.Kill();
        await process.WaitForExitAsync();
    }

    public async Task StartAgainAsync()
    {
        process = Process.Start(new ProcessStartInfo(Find("mariadbd"), [
            "--no-defaults", $"--datadir={folder.File("data")}", TemporaryFiles(), $"--socket={folder.File("socket")}", $"--port={Port}", $"--log-error={folder.File("log")}",
            $"--pid-file={folder.File("pid")}", .. RunAs(), .. settings.Select(setting => "--" + setting),
        ]))!;
        var waiting = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            if (process.HasExited || waiting.Elapsed > StartPatience)
            {
                throw new InvalidOperationException("mariadbd did not start: " + await System.IO.File.ReadAllTextAsync(folder.File("log")));
            }

            await Task.Delay(50);
        }
    }

    /// <summary>The server stands still, and its connections with it.</summary>
    public void Freeze() => Signal("-STOP");

    public void Thaw() => Signal("-CONT");

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await KillAsync();
        }

        folder.Dispose();
    }

    /// <summary>A server that starts clears away what it takes for its own: in a folder that several use, that of the others.</summary>
    private string TemporaryFiles() => $"--tmpdir={Directory.CreateDirectory(folder.File("tmp")).FullName}";

    private static string Find(string program) =>
        new[] { "/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin" }.Select(path => Path.Combine(path, program)).First(System.IO.File.Exists);

    private static string[] RunAs() => Environment.UserName == "root" ? ["--user=root"] : [];

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [signal, ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private async Task InstallAsync()
    {
        using var install = Process.Start(new ProcessStartInfo(
            Find("mariadb-install-db"),
            [
                "--no-defaults", $"--datadir={folder.File("data")}", TemporaryFiles(), "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=64M",
                .. RunAs(),
            ])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        var output = await install.StandardOutput.ReadToEndAsync();
        await install.WaitForExitAsync();
        if (install.ExitCode != 0)
        {
            throw new InvalidOperationException("mariadb-install-db failed: " + output);
        }
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await AsRootAsync("SELECT 1");
            return true;
        }
        catch (DbException)
        {
            return false;
        }
    }
}

/// <summary>The MariaDB that tests share: started by the first that asks, a database each.</summary>
public sealed class MariaDbForAll : IAsyncDisposable
{
    private readonly Lazy<Task<MariaDb>> server = new(() => MariaDb.StartAsync());

    public Task<MariaDb> StartedAsync() => server.Value;

    public async ValueTask DisposeAsync()
    {
        if (server.IsValueCreated && server.Value.IsCompletedSuccessfully)
        {
            await (await server.Value).DisposeAsync();
        }
    }
}

internal static class MariaDbCommands
{
    /// <returns>How many rows, as the driver counts them.</returns>
    public static async Task<int> RunAsync(this DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteNonQueryAsync();
    }

    public static async Task<T> ReadAsync<T>(this DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (T)Convert.ChangeType(await command.ExecuteScalarAsync(), typeof(T), System.Globalization.CultureInfo.InvariantCulture)!;
    }
}
