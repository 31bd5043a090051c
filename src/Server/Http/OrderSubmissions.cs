using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Unicode;

using FlashSale.Core;
using FlashSale.Core.Tokens;
using FlashSale.Core.Wire;
using FlashSale.Server.Telemetry;

namespace FlashSale.Server.Http;

/// <summary>A request to order whose session and order token are good, and the moment until which it may cost something.</summary>
/// <param name="Deadline">A timestamp of the time provider.</param>
public sealed record OrderSubmission(OrderToken Token, long Deadline)
{
    /// <summary>Its address or device may not take part: why, for the count.</summary>
    public OrderDecision? Barred { get; init; }

    /// <summary>A timestamp of the time provider.</summary>
    public long ArrivedAt { get; init; }

    /// <summary>Null when the request is not traced.</summary>
    public Activity? Trace { get; init; }

    /// <param name="left">What is left of the time for it.</param>
    /// <param name="token">Good.</param>
    /// <param name="time">Of the deadline.</param>
    /// <param name="arrivedAt">A timestamp; null for now.</param>
    public static OrderSubmission Within(TimeSpan left, OrderToken token, TimeProvider time, long? arrivedAt = null)
    {
        var now = time.GetTimestamp();
        return new OrderSubmission(token, DeadlineOf(now, left, time)) { ArrivedAt = arrivedAt ?? now, Trace = Traces.Current };
    }

    /// <summary>The same with a new deadline, for one that had to wait.</summary>
    public OrderSubmission Renew(TimeSpan left, TimeProvider time) => this with { Deadline = DeadlineOf(time.GetTimestamp(), left, time) };

    private static long DeadlineOf(long now, TimeSpan left, TimeProvider time) => now + (long)(left.TotalSeconds * time.TimestampFrequency);
}

/// <summary>What was read of a request to order: a token that is good, or why there is none.</summary>
/// <param name="Problem">What the caller is told.</param>
public readonly record struct OrderReading(OrderDecision? Refusal, ProblemCode Problem, OrderToken Token)
{
    public OrderReading(OrderDecision refusal)
        : this(refusal, DecisionKind.Of(refusal).Problem!.Value, default)
    {
    }
}

/// <summary>Reads the body of <c>POST /api/v1/orders</c> and checks the order token in it, without a look-up.</summary>
public sealed class OrderSubmissions(OrderTokens tokens, Devices devices, RecentFaults faults, TimeProvider time)
{
    public ValueTask<OrderReading> ReadAsync(HttpContext context, UserId user)
    {
        // Nearly always the body came with the head.
        var read = context.TakeBody();
        return read.IsCompleted && read.Buffer.Length <= Limits.OrderBodyBytes ? new(Take(context, read.Buffer, user)) : ReadOnAsync(context, user, read);
    }

    /// <summary>A token by itself, as from a form.</summary>
    public OrderReading Verify(HttpContext context, ReadOnlySpan<byte> text, UserId user)
    {
        if (text.IsEmpty)
        {
            return new OrderReading(OrderDecision.TokenMissing);
        }

        var verdict = tokens.Verify(text, user, time.GetUtcNow(), out var token);
        if (verdict == TokenVerdict.Valid && token.Device.IsKnown && devices.Read(context, out _) != token.Device)
        {
            verdict = TokenVerdict.WrongDevice;
        }

        if (verdict == TokenVerdict.Valid)
        {
            return new OrderReading(null, default, token);
        }

        if (verdict != TokenVerdict.Malformed)
        {
            // What was a token once, or looks like one, was sent on purpose.
            faults.Note(user, ConductKind.TokenRefused);
        }

        // Whose signature is right tells its sale, though it is refused: too young, too old, another device's.
        return new OrderReading(DecisionKind.Of(verdict)) { Token = token };
    }

    private async ValueTask<OrderReading> ReadOnAsync(HttpContext context, UserId user, System.IO.Pipelines.ReadResult read)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            if (read.Buffer.Length > Limits.OrderBodyBytes)
            {
                reader.AdvanceTo(read.Buffer.End);
                return new OrderReading(OrderDecision.Malformed, ProblemCode.BodyTooLarge, default);
            }

            if (read.IsCompleted)
            {
                return Take(context, read.Buffer, user);
            }

            // Nothing was read yet when the buffer is that of no reading.
            if (read.Buffer.Length > 0)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }

            read = await context.ReadBodyAsync();
        }
    }

    private OrderReading Take(HttpContext context, ReadOnlySequence<byte> body, UserId user)
    {
        var reading = Read(context, body, user);
        context.Request.BodyReader.AdvanceTo(body.End);
        return reading;
    }

    private OrderReading Read(HttpContext context, ReadOnlySequence<byte> body, UserId user)
    {
        if (body.IsEmpty)
        {
            return new OrderReading(OrderDecision.TokenMissing);
        }

        if (!RequestBody.IsJson(context.Request))
        {
            return new OrderReading(OrderDecision.Malformed, ProblemCode.UnsupportedMediaType, default);
        }

        try
        {
            return ReadJson(context, body.IsSingleSegment ? body.FirstSpan : body.ToArray(), user) ?? new OrderReading(OrderDecision.Malformed);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Not JSON, or a name with half a surrogate pair in it.
            return new OrderReading(OrderDecision.Malformed);
        }
    }

    /// <summary>Null when the body is JSON, but no object. Of several tokens the last one counts, as in any JSON object.</summary>
    private OrderReading? ReadJson(HttpContext context, ReadOnlySpan<byte> body, UserId user)
    {
        // The reader takes what is in quotes as it comes.
        if (!Utf8.IsValid(body))
        {
            return null;
        }

        var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = Limits.JsonDepth });
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        var token = new OrderReading(OrderDecision.TokenMissing);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isToken = json.ValueTextEquals("token"u8);
            json.Read();
            if (isToken)
            {
                token = json.TokenType == JsonTokenType.String && !json.ValueIsEscaped
                    ? Verify(context, json.ValueSpan, user)
                    : new OrderReading(OrderDecision.TokenMalformed);
            }

            json.Skip();
        }

        // Reads to the end, so that what follows the object is malformed.
        while (json.Read())
        {
        }

        return token;
    }
}
