using FlashSale.Core;
using FlashSale.Core.Wire;
using FlashSale.Server.Http;
using FlashSale.Server.Storefront.Views;

namespace FlashSale.Server.Storefront;

/// <param name="Return">Where to go after it.</param>
/// <param name="Typed">The name that will not do, when <paramref name="Invalid"/>.</param>
/// <param name="Dealer">In the demo: as a dealer.</param>
public sealed record SignInModel(string Return, string Typed = "", bool Invalid = false, bool Dealer = false);

/// <summary>Sign-in and sign-out. In the demo anybody may be anybody; elsewhere the shop signs people in, and the page says so.</summary>
public static class SessionPages
{
    private const string DealerRole = "dealer";

    public static void MapSessionPages(this IEndpointRouteBuilder app, Language language)
    {
        app.MapGet("/sign-in", (HttpContext context) =>
            Visit.Begin(context, language).Show<SignInPage>(new SignInModel(HtmlPages.LocalPath(context.Request.Query["return"]))));
        app.MapPost("/sign-in", (HttpContext context, Sessions sessions) => SignInAsync(Visit.Begin(context, language), sessions, context));
        app.MapPost("/sign-out", (HttpContext context) => SignOut(Visit.Begin(context, language), context));
    }

    /// <summary>
    /// The answer to a form without a session: 403 when the browser does not say that it came from our own pages, else the sign-in and back to
    /// <paramref name="path"/>.
    /// </summary>
    public static IResult Refuse(Visit visit, string path, HttpContext context) =>
        Sessions.IsOwnOrigin(context.Request) ? visit.SignIn(HtmlPages.LocalPath(path)) : ProblemPages.Show(visit, ProblemCode.Forbidden, context);

    private static async Task<IResult> SignInAsync(Visit visit, Sessions sessions, HttpContext context)
    {
        // Nobody may be signed in by another site, as somebody of its choice.
        if (!visit.Demo || !Sessions.IsOwnOrigin(context.Request))
        {
            return ProblemPages.Show(visit, ProblemCode.Forbidden, context);
        }

        if (await Visit.ReadFormAsync(context) is not { } form)
        {
            return ProblemPages.Show(visit, ProblemCode.MalformedRequest, context);
        }

        var back = HtmlPages.LocalPath(form["return"]);
        var typed = form["user"].ToString().Trim();
        var dealer = form["role"] == DealerRole;
        if (!UserId.TryParse(typed, out var user))
        {
            return visit.Show<SignInPage>(new SignInModel(back, typed[..Math.Min(typed.Length, Limits.UserIdLength)], Invalid: true, dealer), StatusCodes.Status422UnprocessableEntity);
        }

        context.Response.Cookies.Append(
            Sessions.CookieName,
            sessions.Create(user, dealer ? [DealerRole] : [], DemoSessionEndpoints.Lifetime),
            CookieOf(context, DemoSessionEndpoints.Lifetime));
        return visit.See(back);
    }

    private static IResult SignOut(Visit visit, HttpContext context)
    {
        if (!Sessions.IsOwnOrigin(context.Request))
        {
            return ProblemPages.Show(visit, ProblemCode.Forbidden, context);
        }

        context.Response.Cookies.Delete(Sessions.CookieName, CookieOf(context, null));
        return visit.See("/");
    }

    private static CookieOptions CookieOf(HttpContext context, TimeSpan? maxAge) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = context.Request.IsHttps,
        Path = "/",
        MaxAge = maxAge,
        IsEssential = true,
    };
}
