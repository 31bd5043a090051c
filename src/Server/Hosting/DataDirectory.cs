using System.Security.Cryptography;

using FlashSale.Core;

namespace FlashSale.Server.Hosting;

/// <summary>
/// The folder with the SQLite file and the generated keys. One process owns it at a time: the lock is the operating system's, so it ends with the
/// process, however that ends.
/// </summary>
public sealed class DataDirectory : IDisposable
{
    private readonly string path;
    private readonly bool lookOnly;
    private readonly FileStream? ownership;

    /// <param name="path">Absolute.</param>
    /// <param name="lookOnly">Nothing is made, and it may be another process'.</param>
    public DataDirectory(string path, bool lookOnly = false)
    {
        this.path = path;
        this.lookOnly = lookOnly;
        if (lookOnly)
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(Path.Combine(path, "keys"));
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(Path.Combine(path, "keys"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            ownership = new FileStream(Path.Combine(path, "flashsale.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException)
        {
            Problem = $"is {path}, which this user may not write to";
        }
        catch (IOException exception)
        {
            Problem = Directory.Exists(path)
                ? $"is {path}, which another FlashSale process is using; stop that one, or give this one a directory of its own"
                : $"is {path}, which cannot be created: {exception.Message}";
        }
    }

    /// <summary>Null when the directory is ours.</summary>
    public string? Problem { get; }

    public string Folder => path;

    public string LedgerFile => Path.Combine(path, "flashsale.db");

    /// <summary>The copy of the published site.</summary>
    public string SiteFolder => Path.Combine(path, "site");

    /// <summary>A key of 32 random bytes in base64, made the first time, readable by the owner only.</summary>
    /// <returns>Empty where there is none, and none may be made.</returns>
    public byte[] ReadOrCreateKey(string name)
    {
        var file = Path.Combine(path, "keys", name + ".key");
        if (Problem is not null || (lookOnly && !File.Exists(file)))
        {
            return [];
        }

        if (!File.Exists(file))
        {
            // Written whole under another name first: a crash in between leaves no half key.
            var draft = file + ".new";
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var writer = new StreamWriter(draft, options))
            {
                writer.WriteLine(Convert.ToBase64String(RandomNumberGenerator.GetBytes(Limits.SigningKeyBytes)));
            }

            File.Move(draft, file);
        }

        return Convert.FromBase64String(File.ReadAllText(file).Trim());
    }

    public void Dispose() => ownership?.Dispose();
}
