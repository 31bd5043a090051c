using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

using FlashSale.Server.Hosting;

namespace FlashSale.Server.Storefront.Publishing;

/// <summary>
/// The copy of the site below <c>data/site</c>: a folder for each version that is kept, and the link <c>current</c> to the one that is shown. It is derived: whatever a crash, a full disk or somebody left there, the
/// next writing makes it right. Files are never changed in place, and the link is switched by renaming another over it, so that a web server sees one version or the other.
/// </summary>
public sealed class SiteFolder(string folder)
{
    public const string Current = "current";
    private const string Draft = ".new";

    public SiteFolder(Settings settings)
        : this(settings.Data.SiteFolder)
    {
    }

    /// <summary>Writes the version, leads <c>current</c> to it, and deletes the folders of versions that are no longer kept.</summary>
    public void Write(ShownSite site)
    {
        var name = site.Number.ToString(CultureInfo.InvariantCulture);
        var version = Path.Combine(folder, name);
        Directory.CreateDirectory(version);
        HashSet<string> written = new(StringComparer.Ordinal);
        foreach (var (path, file) in site.Files)
        {
            var target = Path.Combine(version, SitePaths.FileOf(path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            WriteFile(target, file.Content, written);
            WriteFile(target + ".gz", file.Gzip, written);
            WriteFile(target + ".br", file.Brotli, written);
        }

        WriteFile(Path.Combine(version, SitePaths.FileOf(SitePaths.Headers)), site.Headers, written);
        foreach (var other in Directory.GetFiles(version, "*", SearchOption.AllDirectories).Where(file => !written.Contains(file)))
        {
            // What a crash left, or a version of the same number in a ledger that is gone.
            File.Delete(other);
        }

        Lead(name);
        foreach (var old in Directory.GetDirectories(folder))
        {
            if (long.TryParse(Path.GetFileName(old), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && !site.Kept.Contains(number))
            {
                Directory.Delete(old, recursive: true);
            }
        }
    }

    /// <summary>Nothing when it is there, or there is nothing to write.</summary>
    private static void WriteFile(string target, byte[]? content, HashSet<string> written)
    {
        if (content is null || !written.Add(target) || (File.Exists(target) && File.ReadAllBytes(target).AsSpan().SequenceEqual(content)))
        {
            return;
        }

        var draft = target + Draft;
        File.WriteAllBytes(draft, content);
        File.Move(draft, target, overwrite: true);
    }

    private void Lead(string name)
    {
        var current = Path.Combine(folder, Current);
        var draft = current + Draft;
        if (new DirectoryInfo(current).LinkTarget == name)
        {
            return;
        }

        File.Delete(draft);
        Directory.CreateSymbolicLink(draft, name);
        if (OperatingSystem.IsWindows())
        {
            // There is no renaming over a link to a folder.
            Directory.Delete(current);
            Directory.Move(draft, current);
        }
        else if (NativeMethods.Rename(draft, current) != 0)
        {
            throw new IOException($"{current} cannot be led to version {name}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
    }

    private static class NativeMethods
    {
        /// <summary>As <see cref="File.Move(string, string, bool)"/>, which takes a link to a folder for the folder.</summary>
        [DllImport("libc", EntryPoint = "rename", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Rename([MarshalAs(UnmanagedType.LPUTF8Str)] string from, [MarshalAs(UnmanagedType.LPUTF8Str)] string to);
    }
}
