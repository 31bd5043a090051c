namespace FlashSale.Server.Console.Pages;

/// <summary>A language of the console: its tag, where its pages stand, and its words.</summary>
public sealed record ConsoleLanguage(string Tag, string Root, ConsoleTexts Texts)
{
    public static ConsoleLanguage Zh { get; } = new("zh-CN", "/console", new ConsoleTexts(isZh: true));

    public static ConsoleLanguage En { get; } = new("en", "/console/en", new ConsoleTexts(isZh: false));

    public static IReadOnlyList<ConsoleLanguage> All { get; } = [Zh, En];

    public ConsoleLanguage Other => this == Zh ? En : Zh;

    /// <summary>The address of a page in this language.</summary>
    /// <param name="path">From the root of the console, such as <c>/audit</c>; <c>/</c> for the list of sales.</param>
    public string Path(string path) => path == "/" ? Root : Root + path;
}
