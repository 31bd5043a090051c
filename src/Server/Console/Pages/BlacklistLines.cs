using System.Text;
using System.Text.Json.Nodes;

namespace FlashSale.Server.Console.Pages;

/// <summary>
/// Lines of an import as people have them: those of the CSV that the console gives out, or of the API's export. Every line becomes one of the latter and keeps its
/// number, so that <see cref="BlacklistImport"/> reads them all.
/// </summary>
public static class BlacklistLines
{
    private static readonly string[] Columns = ["kind", "subject", "reason", "source", "expiresAt"];

    /// <summary>First cells of the heading, in either language.</summary>
    private static readonly string[] Headings = [ConsoleLanguage.Zh.Texts.KindColumn, ConsoleLanguage.En.Texts.KindColumn];

    public static byte[] Read(string typed)
    {
        var json = new StringBuilder(typed.Length);
        foreach (var line in typed.TrimStart('\uFEFF').Split('\n'))
        {
            var text = line.Trim();
            json.Append(text is "" or ['{', ..] ? text : Convert(text)).Append('\n');
        }

        return Encoding.UTF8.GetBytes(json.ToString());
    }

    /// <summary>Empty for the heading.</summary>
    private static string Convert(string line)
    {
        var cells = Cells(line);
        if (Headings.Contains(cells[0], StringComparer.OrdinalIgnoreCase))
        {
            return "";
        }

        var entry = new JsonObject();
        foreach (var (name, cell) in Columns.Zip(cells).Where(pair => pair.Second.Length > 0))
        {
            entry[name] = name == "expiresAt" ? FormFields.Time(cell) : cell;
        }

        return entry.ToJsonString();
    }

    /// <summary>RFC 4180, on one line: no text of an entry has line ends. An apostrophe that keeps a formula from running is taken off again.</summary>
    private static List<string> Cells(string line)
    {
        List<string> cells = [];
        var cell = new StringBuilder();
        var quoted = false;
        for (var at = 0; at <= line.Length; at++)
        {
            if (at == line.Length || (line[at] == ',' && !quoted))
            {
                var text = cell.ToString().Trim();
                cells.Add(text is ['\'', '=' or '+' or '-' or '@' or '＝' or '＋' or '－' or '＠', ..] ? text[1..] : text);
                cell.Clear();
            }
            else if (line[at] != '"')
            {
                cell.Append(line[at]);
            }
            else if (quoted && at + 1 < line.Length && line[at + 1] == '"')
            {
                cell.Append(line[++at]);
            }
            else
            {
                quoted = !quoted;
            }
        }

        return cells;
    }
}
