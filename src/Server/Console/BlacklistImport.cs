using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Storage;

namespace FlashSale.Server.Console;

/// <summary>
/// Reads an import line by line. Every line that is no good is named with its number, counted from 1, and then nothing is written. <c>actor</c> and <c>createdAt</c> of
/// an export are not taken over: whoever imports answers for it.
/// </summary>
public sealed class BlacklistImport(ILedger ledger)
{
    public async Task RunAsync(HttpContext context)
    {
        if (!RequestBody.IsJson(context.Request) && context.Request.ContentType?.StartsWith(JsonLines.MediaType, StringComparison.OrdinalIgnoreCase) != true)
        {
            await context.WriteProblemAsync(ProblemCode.UnsupportedMediaType);
            return;
        }

        if (await context.ReadBytesAsync(Limits.BlacklistImportBytes) is not { } body)
        {
            return;
        }

        var (done, errors) = await RunAsync(body, context.DeciderOf(reason: null));
        await (done is null
            ? context.WriteInvalidFieldsAsync(errors)
            : context.WriteDocumentAsync(StatusCodes.Status200OK, done, WireJson.Default.BlacklistImportDocument));
    }

    /// <summary>Null, and nothing was written, with the errors by <c>line 3</c>.</summary>
    public async Task<(BlacklistImportDocument? Done, IReadOnlyDictionary<string, string[]> Errors)> RunAsync(ReadOnlyMemory<byte> body, Actor actor)
    {
        var reading = new Reading();
        reading.Read(body.Span);

        // The gate and the other instances load the whole list within a second.
        return (reading.Errors.Count > 0 ? null : await ledger.ImportBlacklistAsync(reading.Lines, actor, CancellationToken.None), reading.Errors);
    }

    private sealed class Reading
    {
        private readonly Dictionary<(BlacklistKind Kind, string Subject), int> numbers = [];
        private int number;

        public List<BlacklistLine> Lines { get; } = [];

        /// <summary>By <c>line 3</c>.</summary>
        public Dictionary<string, string[]> Errors { get; } = [];

        public void Read(ReadOnlySpan<byte> body)
        {
            foreach (var range in body.Split((byte)'\n'))
            {
                number++;
                var line = body[range].TrimEnd((byte)'\r');
                if (line.IsEmpty)
                {
                    continue;
                }

                if (Lines.Count + Errors.Count == Limits.BlacklistImportLines)
                {
                    Fail(string.Create(CultureInfo.InvariantCulture, $"is one too many: at most {Limits.BlacklistImportLines} at once"));
                    return;
                }

                ReadLine(line);
            }

            if (Lines.Count == 0 && Errors.Count == 0)
            {
                number = 1;
                Fail("must be an entry");
            }
        }

        private void ReadLine(ReadOnlySpan<byte> line)
        {
            using var json = Parse(line);
            if (json is null)
            {
                Fail("must be one JSON object in UTF-8");
                return;
            }

            var fields = new FieldReader(json.RootElement);
            var kind = fields.Word<BlacklistKind>("kind");
            if (!fields.Has("kind"))
            {
                fields.Fail("kind", "must be user, device or address");
            }

            var text = fields.Text("subject", Limits.UserIdLength);
            var subject = BlacklistSubject.Of(kind, text);
            if (fields.IsGood("kind") && fields.IsGood("subject") && subject.Text is null)
            {
                fields.Fail("subject", subject.MustBe);
            }

            var entry = BlacklistDesk.ReadLine(fields);
            if (!fields.IsValid)
            {
                Fail([.. fields.Errors.Select(error => $"{error.Key} {string.Join("; ", error.Value)}")]);
            }
            else if (!numbers.TryAdd((kind, subject.Text!), number))
            {
                Fail(string.Create(CultureInfo.InvariantCulture, $"is about the same as line {numbers[(kind, subject.Text!)]}"));
            }
            else
            {
                Lines.Add(new BlacklistLine(kind, subject.Text!, entry));
            }
        }

        /// <summary>Null for what is not one JSON object in UTF-8.</summary>
        private static JsonDocument? Parse(ReadOnlySpan<byte> line)
        {
            try
            {
                var json = Utf8.IsValid(line) ? JsonDocument.Parse(line.ToArray(), new JsonDocumentOptions { MaxDepth = Limits.JsonDepth }) : null;
                if (json?.RootElement.ValueKind == JsonValueKind.Object)
                {
                    return json;
                }

                json?.Dispose();
            }
            catch (JsonException)
            {
                // Not JSON.
            }

            return null;
        }

        private void Fail(params string[] why) => Errors[string.Create(CultureInfo.InvariantCulture, $"line {number}")] = why;
    }
}
