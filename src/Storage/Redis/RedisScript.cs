using System.Security.Cryptography;
using System.Text;

namespace FlashSale.Storage.Redis;

/// <summary>A script of the folder Scripts, and the hash under which a server knows it once it has run there.</summary>
internal sealed class RedisScript
{
    public static readonly RedisScript Admit = new("admit");
    public static readonly RedisScript Bar = new("sale", "bar");
    public static readonly RedisScript Begin = new("begin");
    public static readonly RedisScript Blacklist = new("sale", "blacklist");
    public static readonly RedisScript BlacklistPart = new("blacklist_part");
    public static readonly RedisScript Check = new("check");
    public static readonly RedisScript Count = new("count");
    public static readonly RedisScript LoadOrders = new("orders", "load_orders");
    public static readonly RedisScript LoadUsers = new("load_users");
    public static readonly RedisScript Look = new("look");
    public static readonly RedisScript Read = new("read");
    public static readonly RedisScript Remove = new("remove");
    public static readonly RedisScript Reserve = new("reserve");
    public static readonly RedisScript Settle = new("orders", "settle");
    public static readonly RedisScript Take = new("take");
    public static readonly RedisScript TakePermits = new("take_permits");
    public static readonly RedisScript Update = new("sale", "update");
    public static readonly RedisScript Warm = new("sale", "warm");

    /// <param name="parts">Files that make up the script, in this order.</param>
    public RedisScript(params string[] parts)
    {
        Text = string.Concat(parts.Select(ReadPart));
        Call = new StorageCall("redis", parts[^1], IsOfUserLimit: parts[^1] == "take_permits");
#pragma warning disable CA5350 // SHA-1 is the name that Redis gives a script, not a protection.
        Hash = SHA1.HashData(Encoding.UTF8.GetBytes(Text));
#pragma warning restore CA5350
    }

    public string Text { get; }

    /// <summary>As it is measured.</summary>
    public StorageCall Call { get; }
    public byte[] Hash { get; }

    private static string ReadPart(string name)
    {
        using var stream = typeof(RedisScript).Assembly.GetManifestResourceStream($"FlashSale.Storage.Redis.Scripts.{name}.lua")
            ?? throw new InvalidOperationException($"The script {name} is not in the program.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
