namespace FlashSale.Tests;

/// <summary>The sources that these tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] Made = ["artifacts", "bin", "obj", ".git", "node_modules", "TestResults"];

    public static string Root { get; } = FindRoot();

    /// <summary>Every file of a folder as a path from the root with <c>/</c>, without what builds and runs have made.</summary>
    public static IEnumerable<string> Files(string folder = "", string pattern = "*")
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, folder), pattern))
        {
            yield return Path.GetRelativePath(Root, file).Replace('\\', '/');
        }

        foreach (var inner in Directory.EnumerateDirectories(Path.Combine(Root, folder)).Where(inner => !IsMade(inner)))
        {
            foreach (var file in Files(Path.GetRelativePath(Root, inner), pattern))
            {
                yield return file;
            }
        }
    }

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static bool IsMade(string folder) =>
        Made.Contains(Path.GetFileName(folder)) || Path.GetRelativePath(Root, folder) == Path.Combine("src", "Server", "data");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "FlashSale.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder.FullName;
    }
}
