using System.Collections.Frozen;

using FlashSale.Server.Http;

namespace FlashSale.Server.Console.Pages;

/// <summary>Style and script of the console.</summary>
public sealed class ConsoleFiles
{
    public const string Route = "/console/assets/";

    /// <summary>Everything comes from us, nothing stands in the page, and nobody frames it. Values of charts are set by the script, which the policy does not concern.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private readonly FrozenDictionary<string, WebFile> byAddress;

    public ConsoleFiles(IWebHostEnvironment environment)
    {
        var style = WebFile.Of(environment, Route, "console.css");
        var script = WebFile.Of(environment, Route, "console.js");
        (Style, Script) = (style.Address, script.Address);
        byAddress = new[] { style, script }.ToFrozenDictionary(file => file.Address, StringComparer.Ordinal);
    }

    public string Style { get; }

    public string Script { get; }

    /// <summary>Null when there is none at this address.</summary>
    public WebFile? Find(string address) => byAddress.GetValueOrDefault(address);
}
