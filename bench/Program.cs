using FlashSale.Bench;

// dotnet run --project bench -c Release -- orders | rows | memory | mysql | all
// The last argument `serve-…` starts one of the servers that are compared; the benchmarks start them themselves.
return args switch
{
    ["orders", ..] => await OrderBench.RunAsync(Seconds(args)),
    ["rows", ..] => await RowsBench.RunAsync(Seconds(args)),
    ["mysql", var connection, ..] => await MySqlBench.RunAsync(connection, Seconds(args[1..])),
    ["memory"] => await MemoryBench.RunAsync(),
    ["all", ..] => Math.Max(Math.Max(await OrderBench.RunAsync(Seconds(args)), await RowsBench.RunAsync(Seconds(args))), await MemoryBench.RunAsync()),
    ["serve-bare", var url] => await BareServer.RunAsync(url),
    ["serve-no-storage", var url] => await NoStorageServer.RunAsync(url),
    ["serve-signed", var url] => await SignedServer.RunAsync(url),
    _ => Usage(),
};

static int Seconds(string[] args) => args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 8;

static int Usage()
{
    Console.Error.WriteLine("usage: bench orders [seconds] | rows [seconds] | memory | mysql CONNECTION-STRING [seconds] | all [seconds]");
    return 2;
}
