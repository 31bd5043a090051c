using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

using FlashSale.Core;
using FlashSale.Core.Wire;

using Microsoft.AspNetCore.Connections.Features;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FlashSale.Server.Http;

[Flags]
public enum Roles
{
    None = 0,
    Operator = 1,
    Approver = 2,
    Risk = 4,
    Dealer = 8,
    Auditor = 16,

    /// <summary>Sees how a sale goes, and no person's data.</summary>
    Viewer = 32,
}

/// <summary>Who is asking: a session token (JWT) that was checked.</summary>
public sealed record Session(UserId User, Roles Roles, DateTimeOffset ExpiresAt);

/// <summary>
/// Makes and checks session tokens: HS256, <c>iss</c> and <c>aud</c> = <c>flashsale</c>, <c>sub</c>, <c>exp</c>, <c>role</c>. A token that was found good is
/// remembered by its hash until it expires, so that a shopper's second request costs a look-up; what was found bad is not remembered.
/// </summary>
public sealed class Sessions
{
    public const string CookieName = "flashsale_session";
    private const string Issuer = "flashsale";
    private const string BearerPrefix = "Bearer ";
    private const int MaxTokenLength = 4 * 1024;

    private static readonly object LastHeader = new();
    private readonly JsonWebTokenHandler handler = new() { MaximumTokenSizeInBytes = MaxTokenLength };
    private readonly TokenValidationParameters rules;
    private readonly SigningCredentials credentials;
    private readonly TimeProvider time;

    // Two generations: when the young one is full it becomes the old one, and the old one is dropped.
    private volatile ConcurrentDictionary<TokenHash, Session> young = new();
    private volatile ConcurrentDictionary<TokenHash, Session> old = new();
    private int youngCount;

    public Sessions(byte[] signingKey, TimeProvider time)
    {
        this.time = time;
        var key = new SymmetricSecurityKey(signingKey);
        credentials = new SigningCredentials(key, SecurityAlgorithms.HmacSha256);
        rules = new TokenValidationParameters
        {
            ValidIssuer = Issuer,
            ValidAudience = Issuer,
            IssuerSigningKey = key,
            ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            LifetimeValidator = (notBefore, expires, _, _) =>
                expires > time.GetUtcNow().UtcDateTime && (notBefore is null || notBefore <= time.GetUtcNow().UtcDateTime),
        };
    }

    /// <summary>For the demo's sign-in.</summary>
    public string Create(UserId user, IReadOnlyList<string> roles, TimeSpan lifetime) => handler.CreateToken(new SecurityTokenDescriptor
    {
        Issuer = Issuer,
        Audience = Issuer,
        IssuedAt = time.GetUtcNow().UtcDateTime,
        NotBefore = time.GetUtcNow().UtcDateTime,
        Expires = (time.GetUtcNow() + lifetime).UtcDateTime,
        Claims = roles.Count == 0
            ? new Dictionary<string, object> { ["sub"] = user.Value }
            : new Dictionary<string, object> { ["sub"] = user.Value, ["role"] = roles },
        SigningCredentials = credentials,
    });

    /// <summary>
    /// The session of a request: from <c>Authorization: Bearer</c>, else from the cookie of the pages. A cookie travels by itself, so with an unsafe method it
    /// counts only when the browser says that the request comes from our own pages.
    /// </summary>
    public bool TryRead(HttpContext context, [NotNullWhen(true)] out Session? session)
    {
        session = null;
        string? header = context.Request.Headers.Authorization;
        if (header is not null)
        {
            return TryReadHeader(context, header, out session);
        }

        return context.Request.Cookies[CookieName] is { } cookie
            && (IsSafe(context.Request.Method) || IsOwnOrigin(context.Request))
            && TryVerify(cookie, out session);
    }

    /// <summary>
    /// A connection that sends the same header again has the same string for it: then the session is that of last time, without a hash. Only where one request comes
    /// after the other.
    /// </summary>
    private bool TryReadHeader(HttpContext context, string header, [NotNullWhen(true)] out Session? session)
    {
        var items = ReferenceEquals(context.Request.Protocol, HttpProtocol.Http11) ? context.Features.Get<IConnectionItemsFeature>()?.Items : null;
        if (items is not null && items.TryGetValue(LastHeader, out var kept) && kept is Kept last && ReferenceEquals(last.Header, header))
        {
            session = last.Session;
            return session.ExpiresAt > time.GetUtcNow();
        }

        session = null;
        if (!header.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase) || !TryVerify(header.AsSpan(BearerPrefix.Length), out session))
        {
            return false;
        }

        if (items is not null)
        {
            items[LastHeader] = new Kept(header, session);
        }

        return true;
    }

    public bool TryVerify(ReadOnlySpan<char> token, [NotNullWhen(true)] out Session? session)
    {
        session = null;
        if (token.Length is 0 or > MaxTokenLength || !Ascii.IsValid(token))
        {
            return false;
        }

        var hash = TokenHash.Of(token);
        if (young.TryGetValue(hash, out session) || old.TryGetValue(hash, out session))
        {
            return session.ExpiresAt > time.GetUtcNow();
        }

        session = Verify(token.ToString());
        if (session is null)
        {
            return false;
        }

        Remember(hash, session);
        return true;
    }

    public static bool IsOwnOrigin(HttpRequest request)
    {
        string? origin = request.Headers.Origin;
        return origin is not null
            ? Uri.TryCreate(origin, UriKind.Absolute, out var uri) && request.Host.HasValue && uri.Authority == request.Host.Value
            : request.Headers["Sec-Fetch-Site"] == "same-origin";
    }

    private static bool IsSafe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);

    private Session? Verify(string token)
    {
        // With a symmetric key in memory nothing is awaited: the task is complete when it is returned.
        var result = handler.ValidateTokenAsync(token, rules).GetAwaiter().GetResult();
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt || !UserId.TryParse(jwt.Subject, out var user))
        {
            return null;
        }

        var roles = Roles.None;
        foreach (var claim in jwt.Claims.Where(claim => claim.Type == "role"))
        {
            roles |= RoleOf(claim.Value);
        }

        return new Session(user, roles, new DateTimeOffset(jwt.ValidTo, TimeSpan.Zero));
    }

    /// <summary>A word that is no role of ours gives no right.</summary>
    private static Roles RoleOf(string word) =>
        word switch
        {
            "operator" => Roles.Operator,
            "approver" => Roles.Approver,
            "risk" => Roles.Risk,
            "dealer" => Roles.Dealer,
            "auditor" => Roles.Auditor,
            "viewer" => Roles.Viewer,
            _ => Roles.None,
        };

    private void Remember(TokenHash hash, Session session)
    {
        if (Interlocked.Increment(ref youngCount) > Limits.SessionsCached / 2)
        {
            old = young;
            young = new ConcurrentDictionary<TokenHash, Session>();
            Volatile.Write(ref youngCount, 0);
        }

        young[hash] = session;
    }

    private sealed record Kept(string Header, Session Session);

    /// <summary>128 bits of SHA-256: nobody finds a second text with the hash of a token that they do not have.</summary>
    private readonly record struct TokenHash(ulong A, ulong B)
    {
        public static TokenHash Of(ReadOnlySpan<char> token)
        {
            Span<byte> bytes = stackalloc byte[MaxTokenLength];
            var length = Encoding.ASCII.GetBytes(token, bytes);
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(bytes[..length], hash);
            return new TokenHash(MemoryMarshal.Read<ulong>(hash), MemoryMarshal.Read<ulong>(hash[8..]));
        }
    }
}

/// <summary>What an endpoint asks of its caller. <see cref="Roles.None"/>: any signed-in user.</summary>
public sealed record SessionRequirement(Roles AnyOf);

public static class SessionExtensions
{
    /// <summary>401 without a session.</summary>
    public static TBuilder RequireUser<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.RequireRole(Roles.None);

    /// <summary>401 without a session, 403 without one of the roles.</summary>
    public static TBuilder RequireRole<TBuilder>(this TBuilder builder, Roles anyOf)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new SessionRequirement(anyOf));

    /// <summary>The session of an endpoint that requires one.</summary>
    public static Session GetSession(this HttpContext context) => context.Features.Get<Session>()
        ?? throw new InvalidOperationException("The endpoint does not require a session.");

    /// <summary>Before any endpoint reads anything: checks what it requires of its caller.</summary>
    public static void UseSessions(this IApplicationBuilder app)
    {
        var sessions = app.ApplicationServices.GetRequiredService<Sessions>();
        app.Use((context, next) =>
        {
            // A group's requirement comes first, an endpoint's own after it: the last one counts.
            if (context.GetEndpoint()?.Metadata.GetMetadata<SessionRequirement>() is not { } requirement)
            {
                return next(context);
            }

            // The edge has read it, in an instance that has one.
            var session = context.Features.Get<Session>();
            if (session is null && !sessions.TryRead(context, out session))
            {
                return context.WriteProblemAsync(ProblemCode.Unauthenticated);
            }

            if (requirement.AnyOf != Roles.None && (requirement.AnyOf & session.Roles) == Roles.None)
            {
                return context.WriteProblemAsync(ProblemCode.Forbidden);
            }

            context.Features.Set(session);
            return next(context);
        });
    }
}
