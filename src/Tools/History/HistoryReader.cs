using System.Text.Json;

namespace FlashSale.Tools.History;

/// <summary>Reads a history file once, record by record, so that its length does not matter.</summary>
public static class HistoryReader
{
    /// <returns>Null when the file is empty.</returns>
    /// <exception cref="UsageException">The file cannot be read, or is not a history.</exception>
    public static HistoryHeader? ReadHeader(string path)
    {
        using var reader = Open(path);
        var line = reader.ReadLine();
        if (string.IsNullOrWhiteSpace(line))
        {
            return null;
        }

        try
        {
            var header = JsonSerializer.Deserialize(line, HistoryJson.Default.HistoryHeader);
            if (header?.Format == HistoryHeader.CurrentFormat)
            {
                return header;
            }
        }
        catch (JsonException problem)
        {
            throw new UsageException($"{path}: line 1 is not the header of a history: {problem.Message}", problem);
        }

        throw new UsageException($"{path}: this is not a history of format {HistoryHeader.CurrentFormat}.");
    }

    /// <summary>
    /// Everything behind the header. A last line that was cut off (its writer was killed) is left out; any other line that is not a record
    /// is an error.
    /// </summary>
    /// <exception cref="UsageException">A line is not a record.</exception>
    public static IEnumerable<HistoryRecord> ReadRecords(string path)
    {
        using var reader = Open(path);
        reader.ReadLine();
        for (var number = 2; reader.ReadLine() is { } line; number++)
        {
            HistoryRecord? record;
            try
            {
                record = JsonSerializer.Deserialize(line, HistoryJson.Default.HistoryRecord);
            }
            catch (JsonException) when (reader.EndOfStream)
            {
                yield break;
            }
            catch (JsonException problem)
            {
                throw new UsageException($"{path}: line {number} is not a record: {problem.Message}", problem);
            }

            yield return record ?? throw new UsageException($"{path}: line {number} is not a record.");
        }
    }

    private static StreamReader Open(string path)
    {
        try
        {
            return new StreamReader(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"The history cannot be read: {problem.Message}", problem);
        }
    }
}
