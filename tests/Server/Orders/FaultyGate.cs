using System.Reflection;

using FlashSale.Storage;

namespace FlashSale.Tests.Server.Orders;

/// <summary>A real gate that can be cut off, from settlements or from everything, as one on another machine is at times.</summary>
public class FaultyGate : DispatchProxy
{
    private IGate inner = null!;

    public bool CannotBeTold { get; set; }

    /// <summary>As if it stood on another machine.</summary>
    public bool IsShared { get; set; }

    /// <summary>Nothing can be asked, as when that machine is gone.</summary>
    public bool IsAway { get; set; }

    public bool HasBlacklist => BlacklistLoads > 0;

    /// <summary>How often it was given the whole blacklist.</summary>
    public int BlacklistLoads { get; private set; }

    /// <summary>Called when a sale is about to be loaded.</summary>
    public Action? OnWarmUp { get; set; }

    /// <summary>Awaited once, when a user is about to be barred or let in again.</summary>
    public Func<Task>? OnBar { get; set; }

    /// <summary>How often it was asked for an admission.</summary>
    public int Asked { get; private set; }

    public static (IGate Gate, FaultyGate Faults) Wrap(IGate inner)
    {
        var gate = Create<IGate, FaultyGate>();
        var faults = (FaultyGate)(object)gate;
        faults.inner = inner;
        return (gate, faults);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        switch (targetMethod!.Name)
        {
            case "get_" + nameof(IGate.IsShared):
                return IsShared;
            case nameof(IGate.AdmitAsync):
                Asked++;
                break;
            case nameof(IGate.LoadBlacklistAsync):
                BlacklistLoads++;
                break;
            case nameof(IGate.WarmUpAsync):
                OnWarmUp?.Invoke();
                break;
            case nameof(IGate.BarAsync) when OnBar is { } before:
                OnBar = null;
                return new ValueTask(AfterAsync(before, () => (ValueTask)targetMethod.Invoke(inner, args)!));
            case nameof(IGate.SettleAsync) when CannotBeTold:
                throw new IOException("The connection to the gate is gone.");
        }

        return IsAway
            ? throw new GateUnavailableException("The machine of the gate is gone.")
            : targetMethod.Invoke(inner, BindingFlags.DoNotWrapExceptions, binder: null, args, culture: null);
    }

    private static async Task AfterAsync(Func<Task> before, Func<ValueTask> call)
    {
        await before();
        await call();
    }
}
