using System.Text.Json;

namespace FlashSale.Tools.Load;

/// <summary>What a shopper's program needs of an answer, whichever document it was.</summary>
internal sealed class Answer
{
    /// <summary>0 when no whole answer came.</summary>
    public int Status { get; set; }

    /// <summary>Of a problem; <c>timeout</c> or <c>transport</c> with status 0.</summary>
    public string? Code { get; set; }

    /// <summary>Of a problem; <c>none</c> also when the request never left.</summary>
    public string? Effect { get; set; }
    public string? Id { get; private set; }

    /// <summary>The status word of an order, reservation or payment.</summary>
    public string? State { get; private set; }
    public string? Coupon { get; private set; }
    public string? PayUrl { get; private set; }
    public string? Token { get; private set; }
    public string? Device { get; private set; }
    public string? Visit { get; private set; }

    /// <summary>To be solved before the same call may succeed.</summary>
    public Challenge? Challenge { get; private set; }
    public DateTimeOffset? OpensAt { get; private set; }
    public long? RetryAfterMs { get; set; }

    public byte[] Body { get; set; } = [];

    /// <summary>The whole document of a refusal, for operators.</summary>
    public string? Detail { get; set; }

    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>Reads the top level of a document in one pass; anything that is not JSON leaves the answer as it is.</summary>
    public void Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                ReadProperty(ref reader);
            }
        }
        catch (JsonException)
        {
            // A page of a proxy. The status says what there is to say.
        }
    }

    private void ReadProperty(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("coupon"u8))
        {
            reader.Read();
            Coupon = ReadCoupon(ref reader);
            return;
        }

        if (reader.ValueTextEquals("challenge"u8))
        {
            reader.Read();
            Challenge = Challenge.Read(ref reader);
            return;
        }

        if (reader.ValueTextEquals("retryAfterMs"u8))
        {
            reader.Read();
            RetryAfterMs = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var wait) ? wait : RetryAfterMs;
            return;
        }

        if (reader.ValueTextEquals("opensAt"u8))
        {
            reader.Read();
            OpensAt = reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var at) ? at : null;
            return;
        }

        if (reader.ValueTextEquals("id"u8))
        {
            Id = ReadText(ref reader);
        }
        else if (reader.ValueTextEquals("status"u8))
        {
            State = ReadText(ref reader);
        }
        else if (reader.ValueTextEquals("code"u8))
        {
            Code = ReadText(ref reader);
        }
        else if (reader.ValueTextEquals("effect"u8))
        {
            Effect = ReadText(ref reader);
        }
        else if (reader.ValueTextEquals("payUrl"u8))
        {
            PayUrl = ReadText(ref reader);
        }
        else if (reader.ValueTextEquals("token"u8))
        {
            Token = ReadText(ref reader);
        }
        else if (reader.ValueTextEquals("device"u8))
        {
            Device = ReadText(ref reader);
        }
        else if (reader.ValueTextEquals("visit"u8))
        {
            Visit = ReadText(ref reader);
        }
        else
        {
            reader.Skip();
        }
    }

    private static string? ReadText(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
        {
            return reader.GetString();
        }

        reader.Skip();
        return null;
    }

    private static string? ReadCoupon(ref Utf8JsonReader reader)
    {
        string? code = null;
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("code"u8))
                {
                    code = ReadText(ref reader);
                }
                else
                {
                    reader.Skip();
                }
            }
        }

        return code;
    }
}
