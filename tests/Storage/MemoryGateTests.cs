using FlashSale.Storage;
using FlashSale.Storage.Memory;

namespace FlashSale.Tests.Storage;

public sealed class MemoryGateTests : GateContract
{
    protected override IGate CreateGate() => new MemoryGate();
}
