namespace FlashSale.Server.Hosting;

/// <summary>
/// What can be asked of the program instead of a start: <c>config</c> prints the settings that would be in force, without secrets, or all errors; <c>settings</c> the
/// reference of all of them; <c>health</c> asks the instance that runs (<see cref="HealthCommand"/>).
/// </summary>
public static class SettingsCommands
{
    private const string Config = "config";
    private const string Reference = "settings";
    private const string Health = "health";

    public static bool AreIn(string[] args) => args.Length > 0 && args[0] is Config or Reference or Health;

    /// <returns>The exit code.</returns>
    public static async Task<int> AnswerAsync(string[] args, IConfiguration configuration, Settings? settings, IReadOnlyList<string> errors)
    {
        if (args.Length > 0 && args[0] == Reference)
        {
            System.Console.Out.Write(SettingsReference.Markdown());
            return 0;
        }

        if (settings is null)
        {
            return ServerSetup.Refuse(errors);
        }

        if (args.Length > 0 && args[0] == Health)
        {
            return await HealthCommand.AskAsync(configuration["urls"]);
        }

        foreach (var setting in settings.InForce)
        {
            System.Console.Out.WriteLine(setting);
        }

        return 0;
    }
}
