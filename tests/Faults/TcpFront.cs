using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace FlashSale.Tests.Faults;

/// <summary>Listens on a free port of the loopback, one task for each connection. All of them have ended when it is disposed of.</summary>
internal abstract class TcpFront : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource closing = new();
    private readonly ConcurrentDictionary<Task, bool> serving = new();
    private Task accepting = Task.CompletedTask;

    protected TcpFront()
    {
        // Its own copy: what still runs when the source is disposed of asks for it too.
        Closing = closing.Token;
        listener.Start(backlog: 1_024);
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    protected CancellationToken Closing { get; }

    /// <summary>Not before the fields of the derived class are there.</summary>
    protected void Begin() => accepting = AcceptAsync();

    protected abstract Task ServeAsync(Socket client);

    public virtual async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        listener.Stop();
        await accepting;
        await Task.WhenAll(serving.Keys);
        closing.Dispose();
    }

    /// <summary>Ends the connection at once, as the death of the other side's process does.</summary>
    protected static void Cut(Socket socket)
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Dispose();
    }

    /// <summary>Null when nobody listens there.</summary>
    protected async Task<Socket?> TryConnectAsync(EndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, Closing);
            return socket;
        }
        catch (Exception problem) when (problem is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }
    }

    private async Task AcceptAsync()
    {
        while (!Closing.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptSocketAsync(Closing);
                client.NoDelay = true;
                var task = GuardAsync(client);
                serving[task] = true;
                _ = task.ContinueWith(ended => serving.TryRemove(ended, out _), TaskScheduler.Default);
            }
            catch (Exception problem) when (problem is SocketException or OperationCanceledException)
            {
                // A client that was gone before it was accepted, or the end.
            }
        }
    }

    private async Task GuardAsync(Socket client)
    {
        await Task.Yield();
        using (client)
        {
            try
            {
                await ServeAsync(client);
            }
            catch (Exception problem) when (problem is SocketException or IOException or OperationCanceledException or ObjectDisposedException)
            {
                // One of the two sides is gone.
            }
        }
    }
}
