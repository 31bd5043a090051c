using System.Reflection;

using FlashSale.Storage;

namespace FlashSale.Tests.Server.Orders;

/// <summary>A real gate that can be cut off from settlements, as one on another machine is at times.</summary>
public class FaultyGate : DispatchProxy
{
    private IGate inner = null!;

    public bool CannotBeTold { get; set; }

    public static (IGate Gate, FaultyGate Faults) Wrap(IGate inner)
    {
        var gate = Create<IGate, FaultyGate>();
        var faults = (FaultyGate)(object)gate;
        faults.inner = inner;
        return (gate, faults);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == nameof(IGate.SettleAsync) && CannotBeTold
            ? throw new IOException("The connection to the gate is gone.")
            : targetMethod.Invoke(inner, BindingFlags.DoNotWrapExceptions, binder: null, args, culture: null);
}
