using FlashSale.Core;

namespace FlashSale.Storage.Redis;

/// <param name="ConnectionString">
/// In the syntax of StackExchange.Redis: <c>host:port[,host:port…][,password=…][,ssl=true]</c>. One server; nodes of a cluster (any of them, the others are
/// found); or sentinels together with <c>serviceName=…</c>.
/// </param>
public sealed record RedisGateOptions(string ConnectionString)
{
    /// <summary>
    /// Slices of each sale, 1 to 64; the same for all instances for as long as the keys are there. Default 8. 0 leaves it to the server: 8 in a cluster, else 1, since
    /// one server is not relieved by slices, and fewer admissions would share a call.
    /// </summary>
    public int Shards { get; init; } = Limits.GateShards;

    /// <summary>What all keys begin with, so that several installations can share a server. Default <c>fs</c>.</summary>
    public string KeyPrefix { get; init; } = "fs";

    /// <summary>How long an answer is waited for, 20 ms to 2 s. Default 500 ms.</summary>
    public TimeSpan Timeout { get; init; } = Limits.GateTimeout;

    /// <summary>All that is wrong with these options; never quotes the connection string, which has the password.</summary>
    public IEnumerable<string> Validate()
    {
        if (string.IsNullOrWhiteSpace(ConnectionString))
        {
            yield return "The connection string of Redis is empty.";
        }

        if (Shards is < 0 or > Limits.GateShardsMax)
        {
            yield return $"Shards is {Shards}; it must be 1 to {Limits.GateShardsMax}, or 0.";
        }

        if (KeyPrefix.Length is 0 or > 32 || !KeyPrefix.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or ':'))
        {
            yield return "KeyPrefix must be 1 to 32 of A-Z a-z 0-9 - _ :";
        }

        if (Timeout < Limits.GateTimeoutMin || Timeout > Limits.GateTimeoutMax)
        {
            yield return $"Timeout is {Timeout}; it must be {Limits.GateTimeoutMin} to {Limits.GateTimeoutMax}.";
        }
    }
}
