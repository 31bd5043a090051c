using System.Globalization;

namespace FlashSale.Tools.VerifyAudit;

/// <summary>
/// Entries that earlier runs ended with, a line <c>seq hash</c> each. Kept where those who can write the ledger cannot, they show that the log was cut off or made
/// anew, which nothing in the log itself can.
/// </summary>
internal static class Checkpoints
{
    private const int BytesMax = 8 * 1024 * 1024;

    /// <returns>None when there is no file yet.</returns>
    /// <exception cref="UsageException">It cannot be read, or is something else.</exception>
    public static Dictionary<long, string> Read(string file)
    {
        var known = new Dictionary<long, string>();
        try
        {
            if (!File.Exists(file))
            {
                return known;
            }

            if (new FileInfo(file).Length > BytesMax)
            {
                throw new FormatException("it is too long");
            }

            foreach (var line in File.ReadLines(file).Where(line => line.Length > 0))
            {
                var (seq, hash) = Parse(line);
                if (known.TryGetValue(seq, out var other) && other != hash)
                {
                    throw new FormatException($"it has two hashes for entry {seq}");
                }

                known[seq] = hash;
            }

            return known;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException or FormatException)
        {
            throw new UsageException($"--checkpoint: {file} cannot be used: {problem.Message}", problem);
        }
    }

    /// <summary>Adds one, unless it is there; the file is never half written.</summary>
    /// <exception cref="UsageException">It cannot be written.</exception>
    public static void Add(string file, Dictionary<long, string> known, (long Seq, string Hash) checkpoint)
    {
        if (!known.TryAdd(checkpoint.Seq, checkpoint.Hash))
        {
            return;
        }

        try
        {
            var beside = file + ".new";
            File.WriteAllLines(beside, known.OrderBy(one => one.Key).Select(one => Line(one.Key, one.Value)));
            File.Move(beside, file, overwrite: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--checkpoint: {file} cannot be written: {problem.Message}", problem);
        }
    }

    public static string Line(long seq, string hash) => string.Create(CultureInfo.InvariantCulture, $"{seq} {hash}");

    private static (long Seq, string Hash) Parse(string line)
    {
        var parts = line.Split(' ');
        return parts is [var number, { Length: 64 } hash] && hash.All(char.IsAsciiHexDigitLower)
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            ? (seq, hash)
            : throw new FormatException("a line is a number, a space and 64 lower-case hexadecimal digits");
    }
}
