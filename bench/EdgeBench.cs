namespace FlashSale.Bench;

public static class EdgeBench
{
    public static async Task<int> RunAsync(int seconds)
    {
        var keys = new BenchKeys();
        var data = BenchSale.NewDirectory();
        var sale = await BenchSale.CreateInFileAsync(data, stock: 1);
        var requests = BenchSale.Requests([sale], keys, repeat: true);
        await using var server = await ServerProcess.StartOtherAsync("serve-bare", keys);
        for (var i = 0; i < 2; i++)
        {
            var before = Environment.CpuUsage.TotalTime;
            var a = await new Crowd(server.Url, 512).RunAsync(requests, TimeSpan.FromSeconds(seconds));
            var middle = Environment.CpuUsage.TotalTime;
            var b = PumpCrowd.Run(server.Url, 512, requests, TimeSpan.FromSeconds(seconds));
            var end = Environment.CpuUsage.TotalTime;
            Console.WriteLine($"crowd {a.PerSecond:N0}/s p99 {a.P99Ms:N1} {(middle - before).TotalMicroseconds / a.Requests:N1} us each; pump {b.PerSecond:N0}/s p99 {b.P99Ms:N1} {(end - middle).TotalMicroseconds / (b.PerSecond * seconds):N1} us each");
        }

        return 0;
    }
}
