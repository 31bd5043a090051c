using System.Security.Cryptography;

namespace FlashSale.Server.Http;

/// <summary>A script or style that pages refer to by an address with a hash of its content: what has changed has another address, so that it can be kept for good.</summary>
public sealed record WebFile(string Address, byte[] Content)
{
    public const string ScriptType = "text/javascript; charset=utf-8";
    public const string Caching = "public, max-age=31536000, immutable";
    private const string StyleType = "text/css; charset=utf-8";

    // Twelve hexadecimal digits.
    private const int HashBytes = 6;

    public string ContentType => Address.EndsWith(".css", StringComparison.Ordinal) ? StyleType : ScriptType;

    /// <param name="folder">Of the address: with a slash at both ends.</param>
    /// <param name="name">In <c>wwwroot</c>, such as <c>site.js</c>.</param>
    public static WebFile Of(IWebHostEnvironment environment, string folder, string name)
    {
        var content = Read(environment, name);
        var hash = Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, HashBytes));
        return new WebFile($"{folder}{Path.GetFileNameWithoutExtension(name)}.{hash}{Path.GetExtension(name)}", content);
    }

    public static byte[] Read(IWebHostEnvironment environment, string name)
    {
        using var stream = environment.WebRootFileProvider.GetFileInfo(name).CreateReadStream();
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
