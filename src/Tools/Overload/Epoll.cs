using System.Buffers.Binary;
using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FlashSale.Tools.Overload;

/// <summary>
/// Waits for many sockets on one thread. The runtime's own asynchronous sockets hand every answer to the thread pool, and that costs more of the shared cores
/// than the answer does. Linux only.
/// </summary>
internal sealed class Epoll : IDisposable
{
    private const int Add = 1;
    private const int Modify = 3;
    private const int ReadEvent = 1;
    private const int WriteEvent = 4;
    private const int EventsAtOnce = 1_024;

    // struct epoll_event is packed on x86 only (epoll_ctl(2)).
    private static readonly int DataAt = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 4 : 8;
    private static readonly int Stride = DataAt + 8;

    private readonly int handle;
    private readonly byte[] events = new byte[EventsAtOnce * Stride];
    private readonly byte[] change = new byte[Stride];

    public Epoll()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new UsageException("--overload needs Linux: it waits with epoll.");
        }

        handle = NativeMethods.Create(0);
        ThrowIfFailed(handle);
    }

    /// <param name="id">Told by <see cref="Ready"/>.</param>
    public void Watch(Socket socket, int id, bool untilConnected) => Control(Add, socket, id, untilConnected ? WriteEvent : ReadEvent);

    public void WatchForReading(Socket socket, int id) => Control(Modify, socket, id, ReadEvent);

    /// <returns>How many are ready.</returns>
    public int Wait(int milliseconds)
    {
        var ready = NativeMethods.Wait(handle, events, EventsAtOnce, milliseconds);
        // Interrupted by a signal, such as the profiler's or a debugger's: nothing is ready.
        return Math.Max(0, ready);
    }

    public int Ready(int index) => BinaryPrimitives.ReadInt32LittleEndian(events.AsSpan((index * Stride) + DataAt));

    /// <summary>
    /// The calling thread goes first, where that is allowed (root): a generator that waits for a core behind the server's threads measures itself.
    /// </summary>
    /// <param name="first">False: like everybody again.</param>
    public static void GoFirst(bool first) => _ = NativeMethods.SetPriority(0, 0, first ? -10 : 0);

    public void Dispose() => _ = NativeMethods.Close(handle);

    private void Control(int operation, Socket socket, int id, int what)
    {
        BinaryPrimitives.WriteInt32LittleEndian(change, what);
        BinaryPrimitives.WriteInt32LittleEndian(change.AsSpan(DataAt), id);
        ThrowIfFailed(NativeMethods.Control(handle, operation, (int)socket.SafeHandle.DangerousGetHandle(), change));
    }

    private static void ThrowIfFailed(int result)
    {
        if (result < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Create(int flags);

        [DllImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Control(int epoll, int operation, int descriptor, byte[] change);

        [DllImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Wait(int epoll, byte[] events, int most, int milliseconds);

        [DllImport("libc", EntryPoint = "setpriority", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int SetPriority(int which, int who, int nice);

        [DllImport("libc", EntryPoint = "close", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Close(int descriptor);
    }
}
