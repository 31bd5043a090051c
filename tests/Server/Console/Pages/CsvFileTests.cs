using System.Text;

using FlashSale.Core;
using FlashSale.Server.Console.Pages;

using Microsoft.AspNetCore.Http;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class CsvFileTests
{
    private static readonly ConsoleVisit Visit = new(ConsoleLanguage.Zh, "/", null, default, null!, null!, null);

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"hi\"", "\"say \"\"hi\"\"\"")]
    [InlineData("two\r\nlines", "\"two\r\nlines\"")]
    [InlineData(" around ", "\" around \"")]
    [InlineData("张三，上海", "张三，上海")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+86 139", "'+86 139")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("  =1", "'  =1")]
    [InlineData("＝1+1", "'＝1+1")]
    [InlineData("=cmd|' /c calc'!A1, x", "\"'=cmd|' /c calc'!A1, x\"")]
    public void Line_OfAText_IsQuotedAndRunsNoFormula(string text, string expected) => Assert.Equal($"1,{expected}\r\n", CsvFile.Line([1, text]));

    [Fact]
    public void Line_OfNumbersAndTimes_KeepsThemAsTheyAre() =>
        Assert.Equal("-5,9000000000,2026-11-26 20:00:05,\r\n", CsvFile.Line([-5, 9_000_000_000L, new DateTimeOffset(2026, 11, 26, 12, 0, 5, TimeSpan.Zero), null]));

    [Fact]
    public async Task File_WhenSent_HasItsMarkAndIsAnAttachment()
    {
        var (bytes, headers) = await SendAsync(["名称", "数量"], Rows(2));

        Assert.Equal([0xEF, 0xBB, 0xBF], bytes[..3]);
        Assert.Equal("名称,数量\r\nrow,0\r\nrow,1\r\n", Encoding.UTF8.GetString(bytes[3..]));
        Assert.Equal("text/csv; charset=utf-8", headers.ContentType);
        Assert.Equal("attachment; filename=\"test.csv\"", headers.ContentDisposition);
    }

    [Fact]
    public async Task File_OfMoreRowsThanASpreadsheetTakes_IsCutAndSaysSo()
    {
        var (bytes, _) = await SendAsync(["a", "b"], Rows(Limits.CsvRows + 1));

        var text = Encoding.UTF8.GetString(bytes);
        Assert.Equal(Limits.CsvRows + 2, text.AsSpan().Count('\n'));
        Assert.EndsWith($"\"{Visit.Texts.CsvCut(Limits.CsvRows)}\"\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_WhenTheFirstRowCannotBeRead_FailsBeforeItAnswers() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => CsvFile.OfAsync(Visit, "test", ["a"], Broken(), TestContext.Current.CancellationToken));

    private static async Task<(byte[] Bytes, IHeaderDictionary Headers)> SendAsync(IReadOnlyList<string> head, IAsyncEnumerable<IReadOnlyList<object?>> rows)
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        await (await CsvFile.OfAsync(Visit, "test", head, rows, TestContext.Current.CancellationToken)).ExecuteAsync(context);
        return (body.ToArray(), context.Response.Headers);
    }

    private static async IAsyncEnumerable<IReadOnlyList<object?>> Rows(int count)
    {
        await Task.CompletedTask;
        for (var i = 0; i < count; i++)
        {
            yield return ["row", i];
        }
    }

    private static async IAsyncEnumerable<IReadOnlyList<object?>> Broken()
    {
        await Task.CompletedTask;
        if (Visit.Path == "/")
        {
            throw new InvalidOperationException("The ledger is away.");
        }

        yield return [];
    }
}
