using FlashSale.Bench;

// dotnet run --project bench -c Release -- orders | rows | memory | hot-row | scale | gate | mysql | edge | assess | blacklist | storefront | telemetry | all
// The last argument `serve-…` starts one of the servers that are compared; the benchmarks start them, and MariaDB and Redis, themselves.
return args switch
{
    ["orders", ..] => await OrderBench.RunAsync(Seconds(args)),
    ["rows", ..] => await RowsBench.RunAsync(Seconds(args)),
    ["memory"] => await MemoryBench.RunAsync(),
    ["hot-row", ..] => await HotRowBench.RunAsync(Seconds(args)),
    ["scale", ..] => await ScaleBench.RunAsync(Seconds(args)),
    ["gate", ..] => await GateBench.RunAsync(Seconds(args)),
    ["mysql", ..] => await MySqlBench.RunAsync(Seconds(args)),
    ["edge", ..] => await EdgeBench.RunAsync(Seconds(args)),
    ["storefront", ..] => await StorefrontBench.RunAsync(args.Length > 1 ? Seconds(args) : 3),
    ["telemetry", ..] => await TelemetryBench.RunAsync(Number(args, 1, 10), Number(args, 2, 5)),
    ["blacklist"] => await BlacklistBench.RunAsync(),
    ["assess", ..] => await AssessBench.RunAsync(args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 10_000),
    ["all", ..] => await AllAsync(Seconds(args)),
    ["serve-bare", var url] => await BareServer.RunAsync(url),
    ["serve-files", var url] => await FilesServer.RunAsync(url),
    ["serve-no-storage", var url] => await NoStorageServer.RunAsync(url),
    ["serve-signed", var url] => await SignedServer.RunAsync(url),
    ["serve-per-order", var url] => await PerOrderServer.RunAsync(url),
    _ => Usage(),
};

static int Seconds(string[] args) => Number(args, 1, 8);

static int Number(string[] args, int at, int otherwise) => args.Length > at ? int.Parse(args[at], System.Globalization.CultureInfo.InvariantCulture) : otherwise;

static async Task<int> AllAsync(int seconds)
{
    var worst = 0;
    foreach (var bench in (Func<Task<int>>[])[
        () => OrderBench.RunAsync(seconds), () => RowsBench.RunAsync(seconds), MemoryBench.RunAsync, () => HotRowBench.RunAsync(seconds),
        () => ScaleBench.RunAsync(seconds), () => GateBench.RunAsync(seconds), () => MySqlBench.RunAsync(seconds)])
    {
        worst = Math.Max(worst, await bench());
    }

    return worst;
}

static int Usage()
{
    Console.Error.WriteLine("usage: bench orders | rows | hot-row | scale | gate | mysql | edge | storefront | all [seconds], or bench memory | blacklist, or bench assess [reservations], or bench telemetry [pairs] [seconds]");
    return 2;
}
