using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

using FlashSale.Tools.Load;

namespace FlashSale.Tools.Overload;

/// <summary>The beginning of a request, up to the first header that differs from one to the next.</summary>
internal static class RequestHead
{
    public static byte[] Of(string method, string path, Uri target, string more = "") =>
        Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.1\r\nHost: {target.Authority}\r\n{more}");
}

/// <summary>Gets order tokens, user by user and offer by offer. A refusal is tried again, up to a bound.</summary>
internal sealed class TokenDemand(Uri target, IReadOnlyList<string> offers, People people, int first, int count, TokenStore tokens) : IDemand
{
    private readonly byte[][] heads = [.. offers.Select(offer => RequestHead.Of("POST", $"/api/v1/offers/{offer}/order-tokens", target, "Content-Length: 0\r\n"))];
    private readonly Queue<int> again = new();
    private int next;
    private int patience = 100_000 + (2 * count);

    public string? Problem { get; private set; }

    public bool TryTake(out int item)
    {
        if (again.TryDequeue(out item))
        {
            return true;
        }

        item = next;
        return next < count && next++ >= 0;
    }

    public void Write(int item, ref RequestWriter to)
    {
        to.Add(heads[(int)((long)item * heads.Length / count)]);
        to.Add(people.Authorization((first + item) % people.Count));
        to.Add("\r\n"u8);
    }

    public bool TakeAnswer(int item, int tries, in PumpAnswer answer)
    {
        if (!answer.IsSuccess || !tokens.TryAdd((first + item) % people.Count, answer.Text("\"token\":"u8)))
        {
            Problem = $"{answer.Status} {answer.Code}";
            if (patience-- > 0)
            {
                again.Enqueue(item);
            }
        }

        return false;
    }
}

/// <summary>
/// Requests to order, in turn. A token that was refused for the moment goes to the end of the line, as a shopper comes back; one that has its order is done.
/// </summary>
/// <param name="naive">Each failure is sent again three times at once.</param>
internal sealed class OrderDemand(Uri target, People people, TokenStore tokens, bool naive, Ledgered ledgered) : IDemand
{
    private const int NaiveTries = 4;
    private static readonly byte[] TypeAndLength = "Content-Type: application/json\r\nContent-Length: "u8.ToArray();
    private readonly byte[] head = RequestHead.Of("POST", "/api/v1/orders", target);
    private readonly Queue<int> line = new(Enumerable.Range(0, tokens.Count));
    private readonly HashSet<int> inDoubt = [];

    /// <summary>Tokens of which nobody knows whether they have an order: the last answer to them was lost.</summary>
    public int InDoubt => inDoubt.Count;

    /// <summary>Orders made, with their users, for those who pay, cancel and read; kept when it is set.</summary>
    public List<(int User, string Order)>? Kept { get; init; }

    public bool TryTake(out int item) => line.TryDequeue(out item);

    public void Write(int item, ref RequestWriter to)
    {
        var token = tokens.Text(item);
        to.Add(head);
        to.Add(people.Authorization(tokens.UserOf(item)));
        to.Add(TypeAndLength);
        to.Add(token.Length + 12);
        to.Add("\r\n\r\n{\"token\":\""u8);
        to.Add(token);
        to.Add("\"}"u8);
    }

    public bool TakeAnswer(int item, int tries, in PumpAnswer answer)
    {
        if (answer.IsSuccess)
        {
            var order = answer.Text("\"id\":"u8);
            ledgered.Acknowledge(order);
            inDoubt.Remove(item);
            Kept?.Add((tokens.UserOf(item), Encoding.ASCII.GetString(order)));
            return false;
        }

        if (answer.Status == 0 ? answer.Code is not "not-connected" : answer.Code is "outcome-unknown" || answer.Status is 500 or 502 or 504)
        {
            inDoubt.Add(item);
        }

        if (naive && tries < NaiveTries)
        {
            return true;
        }

        if (answer.Status is 0 or 429 or >= 500)
        {
            line.Enqueue(item);
        }

        return false;
    }
}

/// <summary>Fingerprints of the orders that were acknowledged: they have to be in the ledger afterwards.</summary>
internal sealed class Ledgered
{
    private readonly HashSet<ulong> acknowledged = [];

    public int Count => acknowledged.Count;

    public void Acknowledge(ReadOnlySpan<byte> order) => acknowledged.Add(Fingerprint(order));

    /// <returns>How many of them are not among the orders of the ledger.</returns>
    public int MissingFrom(IEnumerable<string> orders)
    {
        var missing = new HashSet<ulong>(acknowledged);
        foreach (var order in orders)
        {
            missing.Remove(Fingerprint(Encoding.ASCII.GetBytes(order)));
        }

        return missing.Count;
    }

    private static ulong Fingerprint(ReadOnlySpan<byte> order)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(order, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}

/// <summary>A few people who do something else meanwhile; each of the requests once, and in turn again when the list is at its end.</summary>
/// <param name="write">The request, without the end of the headers.</param>
internal sealed class ProbeDemand(int count, ProbeWriter write, bool once) : IDemand
{
    private int next;

    public bool TryTake(out int item)
    {
        item = count == 0 ? 0 : next % count;
        return count > 0 && (!once || next < count) && next++ >= 0;
    }

    public void Write(int item, ref RequestWriter to)
    {
        write(item, ref to);
        to.Add("\r\n"u8);
    }

    public bool TakeAnswer(int item, int tries, in PumpAnswer answer) => false;
}

internal delegate void ProbeWriter(int item, ref RequestWriter to);
