using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace FlashSale.Tests.Servers;

/// <summary>A server of a test's own on this machine; it does not outlive the test run, whether that disposes of it or not.</summary>
public sealed class LocalProcess : IAsyncDisposable
{
    // Browsers do not open 10080 (Fetch, "bad ports"), and nothing above it is on their list.
    private const int FirstPort = 10_100;
    private const int LastPort = 32_000;

    // Another run of the tests on the same machine begins elsewhere.
    private static int ports = Environment.ProcessId * 97 % (LastPort - FirstPort);

    private readonly Process process;

    public LocalProcess(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        process = Process.Start(start) ?? throw new InvalidOperationException($"{program} does not start.");

        AppDomain.CurrentDomain.ProcessExit += KillAtExit;

        // Read, so that it never waits for a full pipe; kept short.
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => process.Id;
    public bool HasExited => process.HasExited;
    public string LastLine { get; private set; } = "";

    /// <summary>
    /// A port that no other test is given and that the system gives to nobody (Linux hands out 32768 and above): it stays free while its server is stopped, or if none is
    /// started at all.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = FirstPort + (Interlocked.Increment(ref ports) % (LastPort - FirstPort));
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's.
            }
        }
    }

    public void Freeze() => Signal("-STOP");

    public void Thaw() => Signal("-CONT");

    public async Task KillAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        AppDomain.CurrentDomain.ProcessExit -= KillAtExit;
        process.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line) => LastLine = line.Data ?? LastLine;

    /// <summary>The run is over, and this server was not disposed of.</summary>
    private void KillAtExit(object? sender, EventArgs arguments) => process.Kill(entireProcessTree: true);

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [name, $"{Id}"]);
        kill.WaitForExit();
    }
}
