using System.Text;

using FlashSale.Tools.Load;

namespace FlashSale.Tools.Overload;

/// <summary>What one kind of caller asks for. Called on the pump's thread only.</summary>
internal interface IDemand
{
    /// <summary>The next thing to ask for.</summary>
    /// <returns>False when there is nothing at this moment.</returns>
    bool TryTake(out int item);

    /// <summary>Writes the request.</summary>
    void Write(int item, ref RequestWriter to);

    /// <param name="item">What was asked for.</param>
    /// <param name="tries">How often it has been sent, this one included.</param>
    /// <param name="answer">Status 0: none came.</param>
    /// <returns>Whether the same is to be sent again at once.</returns>
    bool TakeAnswer(int item, int tries, in PumpAnswer answer);
}

/// <summary>An answer as it stands in the buffer of its connection.</summary>
/// <param name="status">0 when no whole answer came; the code then says why.</param>
internal readonly ref struct PumpAnswer(int status, string code, ReadOnlySpan<byte> body)
{
    private readonly ReadOnlySpan<byte> body = body;

    public int Status => status;

    /// <summary>Of a problem; empty for a success.</summary>
    public string Code => code;
    public bool IsSuccess => status is >= 200 and < 300;

    /// <summary>A text field of the document's top level, without escapes; empty when it is not there.</summary>
    public ReadOnlySpan<byte> Text(ReadOnlySpan<byte> quotedName) => JsonText.Find(body, quotedName);
}

/// <summary>Finds one short text in a document without reading the rest; documents are millions, and all of one make.</summary>
internal static class JsonText
{
    /// <param name="quotedName">With its quotes and the colon.</param>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> json, ReadOnlySpan<byte> quotedName)
    {
        var at = json.IndexOf(quotedName);
        if (at < 0)
        {
            return default;
        }

        var value = json[(at + quotedName.Length)..].TrimStart((byte)' ');
        if (value.Length == 0 || value[0] != '"')
        {
            return default;
        }

        var end = value[1..].IndexOf((byte)'"');
        return end < 0 ? default : value.Slice(1, end);
    }
}

/// <summary>One string for each of the few codes that there are.</summary>
internal sealed class KnownCodes
{
    private const int Most = 64;
    private readonly List<(byte[] Bytes, string Text)> known = [];

    public string Of(ReadOnlySpan<byte> code)
    {
        foreach (var (bytes, text) in known)
        {
            if (code.SequenceEqual(bytes))
            {
                return text;
            }
        }

        if (known.Count == Most)
        {
            return "other";
        }

        var added = Encoding.UTF8.GetString(code);
        known.Add((code.ToArray(), added));
        return added;
    }
}
