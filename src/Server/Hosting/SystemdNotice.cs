using System.Globalization;
using System.Net.Sockets;
using System.Text;

using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Hosting;

/// <summary>
/// Tells systemd, where it asks to be told (sd_notify(3): datagrams to the socket in NOTIFY_SOCKET): READY=1 once the instance can serve, which is later than that it
/// listens; STOPPING=1 as soon as it was asked to end; and WATCHDOG=1 as long as work is still done, so that a process that hangs is started anew.
/// </summary>
public sealed class SystemdNotice(Readiness readiness, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<SystemdNotice> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 1 } address || OperatingSystem.IsWindows())
        {
            return;
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            // One that begins with @ has no file.
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(address[0] == '@' ? "\0" + address[1..] : address), stoppingToken);
            await using var stopping = lifetime.ApplicationStopping.Register(() => socket.Send("STOPPING=1\nSTATUS=Stopping"u8));
            await ReportAsync(socket, stoppingToken);
        }
        catch (SocketException exception)
        {
            log.LogError("The service manager cannot be told at {Address}: {Problem}", address, exception.Message);
        }
    }

    private async Task ReportAsync(Socket socket, CancellationToken stopping)
    {
        var isReady = false;
        var said = "";
        var watchdog = Watchdog();
        var lastSign = time.GetTimestamp();
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            var reasons = readiness.Reasons();
            var status = reasons.Count == 0 ? "Serving" : string.Join(' ', reasons).ReplaceLineEndings(" ");
            var text = new StringBuilder();
            if (!isReady && reasons.Count == 0 && lifetime.ApplicationStarted.IsCancellationRequested)
            {
                isReady = true;
                text.Append("READY=1\n");
            }

            if (status != said)
            {
                text.Append("STATUS=").Append(status).Append('\n');
                said = status;
            }

            if (watchdog is { } within && time.GetElapsedTime(lastSign) > within / 3)
            {
                lastSign = time.GetTimestamp();
                text.Append("WATCHDOG=1\n");
            }

            if (text.Length > 0)
            {
                await socket.SendAsync(Encoding.UTF8.GetBytes(text.ToString()), SocketFlags.None, stopping);
            }
        }
    }

    /// <summary>Within what time a sign of life is due; null when nobody waits for one, or for another process'.</summary>
    private static TimeSpan? Watchdog() =>
        long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0
        && (Environment.GetEnvironmentVariable("WATCHDOG_PID") is not { Length: > 0 } pid || pid == Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;
}
