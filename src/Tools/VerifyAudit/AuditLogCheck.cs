using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FlashSale.Tools.VerifyAudit;

/// <summary>What is wrong at one place of the log. <paramref name="Seq"/> is the entry where it shows.</summary>
internal sealed record AuditFault(long Seq, string What);

/// <summary>
/// Checks an export of the audit log line by line, by arithmetic of its own (docs/audit.md): nothing here is the server's code. What an entry says of itself is
/// compared with its hash, and then believed for the sake of the next one: so one edit is told once, where it is.
/// </summary>
internal sealed class AuditLogCheck(IReadOnlyDictionary<long, string> checkpoints)
{
    public const int FaultsKept = 20;
    private const int HashDigits = 64;
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <summary>In the order in which they are hashed.</summary>
    private static readonly string[] Texts = ["actor", "role", "action", "subject", "reason", "before", "after", "traceId"];
    private static readonly HashSet<string> Known = [.. Texts, "type", "seq", "at", "previousHash", "hash"];
    private static readonly string NoHash = new('0', HashDigits);

    private readonly List<AuditFault> faults = [];
    private readonly Dictionary<string, JsonElement> fields = new(StringComparer.Ordinal);
    private (long Seq, string Hash)? head;
    private (long Seq, string Hash) last = (0, NoHash);

    /// <summary>The first <see cref="FaultsKept"/>, in the order of the log.</summary>
    public IReadOnlyList<AuditFault> Faults => faults;

    public long FaultCount { get; private set; }

    public long Entries { get; private set; }

    /// <summary>The last entry that was read: what the next run can be held against.</summary>
    public (long Seq, string Hash) Last => last;

    /// <summary>One of <see cref="ExitCodes"/>, after <see cref="End"/>.</summary>
    public int ExitCode => FaultCount > 0 ? ExitCodes.Violated : Entries > 0 ? ExitCodes.Holds : ExitCodes.ProvesNothing;

    /// <exception cref="UsageException">It is no line of such an export.</exception>
    public void Read(string text)
    {
        try
        {
            var line = JsonElement.Parse(text);
            switch (line.GetProperty("type").GetString())
            {
                case "head" when head is null && Entries == 0:
                    head = (line.GetProperty("seq").GetInt64(), line.GetProperty("hash").GetString() ?? "");
                    break;
                case "entry" when head is not null:
                    ReadEntry(line);
                    break;
                default:
                    throw new FormatException("an export is one head, and then entries");
            }
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new UsageException($"Line {Entries + 1} after entry {last.Seq} is no line of an export of the audit log: {problem.Message}", problem);
        }
    }

    /// <exception cref="UsageException">It was no export.</exception>
    public void End()
    {
        var (seq, hash) = head ?? throw new UsageException("This is no export of the audit log: it has no head.");
        if (last.Seq < seq)
        {
            Note(last.Seq + 1, $"the log ends with entry {last.Seq}, and its head says {seq}: the end was cut off");
        }
        else if (last.Seq > seq)
        {
            Note(seq + 1, $"the log goes on to entry {last.Seq}, and its head says {seq}: something was added by hand, or the head was put back");
        }
        else if (last.Hash != hash)
        {
            Note(seq, "the hash of the last entry is not that of the head: one of the two was changed");
        }

        foreach (var (number, _) in checkpoints.Where(checkpoint => checkpoint.Key > last.Seq).OrderBy(checkpoint => checkpoint.Key))
        {
            Note(last.Seq + 1, $"a checkpoint knows entry {number}, and the log ends with {last.Seq}: the end was cut off");
        }
    }

    private void ReadEntry(JsonElement line)
    {
        List<string> wrong = [];
        ReadFields(line, wrong);
        var seq = fields["seq"].GetInt64();
        var (previous, hash) = (Text("previousHash") ?? "", Text("hash") ?? "");
        if (!IsHash(hash) || !IsHash(previous))
        {
            wrong.Add("it is not in the chain: it has no hash");
        }
        else if (HashOf(previous, seq, wrong) != hash)
        {
            wrong.Add("what it says is not what was hashed: it was changed");
        }

        if (seq > last.Seq + 1)
        {
            wrong.Add(seq == last.Seq + 2 ? $"entry {last.Seq + 1} before it is missing" : $"entries {last.Seq + 1} to {seq - 1} before it are missing");
        }
        else if (seq <= last.Seq)
        {
            wrong.Add($"it stands behind entry {last.Seq}: it was moved or put in");
        }

        if (previous != last.Hash)
        {
            wrong.Add(last.Seq == 0 ? "it does not begin the chain" : $"it does not follow entry {last.Seq} as that stands: one of the two was changed, or something between them");
        }

        if (checkpoints.TryGetValue(seq, out var known) && known != hash)
        {
            wrong.Add("a checkpoint knows another entry of this number: the log was made anew");
        }

        if (wrong.Count > 0)
        {
            Note(seq, string.Join("; ", wrong));
        }

        Entries++;
        last = (seq, hash);
    }

    /// <summary>Each name once, and none that is not hashed: what nobody vouches for must not look as if somebody did.</summary>
    private void ReadFields(JsonElement line, List<string> wrong)
    {
        fields.Clear();
        foreach (var field in line.EnumerateObject())
        {
            if (!Known.Contains(field.Name))
            {
                wrong.Add($"it has a field that is not hashed: {field.Name}");
            }
            else if (!fields.TryAdd(field.Name, field.Value))
            {
                wrong.Add($"it has the field {field.Name} twice");
            }
        }
    }

    private string HashOf(string previous, long seq, List<string> wrong)
    {
        // Digit by digit as the server writes it: a time that means the same and reads otherwise was not written by it.
        if (!DateTimeOffset.TryParseExact(
            Text("at"), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at))
        {
            wrong.Add("its time is none");
        }

        using var bytes = new MemoryStream();
        bytes.Write("flashsale audit 1\n"u8);
        bytes.Write(Convert.FromHexString(previous));
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(number, seq);
        bytes.Write(number);
        BinaryPrimitives.WriteInt64BigEndian(number, at.ToUnixTimeMilliseconds());
        bytes.Write(number);
        foreach (var name in Texts)
        {
            if (Text(name) is not { } text)
            {
                bytes.WriteByte(0);
                continue;
            }

            var utf8 = Encoding.UTF8.GetBytes(text);
            bytes.WriteByte(1);
            BinaryPrimitives.WriteUInt32BigEndian(number, (uint)utf8.Length);
            bytes.Write(number[..4]);
            bytes.Write(utf8);
        }

        return Convert.ToHexStringLower(SHA256.HashData(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)));
    }

    private string? Text(string name) => fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetString() : null;

    private void Note(long seq, string what)
    {
        FaultCount++;
        if (faults.Count < FaultsKept)
        {
            faults.Add(new AuditFault(seq, what));
        }
    }

    private static bool IsHash(string text) => text.Length == HashDigits && text.All(char.IsAsciiHexDigitLower);
}
