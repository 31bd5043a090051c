using System.Text.Json;

using FlashSale.Core.Wire;

namespace FlashSale.Core.Orders;

/// <summary>How the dealer reaches whoever has an order: personal data, which goes to its owner and the dealer alone.</summary>
/// <param name="Name">1 to <see cref="Limits.ContactNameLength"/> characters.</param>
/// <param name="Phone">5 to <see cref="Limits.ContactPhoneLength"/> digits, spaces, + and -; at least 5 are digits.</param>
/// <param name="City">1 to <see cref="Limits.ContactCityLength"/> characters.</param>
public sealed record OrderContact(string Name, string Phone, string City)
{
    private const int PhoneDigitsMin = 5;

    /// <summary>What of it is not valid stands in the errors of <paramref name="fields"/>. Spaces around are not kept.</summary>
    public static OrderContact Read(FieldReader fields)
    {
        var contact = new OrderContact(
            fields.Text("name", Limits.ContactNameLength).Trim(),
            fields.Text("phone", Limits.ContactPhoneLength).Trim(),
            fields.Text("city", Limits.ContactCityLength).Trim());
        if (fields.IsGood("phone") && !IsPhone(contact.Phone))
        {
            fields.Fail("phone", $"must be {PhoneDigitsMin} to {Limits.ContactPhoneLength} digits, spaces, + and -");
        }

        return contact;
    }

    /// <summary>The same of what was typed into a form. Null with the errors by field.</summary>
    public static OrderContact? Of(string? name, string? phone, string? city, out IReadOnlyDictionary<string, string[]> errors)
    {
        var fields = new FieldReader(JsonSerializer.SerializeToElement(new OrderContact(name!, phone!, city!), WireJson.Default.OrderContact));
        var contact = Read(fields);
        errors = fields.Errors;
        return fields.IsValid ? contact : null;
    }

    /// <summary>Says nothing: no log, and no message of an error, has a person in it.</summary>
    public override string ToString() => nameof(OrderContact);

    private static bool IsPhone(string phone) =>
        phone.All(c => char.IsAsciiDigit(c) || c is ' ' or '+' or '-') && phone.Count(char.IsAsciiDigit) >= PhoneDigitsMin;
}
