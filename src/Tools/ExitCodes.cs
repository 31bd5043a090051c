namespace FlashSale.Tools;

/// <summary>What the command's exit code says; the same for <c>load</c>, <c>verify</c>, <c>verify-draw</c> and <c>verify-audit</c>.</summary>
public static class ExitCodes
{
    /// <summary>Every invariant held.</summary>
    public const int Holds = 0;

    /// <summary>At least one invariant was violated.</summary>
    public const int Violated = 1;

    /// <summary>Bad options, an unreadable history, or a target that does not answer as the API says.</summary>
    public const int Usage = 2;

    /// <summary>Nothing was violated, but the run proves nothing: no order was placed, nothing was drawn, or the audit log is empty.</summary>
    public const int ProvesNothing = 3;
}

/// <summary>The command cannot do what it was asked; the message tells the person at the keyboard why.</summary>
public sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
