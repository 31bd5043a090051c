using FlashSale.Core.Sales;
using FlashSale.Server.Hosting;
using FlashSale.Server.Http;

namespace FlashSale.Server.Console;

/// <summary>Why a person may not publish a sale.</summary>
public enum PublicationBar
{
    None,

    /// <summary>Publication asks for the role approver.</summary>
    NeedsApprover,

    /// <summary>Whoever edited the sale since it was published does not publish it.</summary>
    NeedsAnotherPerson,
}

/// <summary>Publication by a second person, when it is switched on.</summary>
public sealed class FourEyes(Settings settings, SaleHistory history)
{
    public bool IsOn => settings.FourEyes;

    /// <summary>The role that publishes.</summary>
    public Roles RoleOf(Session session) =>
        settings.FourEyes || !session.Roles.HasFlag(Roles.Operator) ? Roles.Approver : Roles.Operator;

    /// <summary>An edit that comes after this raises the sale's revision, so that the publication then fails.</summary>
    public async Task<PublicationBar> CheckAsync(Sale sale, Session session)
    {
        if (!settings.FourEyes)
        {
            return PublicationBar.None;
        }

        if (!session.Roles.HasFlag(Roles.Approver))
        {
            return PublicationBar.NeedsApprover;
        }

        var entries = await history.ReadUntilAsync(sale.Id, entry => entry.Action == SaleActions.Published, CancellationToken.None);
        return entries.Any(entry => SaleHistory.IsEdit(entry) && entry.Actor == session.User.Value) ? PublicationBar.NeedsAnotherPerson : PublicationBar.None;
    }

    /// <summary>Null when this person may publish the sale, else why not.</summary>
    public async Task<string?> RefuseAsync(Sale sale, Session session) => await CheckAsync(sale, session) switch
    {
        PublicationBar.NeedsApprover => "Publication needs the role approver.",
        PublicationBar.NeedsAnotherPerson => "Publication needs another person than those who edited the sale.",
        _ => null,
    };
}
