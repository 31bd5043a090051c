using System.Text.Json;
using System.Text.Unicode;

using FlashSale.Core;
using FlashSale.Core.Orders;
using FlashSale.Core.Wire;

namespace FlashSale.Server.Payments;

/// <summary>Checks and books what the sandbox provider reports, however it arrives: over HTTP, or from the sandbox's own page.</summary>
public sealed class SandboxCallbacks(SandboxProvider sandbox, PaymentDesk desk)
{
    /// <summary>Null when it is booked, or was before; else why nothing changed.</summary>
    public async Task<ProblemCode?> BookAsync(byte[] body, string? signature)
    {
        // The signature comes first: nothing of an unsigned body is looked at.
        if (!sandbox.IsSigned(body, signature))
        {
            return ProblemCode.SignatureRejected;
        }

        if (Read(body) is not { } callback)
        {
            return ProblemCode.MalformedRequest;
        }

        if (!PaymentId.TryParse(callback.PaymentId, out var payment)
            || !OrderId.TryParse(callback.OrderId, out var order)
            || callback.Status == PaymentStatus.Pending)
        {
            return ProblemCode.InvalidFields;
        }

        return await desk.CompleteAsync(payment, order, callback.Amount, callback.Status == PaymentStatus.Paid) switch
        {
            PaymentOutcome.WrongAmount => ProblemCode.AmountMismatch,
            PaymentOutcome.UnknownPayment => ProblemCode.InvalidFields,
            _ => null,
        };
    }

    private static PaymentCallback? Read(byte[] body)
    {
        try
        {
            return Utf8.IsValid(body) ? JsonSerializer.Deserialize(body, WireJson.Default.PaymentCallback) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
