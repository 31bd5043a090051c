using System.IO.Compression;
using System.Text;

using FlashSale.Server.Http;
using FlashSale.Server.Storefront.Publishing;

using Xunit;

namespace FlashSale.Tests.Server.Storefront.Publishing;

public sealed class SiteFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly SiteFolder site;

    public SiteFolderTests() => site = new SiteFolder(Root);

    private string Root => folder.File("site");

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Write_AVersion_LaysItOutForAnyWebServer()
    {
        site.Write(Version(7, [7]));

        Assert.Equal("7", new DirectoryInfo(Path.Combine(Root, "current")).LinkTarget);
        var text = Text("current/sales/a.html");
        Assert.Equal(text, Unpack("current/sales/a.html.gz", stream => new GZipStream(stream, CompressionMode.Decompress)));
        Assert.Equal(text, Unpack("current/sales/a.html.br", stream => new BrotliStream(stream, CompressionMode.Decompress)));
        Assert.StartsWith("list 7", Text("current/index.html"), StringComparison.Ordinal);
        Assert.StartsWith("list 7", Text("current/en/index.html"), StringComparison.Ordinal);
        Assert.Equal("script", Text("current/assets/site.7.js"));
        Assert.Equal("/x\n", Text("current/_headers"));
        // A file of six bytes is not smaller when it is packed.
        Assert.False(File.Exists(Path.Combine(Root, "7", "assets/site.7.js.gz")));
    }

    [Fact]
    public void Write_AnotherVersion_SwitchesTheLinkAndKeepsWhatMayBeShownAgain()
    {
        site.Write(Version(1, [1]));
        site.Write(Version(2, [1, 2]));
        site.Write(Version(3, [2, 3]));

        Assert.Equal(["2", "3", "current"], Directory.GetFileSystemEntries(Root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.StartsWith("list 3", Text("current/index.html"), StringComparison.Ordinal);
        site.Write(Version(2, [2, 3]));
        Assert.StartsWith("list 2", Text("current/index.html"), StringComparison.Ordinal);
        Assert.Equal("2", new DirectoryInfo(Path.Combine(Root, "current")).LinkTarget);
    }

    [Fact]
    public void Write_AfterACrash_MakesTheVersionWhole()
    {
        site.Write(Version(1, [1]));
        // Half a file after a power cut, one that was never finished, a link that was not switched, and a version that nobody knows.
        File.WriteAllText(Path.Combine(Root, "1/index.html"), "li");
        File.WriteAllText(Path.Combine(Root, "1/sales/a.html.new"), "x");
        File.WriteAllText(Path.Combine(Root, "1/sales/of-another-ledger.html"), "x");
        File.Delete(Path.Combine(Root, "current"));
        Directory.CreateSymbolicLink(Path.Combine(Root, "current.new"), "9");
        Directory.CreateDirectory(Path.Combine(Root, "9"));

        new SiteFolder(Root).Write(Version(1, [1]));

        Assert.StartsWith("list 1", Text("current/index.html"), StringComparison.Ordinal);
        Assert.Equal(["a.html", "a.html.br", "a.html.gz"], Directory.GetFiles(Path.Combine(Root, "1/sales")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(["1", "current"], Directory.GetFileSystemEntries(Root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Write_WhileSomebodyReads_ShowsOneVersionOrTheOther()
    {
        site.Write(Version(1, [1]));
        using var over = new CancellationTokenSource();
        var reading = Task.Factory.StartNew(Read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        for (var number = 2; number < 60; number++)
        {
            site.Write(Version(number, [number - 1, number]));
        }

        await over.CancelAsync();
        Assert.True(await reading > 10);

        int Read()
        {
            var read = 0;
            while (!over.IsCancellationRequested)
            {
                // As a web server does: the link is followed once, for each file.
                var list = Text("current/index.html");
                Assert.Matches("^list [0-9]+ (x{100} ?)+$", list);
                read++;
            }

            return read;
        }
    }

    [Fact]
    public void Write_WhenTheDiskRefuses_ThrowsAndLeavesWhatIsShown()
    {
        site.Write(Version(1, [1]));
        // A file where the folder of the version has to be.
        File.WriteAllText(Path.Combine(Root, "2"), "");

        Assert.ThrowsAny<IOException>(() => site.Write(Version(2, [1, 2])));

        Assert.StartsWith("list 1", Text("current/index.html"), StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => site.Write(new ShownSite(3, [3], new Dictionary<string, StoredAnswer> { ["/../../x"] = Page("x") }, null)));
        Assert.Equal("1", new DirectoryInfo(Path.Combine(Root, "current")).LinkTarget);
    }

    private static ShownSite Version(int number, long[] kept) => new(
        number,
        kept,
        new Dictionary<string, StoredAnswer>
        {
            ["/"] = Page($"list {number} "),
            ["/en"] = Page($"list {number} "),
            ["/sales/a"] = Page($"sale {number} "),
            [$"/assets/site.{number}.js"] = new("script"u8.ToArray(), "text/javascript", "public", null),
        },
        "/x\n"u8.ToArray());

    private static StoredAnswer Page(string text) =>
        new(Encoding.UTF8.GetBytes(text + string.Join(' ', Enumerable.Repeat(new string('x', 100), 20))), "text/html", "public", "default-src 'none'");

    private string Text(string file) => File.ReadAllText(Path.Combine(Root, file));

    private string Unpack(string file, Func<Stream, Stream> unpack)
    {
        using var packed = File.OpenRead(Path.Combine(Root, file));
        using var reader = new StreamReader(unpack(packed));
        return reader.ReadToEnd();
    }
}
