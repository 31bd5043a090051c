using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FlashSale.Tests.Server.Edge;

/// <summary>Bytes to a server and what comes back, as they are.</summary>
internal static class RawHttp
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Sends in one write, and reads until the server closes.</summary>
    /// <returns>Each answer from its status line on, and whether the server closed.</returns>
    public static async Task<RawAnswers> TalkAsync(Uri server, string text, TimeSpan? patience = null)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port);
        var stream = client.GetStream();
        var answer = new StringBuilder();
        var closed = false;
        using var patient = new CancellationTokenSource(patience ?? Patience);
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text), patient.Token);
            var buffer = new byte[64 * 1024];
            for (int read; (read = await stream.ReadAsync(buffer, patient.Token)) > 0;)
            {
                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }

            closed = true;
        }
        catch (IOException)
        {
            // Reset, because it had not read all that we sent. What it said before counts.
            closed = true;
        }
        catch (OperationCanceledException)
        {
            // It keeps the connection.
        }

        return new RawAnswers([.. answer.ToString().Split("HTTP/1.1 ").Skip(1)], closed);
    }
}

/// <param name="All">Each without <c>HTTP/1.1 </c>.</param>
internal sealed record RawAnswers(IReadOnlyList<string> All, bool Closed)
{
    public IEnumerable<int> Statuses => All.Select(answer => int.Parse(answer[..3]));

    public override string ToString() => $"{(Closed ? "closed" : "open")} after [{string.Join("] [", All)}]";
}
