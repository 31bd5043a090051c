namespace FlashSale.Server.Console.Pages;

/// <summary>Words that several desks share.</summary>
public sealed partial class ConsoleTexts
{
    public string CsvCut(int rows) => Of($"（仅前 {Number(rows)} 行）", $"(the first {Number(rows)} rows only)");
    public string TimeWord => Of("时间", "Time");
    public string UserWord => Of("用户", "User");
    public string StateWord => Of("状态", "State");
    public string AllWord => Of("全部", "All");
    public string ShowWord => Of("查看", "Show");
    public string NothingFound => Of("没有符合条件的记录。", "Nothing matches.");
    public string NothingFoundYet => Of("已查找的记录中没有符合条件的，可继续查找。", "Nothing that was looked through matches; there is more to look through.");
    public string LookFurther => Of("继续查找", "Look further");
    public string InvalidSearch => Of("查询条件无效。", "The search is not valid.");
}
