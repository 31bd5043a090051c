using System.CommandLine;

using FlashSale.Core;

namespace FlashSale.Tools;

/// <summary>The options that say which server, and with which key.</summary>
internal static class TargetOptions
{
    public static Option<Uri> Target() => new("--target")
    {
        Description = "Address of the server, for example http://localhost:5080.",
        Required = true,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
            {
                return new Uri(uri.GetLeftPart(UriPartial.Authority));
            }

            result.AddError($"--target: '{text}' is not an http or https address.");
            return null;
        },
    };

    public static Option<byte[]> AuthKey() => new("--auth-key")
    {
        Description = "The server's FlashSale__Auth__SigningKey as base64, or @FILE to read it from a file.",
        Required = true,
        CustomParser = result =>
        {
            var (key, error) = ReadKey(result.Tokens[0].Value);
            if (error is not null)
            {
                result.AddError(error);
            }

            return key;
        },
    };

    /// <summary>Messages never repeat the key.</summary>
    private static (byte[]? Key, string? Error) ReadKey(string text)
    {
        if (text.StartsWith('@'))
        {
            try
            {
                text = File.ReadAllText(text[1..]).Trim();
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
            {
                return (null, $"--auth-key: {problem.Message}");
            }
        }

        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, bytes, out var length))
        {
            return (null, "--auth-key: this is not base64.");
        }

        return length < Limits.SigningKeyBytes
            ? (null, $"--auth-key: {length} bytes are too few, a signing key has {Limits.SigningKeyBytes} or more.")
            : (bytes[..length], null);
    }
}
