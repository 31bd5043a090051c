using FlashSale.Core.Orders;

namespace FlashSale.Server.Storefront;

/// <summary>What was typed into the fields of <c>ContactFields</c>, as it was typed.</summary>
public sealed record ContactForm(string Name, string Phone, string City)
{
    public const string NameField = "name";
    public const string PhoneField = "phone";
    public const string CityField = "city";
    public static IReadOnlyList<string> Fields { get; } = [NameField, PhoneField, CityField];

    public static ContactForm Empty { get; } = new("", "", "");

    /// <summary>Shown with what is wrong beside each field; a form that was not sent yet has nothing wrong.</summary>
    public bool Checked { get; init; }

    public bool IsEmpty => (Name + Phone + City).Length == 0;

    public static ContactForm Of(IFormCollection form) => new(form[NameField].ToString().Trim(), form[PhoneField].ToString().Trim(), form[CityField].ToString().Trim());

    public string Value(string field) => field switch
    {
        NameField => Name,
        PhoneField => Phone,
        _ => City,
    };

    /// <summary>Null when a field is wrong or missing.</summary>
    public OrderContact? ToContact() => OrderContact.Of(Name, Phone, City, out _);

    public bool IsWrong(string field)
    {
        if (!Checked)
        {
            return false;
        }

        OrderContact.Of(Name, Phone, City, out var errors);
        return errors.ContainsKey(field);
    }
}
