namespace FlashSale.Tools.Load;

internal static class HtmlReport { public static string Write(RunOutcome outcome) => outcome.Settings.CommandLine; }
