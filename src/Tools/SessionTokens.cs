using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace FlashSale.Tools;

/// <summary>Signs session tokens as the sign-in of the shop would: a JWT with HS256 (RFC 7519), <c>iss</c> and <c>aud</c> = <c>flashsale</c>.</summary>
public sealed class SessionTokens
{
    private static readonly string Header = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8);

    private readonly byte[] key;

    /// <param name="key">The server's <c>FlashSale__Auth__SigningKey</c>.</param>
    public SessionTokens(byte[] key) => this.key = key;

    /// <param name="user">1 to 64 of <c>A-Z a-z 0-9 . _ -</c>; it is not escaped.</param>
    /// <param name="expires">Cut down to whole seconds.</param>
    public string Create(string user, DateTimeOffset expires, params ReadOnlySpan<string> roles)
    {
        var role = roles.Length == 0 ? "" : $",\"role\":[{string.Join(',', roles.ToArray().Select(name => $"\"{name}\""))}]";
        var claims = $$"""{"iss":"flashsale","aud":"flashsale","sub":"{{user}}","exp":{{expires.ToUnixTimeSeconds()}}{{role}}}""";
        var signed = $"{Header}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed)))}";
    }
}
