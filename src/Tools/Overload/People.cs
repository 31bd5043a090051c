using System.Text;

namespace FlashSale.Tools.Overload;

/// <summary>Users with their sessions, as bytes of a header.</summary>
internal sealed class People
{
    private static readonly byte[] EndOfLine = "\r\n"u8.ToArray();
    private readonly byte[][] headers;

    public People(int count, string run, SessionTokens sessions, DateTimeOffset expires)
    {
        headers = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            headers[i] = [.. "Authorization: Bearer "u8, .. Encoding.ASCII.GetBytes(sessions.Create($"user-{run}-{i}", expires)), .. EndOfLine];
        }
    }

    public int Count => headers.Length;

    public ReadOnlySpan<byte> Authorization(int user) => headers[user];
}

/// <summary>Order tokens that were obtained beforehand, each at its place in one block of memory: they are up to a million.</summary>
internal sealed class TokenStore(int capacity)
{
    /// <summary>A token has 195 characters at most (api.md); one byte says how many.</summary>
    private const int Slot = 196;
    private readonly byte[] bytes = new byte[(long)capacity * Slot];
    private readonly int[] users = new int[capacity];

    public int Count { get; private set; }

    public int UserOf(int token) => users[token];

    public ReadOnlySpan<byte> Text(int token) => bytes.AsSpan((token * Slot) + 1, bytes[token * Slot]);

    /// <returns>False when it is longer than a token may be.</returns>
    public bool TryAdd(int user, ReadOnlySpan<byte> token)
    {
        if (token.Length is 0 or >= Slot || Count == capacity)
        {
            return false;
        }

        bytes[Count * Slot] = (byte)token.Length;
        token.CopyTo(bytes.AsSpan((Count * Slot) + 1));
        users[Count++] = user;
        return true;
    }
}
