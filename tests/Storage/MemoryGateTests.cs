using FlashSale.Storage;
using FlashSale.Storage.Memory;

namespace FlashSale.Tests.Storage;

public sealed class MemoryGateTests : GateContract
{
    protected override Task<IGate> CreateGateAsync() => Task.FromResult<IGate>(new MemoryGate());
}
