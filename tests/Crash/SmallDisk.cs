using System.Diagnostics;

using Xunit;

namespace FlashSale.Tests.Crash;

/// <summary>A file system of a few megabytes in memory, to be filled up. To mount one takes root, or sudo that asks for nothing.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private const int Megabytes = 16;
    private readonly TemporaryFolder folder = new();

    private SmallDisk()
    {
    }

    public string Path => folder.Path;

    private string Ballast => System.IO.Path.Combine(Path, "ballast");

    public static async Task<SmallDisk> MountAsync()
    {
        var disk = new SmallDisk();
        await RunAsync("mount", "-t", "tmpfs", "-o", $"size={Megabytes}m", "tmpfs", disk.Path);
        return disk;
    }

    /// <summary>Takes every byte that is left.</summary>
    public void Fill()
    {
        using var ballast = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        var block = new byte[64 * 1024];
        for (var size = block.Length; size >= 1; size /= 2)
        {
            try
            {
                while (true)
                {
                    ballast.Write(block, 0, size);
                }
            }
            catch (IOException)
            {
                // Full for this size.
            }
        }
    }

    public void MakeRoom() => File.Delete(Ballast);

    public async ValueTask DisposeAsync()
    {
        await RunAsync("umount", Path);
        folder.Dispose();
    }

    private static async Task RunAsync(params string[] command)
    {
        var sudo = Environment.UserName == "root" ? Array.Empty<string>() : ["sudo", "-n"];
        string[] words = [.. sudo, .. command];
        using var process = Process.Start(new ProcessStartInfo(words[0], words[1..]) { UseShellExecute = false, RedirectStandardError = true })!;
        var problem = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', words)}: {problem}");
    }
}
