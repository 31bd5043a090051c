using System.Buffers;
using System.Globalization;
using System.Text;

using FlashSale.Core;

namespace FlashSale.Server.Console.Pages;

/// <summary>
/// A table that a spreadsheet opens, also in Chinese: UTF-8 with its mark, RFC 4180 quoting, lines that end with CR LF. A text that a spreadsheet would run as a
/// formula gets an apostrophe in front. It is sent row by row, and has at most <see cref="Limits.CsvRows"/>.
/// </summary>
public static class CsvFile
{
    public const string MediaType = "text/csv; charset=utf-8";

    /// <summary>How much is gathered before it is sent.</summary>
    private const int FlushBytes = 64 * 1024;

    /// <summary>What begins a formula somewhere, in full width too; tab and line ends are skipped before one.</summary>
    private static readonly SearchValues<char> FormulaStarts = SearchValues.Create("=+-@\t\r\n＝＋－＠");

    private static readonly SearchValues<char> Quoted = SearchValues.Create(",\"\r\n");

    /// <summary>Reads the first row before it answers, so that what breaks at once can still be answered with a page.</summary>
    /// <param name="name">Of the file, without its ending; plain ASCII.</param>
    /// <param name="rows">Cells are texts, whole numbers or times; null is an empty one.</param>
    public static async Task<IResult> OfAsync(
        ConsoleVisit visit, string name, IReadOnlyList<string> head, IAsyncEnumerable<IReadOnlyList<object?>> rows, CancellationToken cancellation)
    {
        var reader = rows.GetAsyncEnumerator(cancellation);
        try
        {
            return new Csv(visit.Texts, $"{name}.csv", head, reader, await reader.MoveNextAsync());
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
    }

    /// <summary>One line with its end.</summary>
    public static string Line(IReadOnlyList<object?> cells) => string.Join(',', cells.Select(Cell)) + "\r\n";

    private static string Cell(object? value)
    {
        var text = value switch
        {
            null => "",
            long or int => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
            DateTimeOffset at => at.ToOffset(ConsoleTexts.Shanghai).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
            _ => Defused(value.ToString() ?? ""),
        };
        return text.AsSpan().ContainsAny(Quoted) || text.StartsWith(' ') || text.EndsWith(' ') ? "\"" + text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : text;
    }

    private static string Defused(string text) => text.Length > 0 && FormulaStarts.Contains(text.AsSpan().TrimStart(' ') is [var first, ..] ? first : ' ') ? "'" + text : text;

    private sealed class Csv(ConsoleTexts texts, string name, IReadOnlyList<string> head, IAsyncEnumerator<IReadOnlyList<object?>> rows, bool any) : IResult
    {
        /// <summary>A failure midway breaks the connection off, so that a cut file never looks like a whole one.</summary>
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            await using (rows)
            {
                httpContext.Response.ContentType = MediaType;
                httpContext.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}\"";
                var body = httpContext.Response.BodyWriter;
                body.Write(Encoding.UTF8.Preamble);
                Write(body, head);
                var more = any;
                for (var row = 0; more && row < Limits.CsvRows; row++, more = await rows.MoveNextAsync())
                {
                    Write(body, rows.Current);
                    if (body.UnflushedBytes >= FlushBytes)
                    {
                        await body.FlushAsync(httpContext.RequestAborted);
                    }
                }

                if (more)
                {
                    Write(body, [texts.CsvCut(Limits.CsvRows)]);
                }

                await body.FlushAsync(httpContext.RequestAborted);
            }
        }

        private static void Write(IBufferWriter<byte> body, IReadOnlyList<object?> cells) => Encoding.UTF8.GetBytes(Line(cells), body);
    }
}
