using Xunit;

namespace FlashSale.Tests;

/// <summary>
/// A server at its peak, or what is told by milliseconds: alone on the machine. The pump of the load generator goes before every other thread (Epoll.GoFirst), and
/// what runs beside it would stand still meanwhile.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class PeakCollection
{
    public const string Name = "peak";
}
