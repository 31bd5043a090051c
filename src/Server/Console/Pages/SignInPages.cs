using FlashSale.Core;
using FlashSale.Server.Console.Views;
using FlashSale.Server.Http;

namespace FlashSale.Server.Console.Pages;

/// <param name="Return">Where to go after it.</param>
/// <param name="Failed">What was sent will not do.</param>
public sealed record SignInModel(string Return, bool Failed = false);

/// <summary>
/// Sign-in to the console: with a session token of the shop's identity system; in the demo as anybody in any role. The console has a cookie of its own, which is
/// sent to nothing but the console, and never from another site.
/// </summary>
public static class SignInPages
{
    private static readonly TimeSpan DemoLifetime = TimeSpan.FromHours(8);

    public static void MapSignIn(this PageMap pages)
    {
        pages.Get("/sign-in", Roles.None, (visit, context) => Task.FromResult(visit.Show<SignInPage>(new SignInModel(HtmlPages.LocalPath(context.Request.Query["return"])))));
        pages.Post("/sign-in", Roles.None, SignInAsync);
        pages.Post("/sign-out", Roles.None, (visit, _, context) =>
        {
            context.Response.Cookies.Delete(ConsoleVisit.CookieName, CookieOf(context, null));
            return Task.FromResult(visit.See("/sign-in"));
        });
    }

    private static Task<IResult> SignInAsync(ConsoleVisit visit, IFormCollection form, HttpContext context)
    {
        var sessions = context.RequestServices.GetRequiredService<Sessions>();
        var back = HtmlPages.LocalPath(form["return"]);
        var token = visit.Settings.Demo && form["token"].ToString().Length == 0 ? DemoToken(form, sessions) : form["token"].ToString().Trim();
        if (token is null || !sessions.TryVerify(token, out var session) || (session.Roles & PageMap.Anybody) == Roles.None)
        {
            return Task.FromResult(visit.Show<SignInPage>(new SignInModel(back, Failed: true), StatusCodes.Status422UnprocessableEntity));
        }

        context.Response.Cookies.Append(ConsoleVisit.CookieName, token, CookieOf(context, session.ExpiresAt - visit.Now));
        return Task.FromResult(visit.See(back));
    }

    private static string? DemoToken(IFormCollection form, Sessions sessions) =>
        UserId.TryParse(form["user"].ToString().Trim(), out var user)
            ? sessions.Create(user, [.. form["role"].OfType<string>().Where(word => word.Length <= Limits.UserIdLength).Take(8)], DemoLifetime)
            : null;

    private static CookieOptions CookieOf(HttpContext context, TimeSpan? maxAge) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = context.Request.IsHttps,
        Path = "/console",
        MaxAge = maxAge,
        IsEssential = true,
    };
}
