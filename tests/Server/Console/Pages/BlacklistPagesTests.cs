using System.Net;
using System.Text;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

public sealed class BlacklistPagesTests(ConsoleServer shop) : IClassFixture<ConsoleServer>
{
    private static int numbers;

    private DeskVisitor Rita => new(shop.Server, "rita", "risk");

    private static string NewUser() => $"bot-{Interlocked.Increment(ref numbers)}";

    [Theory]
    [InlineData("/console/blacklist?kind=user", "用户 ID")]
    [InlineData("/console/blacklist?kind=device", "16 位小写十六进制数字")]
    [InlineData("/console/en/blacklist?kind=address", "An address, or a range such as 203.0.113.0/24")]
    public async Task Page_OfEachKind_SaysWhatItTakes(string path, string hint) => Assert.Contains(hint, (await Rita.GetAsync(path)).Expect(HttpStatusCode.OK).Text);

    [Fact]
    public async Task Add_WithAnEnd_IsListedFoundAndLiftedAgain()
    {
        var user = NewUser();
        (await AddAsync("user", user, "bots", "ticket 7", "2099-05-01T08:00")).Expect(HttpStatusCode.SeeOther);

        var found = (await Rita.GetAsync($"/console/en/blacklist?kind=user&subject={user}")).Expect(HttpStatusCode.OK);
        Assert.Contains($"{user} bots ticket 7 2099-05-01 08:00:00 rita", found.Text);
        var refused = (await Rita.PostAsync("/console/en/blacklist/removal", ("kind", "user"), ("subject", user), ("reason", ""))).Expect(HttpStatusCode.UnprocessableEntity);
        Assert.Contains(user, refused.Text);
        var lifted = (await Rita.PostAsync("/console/en/blacklist/removal", ("kind", "user"), ("subject", user), ("reason", "an appeal"))).Expect(HttpStatusCode.SeeOther);
        Assert.Equal("/console/en/blacklist?kind=user&done=unbarred", lifted.Location);
        Assert.Contains("Not in the blacklist.", (await Rita.GetAsync($"/console/en/blacklist?kind=user&subject={user}")).Text);
        (await Rita.PostAsync("/console/en/blacklist/removal", ("kind", "user"), ("subject", user), ("reason", "again"))).Expect(HttpStatusCode.Conflict);
        var audit = (await shop.GetAsync("audit")).Json.GetProperty("items").EnumerateArray().First(entry => entry.GetProperty("action").GetString() == "blacklist.remove");
        Assert.Equal(("rita", "risk"), (audit.GetProperty("actor").GetString(), audit.GetProperty("role").GetString()));
    }

    [Fact]
    public async Task Add_OfARangeWrittenLoosely_IsKeptInItsOneSpelling()
    {
        (await AddAsync("address", "203.0.113.77/24", "bots", "manual", "")).Expect(HttpStatusCode.SeeOther);

        Assert.Contains("203.0.113.0/24 bots manual Never", (await Rita.GetAsync("/console/en/blacklist?kind=address")).Text);
    }

    [Theory]
    [InlineData("user", "no such user!", "bots", "manual", "", "add-subject-error")]
    [InlineData("address", "10.0.0.0/4", "bots", "manual", "", "add-subject-error")]
    [InlineData("device", "xyz", "bots", "manual", "", "add-subject-error")]
    [InlineData("user", "u", "", "manual", "", "add-reason-error")]
    [InlineData("user", "u", "bots", "", "", "add-source-error")]
    [InlineData("user", "u", "bots", "manual", "2001-01-01T00:00", "add-expiresAt-error")]
    [InlineData("user", "u", "bots", "manual", "soon", "add-expiresAt-error")]
    public async Task Add_OfWhatIsWrong_SaysSoBesideTheFieldAndKeepsWhatWasTyped(string kind, string subject, string reason, string source, string end, string error)
    {
        var page = (await AddAsync(kind, subject, reason, source, end, zh: true)).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.Contains($"id=\"{error}\"", page.Html);
        Assert.Contains($"value=\"{subject}\"", page.Html);
        Assert.DoesNotContain("must be", page.Html, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Import_OfTheCsvThatWasDownloaded_ChangesNothing()
    {
        var (user, other) = (NewUser(), NewUser());
        (await AddAsync("user", user, "=HYPERLINK(\"x\"), twice", "+1", "2099-05-01T08:00")).Expect(HttpStatusCode.SeeOther);
        (await AddAsync("user", other, "机器人", "manual", "")).Expect(HttpStatusCode.SeeOther);

        var csv = (await Rita.GetAsync("/console/blacklist.csv?kind=user")).Expect(HttpStatusCode.OK);
        Assert.Equal([0xEF, 0xBB, 0xBF], csv.Bytes[..3]);
        Assert.Contains(csv.Lines, line => line.StartsWith($"user,{user},\"'=HYPERLINK(\"\"x\"\"), twice\",'+1,2099-05-01 08:00:00,rita,", StringComparison.Ordinal));

        // As text, and as the file that a browser sends.
        var imported = (await Rita.PostAsync("/console/en/blacklist/import", ("kind", "user"), ("lines", csv.Html))).Expect(HttpStatusCode.OK);
        Assert.Contains("Imported: 0 added, 0 changed,", imported.Text);
        using var form = new MultipartFormDataContent { { new StringContent("user"), "kind" }, { new ByteArrayContent(csv.Bytes), "file", "blacklist.csv" } };
        var sent = await Rita.SendAsync(HttpMethod.Post, "/console/en/blacklist/import", form, shop.Server.Address.GetLeftPart(UriPartial.Authority));
        Assert.Contains("Imported: 0 added, 0 changed,", sent.Expect(HttpStatusCode.OK).Text);
    }

    [Fact]
    public async Task Import_OfLinesInEitherForm_AddsThem()
    {
        var (user, other) = (NewUser(), NewUser());
        var lines = $$"""
            类型,对象,原因,来源,到期
            user,{{user}},bots,list,2099-01-01 00:00

            {"kind":"user","subject":"{{other}}","reason":"bots","source":"list"}
            """;

        var page = (await Rita.PostAsync("/console/en/blacklist/import", ("kind", "user"), ("lines", lines))).Expect(HttpStatusCode.OK);

        Assert.Contains("Imported: 2 added", page.Text);
        Assert.Contains(user, (await Rita.GetAsync($"/console/blacklist?subject={user}")).Text);
    }

    [Fact]
    public async Task Import_WithAWrongLine_NamesItAndImportsNothing()
    {
        var user = NewUser();
        var lines = $"user,{user},bots,list\nuser,,bots,list\nshoe,x,bots,list\n{{broken\nuser,{user},again,list";

        var zh = (await Rita.PostAsync("/console/blacklist/import", ("kind", "user"), ("lines", lines))).Expect(HttpStatusCode.UnprocessableEntity);
        var en = (await Rita.PostAsync("/console/en/blacklist/import", ("kind", "user"), ("lines", lines))).Expect(HttpStatusCode.UnprocessableEntity);

        Assert.All((string[])["第 2 行，对象", "第 3 行，类型", "第 4 行", "第 5 行：与第 1 行重复。"], expected => Assert.Contains(expected, zh.Text));
        Assert.DoesNotContain("must be", zh.Text);
        Assert.Contains("Line 5: Is about the same as line 1.", en.Text);
        Assert.Contains($"user,{user},bots,list", WebUtility.HtmlDecode(en.Html));
        Assert.Contains("不在黑名单中", (await Rita.GetAsync($"/console/blacklist?subject={user}")).Text);
    }

    [Fact]
    public async Task Import_OfTenThousandLines_FitsIntoTheForm()
    {
        var lines = new StringBuilder();
        for (var i = 1; i <= 10_000; i++)
        {
            lines.Append(System.Globalization.CultureInfo.InvariantCulture, $"device,{i:x16},许多账号使用同一设备,list,2099-01-01 00:00\n");
        }

        var page = await Rita.SendAsync(
            HttpMethod.Post, "/console/en/blacklist/import",
            new MultipartFormDataContent { { new StringContent("device"), "kind" }, { new StringContent(lines.ToString()), "lines" } },
            shop.Server.Address.GetLeftPart(UriPartial.Authority));

        Assert.Contains("Imported: 10,000 added", page.Expect(HttpStatusCode.OK).Text);
        var first = await Rita.GetAsync("/console/en/blacklist?kind=device");
        Assert.Contains("after=0000000000000032", first.Html);
        Assert.Contains("0000000000000033", (await Rita.GetAsync("/console/en/blacklist?kind=device&after=0000000000000032")).Text);
        var one = (await Rita.PostAsync("/console/en/blacklist/import", ("kind", "device"), ("lines", lines + "user,one-too-many,x,x"))).Expect(HttpStatusCode.UnprocessableEntity);
        Assert.Contains("Line 10001: Is one too many: at most 10,000 at once.", one.Text);
    }

    [Fact]
    public async Task Page_OfAnAuditor_HasNothingToPress()
    {
        var page = (await new DeskVisitor(shop.Server, "ada", "auditor").GetAsync("/console/blacklist")).Expect(HttpStatusCode.OK);

        Assert.DoesNotContain("method=\"post\" action=\"/console/blacklist", page.Html);
    }

    private Task<DeskPage> AddAsync(string kind, string subject, string reason, string source, string end, bool zh = false) => Rita.PostAsync(
        zh ? "/console/blacklist" : "/console/en/blacklist", ("kind", kind), ("subject", subject), ("reason", reason), ("source", source), ("expiresAt", end));
}
