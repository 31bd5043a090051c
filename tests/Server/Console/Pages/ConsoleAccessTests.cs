using System.Net;
using System.Text;

using FlashSale.Core;
using FlashSale.Server.Console.Pages;
using FlashSale.Server.Http;

using Microsoft.AspNetCore.Routing;

using Xunit;

namespace FlashSale.Tests.Server.Console.Pages;

/// <summary>Who gets where: every page of the console and every call of operators, by everybody.</summary>
public sealed class ConsoleAccessTests : IAsyncLifetime
{
    /// <summary>Who is let in, by route. A page stands here once, and is in both languages.</summary>
    private static readonly Dictionary<string, string> Permitted = """
        GET /console/sign-in                                        | *
        POST /console/sign-in                                       | *
        POST /console/sign-out                                      | *
        GET /console                                                | viewer operator approver risk auditor
        GET /console/sales/new                                      | operator
        POST /console/sales/new                                     | operator
        GET /console/sales/{saleId}                                 | viewer operator approver risk auditor
        GET /console/sales/{saleId}/live                            | viewer operator approver risk auditor
        GET /console/sales/{saleId}/live.csv                        | viewer operator approver risk auditor
        GET /console/sales/{saleId}/live/moments                    | viewer operator approver risk auditor
        GET /console/sales/{saleId}/definition                      | viewer operator approver auditor
        POST /console/sales/{saleId}/definition                     | operator
        GET /console/sales/{saleId}/preview                         | viewer operator approver auditor
        GET /console/sales/{saleId}/preview/page                    | viewer operator approver auditor
        GET /console/sales/{saleId}/publication                     | operator approver auditor
        POST /console/sales/{saleId}/publication                    | operator approver
        GET /console/sales/{saleId}/readiness                       | viewer operator approver risk auditor
        GET /console/sales/{saleId}/warm-up                         | operator
        POST /console/sales/{saleId}/warm-up                        | operator
        GET /console/sales/{saleId}/pause                           | operator
        POST /console/sales/{saleId}/pause                          | operator
        GET /console/sales/{saleId}/resumption                      | operator
        POST /console/sales/{saleId}/resumption                     | operator
        GET /console/sales/{saleId}/closure                         | operator
        POST /console/sales/{saleId}/closure                        | operator
        GET /console/sales/{saleId}/stock                           | viewer operator auditor
        POST /console/sales/{saleId}/stock                          | operator
        GET /console/sales/{saleId}/report                          | viewer operator approver risk auditor
        GET /console/sales/{saleId}/report.csv                      | viewer operator approver risk auditor
        GET /console/sales/{saleId}/reconciliation                  | operator auditor
        GET /console/sales/{saleId}/reconciliation.csv              | operator auditor
        GET /console/service                                        | viewer operator approver risk auditor
        GET /console/service/live                                   | viewer operator approver risk auditor
        GET /console/limits                                         | operator auditor
        POST /console/limits                                        | operator
        GET /console/risk                                           | operator risk auditor
        POST /console/risk/{reservationId}                          | operator risk
        GET /console/blacklist                                      | operator risk auditor
        GET /console/blacklist.csv                                  | operator risk auditor
        POST /console/blacklist                                     | operator risk
        POST /console/blacklist/removal                             | operator risk
        POST /console/blacklist/import                              | operator risk
        GET /console/orders                                         | operator auditor
        GET /console/orders.csv                                     | operator auditor
        GET /console/orders/{orderId}                               | operator auditor
        POST /console/orders/{orderId}/cancellation                 | operator
        POST /console/orders/{orderId}/refund                       | operator
        GET /console/audit                                          | operator auditor
        GET /console/audit.csv                                      | operator auditor
        GET /api/v1/admin/load                                      | operator auditor
        GET /api/v1/admin/settings                                  | operator auditor
        GET /api/v1/admin/sales                                     | operator approver auditor
        POST /api/v1/admin/sales                                    | operator
        GET /api/v1/admin/sales/{saleId}                            | operator approver auditor
        PUT /api/v1/admin/sales/{saleId}                            | operator
        POST /api/v1/admin/sales/{saleId}/publication               | operator approver
        POST /api/v1/admin/sales/{saleId}/warm-up                   | operator
        POST /api/v1/admin/sales/{saleId}/pause                     | operator
        POST /api/v1/admin/sales/{saleId}/resumption                | operator
        POST /api/v1/admin/sales/{saleId}/closure                   | operator
        GET /api/v1/admin/sales/{saleId}/live                       | viewer operator approver risk auditor
        GET /api/v1/admin/sales/{saleId}/live/moments               | viewer operator approver risk auditor
        GET /api/v1/admin/sales/{saleId}/readiness                  | operator auditor
        GET /api/v1/admin/sales/{saleId}/reconciliation             | operator auditor
        GET /api/v1/admin/sales/{saleId}/export                     | auditor
        GET /api/v1/admin/sales/{saleId}/assessments                | operator risk auditor
        POST /api/v1/admin/sales/{saleId}/risk-dry-run              | operator risk
        POST /api/v1/admin/offers/{offerId}/stock-adjustments       | operator
        POST /api/v1/admin/assessments/{reservationId}/retry        | operator risk
        POST /api/v1/admin/assessments/{reservationId}/decision     | operator risk
        GET /api/v1/admin/risk/rules                                | operator risk auditor
        DELETE /api/v1/admin/risk/users/{userId}                    | operator risk
        GET /api/v1/admin/blacklist                                 | operator risk auditor
        GET /api/v1/admin/blacklist-entries                         | operator risk auditor
        POST /api/v1/admin/blacklist-entries                        | operator risk
        GET /api/v1/admin/blacklist/{userId}                        | operator risk auditor
        PUT /api/v1/admin/blacklist/{userId}                        | operator risk
        DELETE /api/v1/admin/blacklist/{userId}                     | operator risk
        GET /api/v1/admin/blacklist/devices/{device}                | operator risk auditor
        PUT /api/v1/admin/blacklist/devices/{device}                | operator risk
        DELETE /api/v1/admin/blacklist/devices/{device}             | operator risk
        GET /api/v1/admin/blacklist/addresses/{address}             | operator risk auditor
        PUT /api/v1/admin/blacklist/addresses/{address}             | operator risk
        DELETE /api/v1/admin/blacklist/addresses/{address}          | operator risk
        GET /api/v1/admin/blacklist/addresses/{address}/{prefix}    | operator risk auditor
        PUT /api/v1/admin/blacklist/addresses/{address}/{prefix}    | operator risk
        DELETE /api/v1/admin/blacklist/addresses/{address}/{prefix} | operator risk
        GET /api/v1/admin/limits                                    | operator auditor
        PUT /api/v1/admin/limits                                    | operator
        GET /api/v1/admin/orders                                    | operator auditor
        GET /api/v1/admin/orders/{orderId}                          | operator auditor
        POST /api/v1/admin/orders/{orderId}/cancellation            | operator
        POST /api/v1/admin/orders/{orderId}/refund                  | operator
        GET /api/v1/admin/audit                                     | operator auditor
        GET /api/v1/admin/audit/head                                | operator auditor
        GET /api/v1/admin/audit/export                              | auditor
        GET /api/v1/admin/site                                      | operator auditor
        POST /api/v1/admin/site/rollback                            | operator
        POST /api/v1/admin/site/publication                         | operator
        """.Split('\n').Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToDictionary(row => row[0], row => row[1]);

    private static readonly string[] Callers = ["stranger", "user", "viewer", "operator", "approver", "risk", "dealer", "auditor"];
    private readonly TemporaryFolder folder = new();
    private SteppedServer server = null!;

    public async ValueTask InitializeAsync() => server = await SteppedServer.StartAsync(folder.Path);

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task EveryRoute_ForEveryRole_LetsInThePermittedAndNobodyElse()
    {
        List<string> faults = [];
        HashSet<string> seen = [];
        foreach (var (method, pattern, page) in Routes())
        {
            var name = $"{method} {(page ? pattern.Replace("/console/en", "/console", StringComparison.Ordinal) : pattern)}";
            seen.Add(name);
            List<string> letIn = [];
            foreach (var caller in Callers)
            {
                if (await IsLetInAsync(method, pattern, page, caller))
                {
                    letIn.Add(caller);
                }
            }

            var expected = Permitted.GetValueOrDefault(name) switch { null => "(no entry)", "*" => string.Join(' ', Callers), var roles => roles };
            if (string.Join(' ', letIn) != expected)
            {
                faults.Add($"{name} | {string.Join(' ', letIn)} | instead of {expected}");
            }
        }

        faults.AddRange(Permitted.Keys.Except(seen).Select(name => $"{name} does not exist"));
        Assert.True(seen.Count > 60, $"Only {seen.Count} routes.");
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    private IEnumerable<(string Method, string Pattern, bool Page)> Routes() =>
        from endpoint in server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let page = endpoint.Metadata.GetMetadata<PageAccess>() is not null
        let pattern = "/" + endpoint.RoutePattern.RawText!.Trim('/')
        where page || pattern.StartsWith("/api/v1/admin/", StringComparison.Ordinal)
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
        select (method, pattern, page);

    /// <summary>Neither sent to sign in nor refused for what the caller is; whatever else the answer says, a caller was let in who got it.</summary>
    private async Task<bool> IsLetInAsync(string method, string pattern, bool page, string caller)
    {
        var session = caller == "stranger" ? null : SessionOf(caller);
        using var response = await SendAsync(method, Filled(pattern), session, page, page ? server.Address.GetLeftPart(UriPartial.Authority) : null);
        var sentToSignIn = response.Headers.Location?.ToString().Contains("/sign-in?return=", StringComparison.Ordinal) == true;
        return response.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) && !sentToSignIn;
    }

    /// <summary>Of what does not exist, so that nothing is done and every caller finds the same.</summary>
    private static string Filled(string pattern) =>
        System.Text.RegularExpressions.Regex.Replace(pattern, @"\{[^}]*\}", "1", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1));

    private string SessionOf(string caller) =>
        server.Get<Sessions>().Create(UserId.Parse("someone"), caller == "user" ? [] : [caller], TimeSpan.FromHours(1));

    private async Task<HttpResponseMessage> SendAsync(string method, string path, string? session, bool page, string? origin, string cookieName = ConsoleVisit.CookieName)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
        if (method is "POST" or "PUT")
        {
            request.Content = page ? new FormUrlEncodedContent([]) : new StringContent("[]", Encoding.UTF8, "application/json");
        }

        if (session is not null)
        {
            request.Headers.TryAddWithoutValidation(page ? "Cookie" : "Authorization", page ? $"{cookieName}={session}" : "Bearer " + session);
        }

        if (origin is not null)
        {
            request.Headers.TryAddWithoutValidation("Origin", origin);
        }

        // A stream of events has no end.
        return await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("http://evil.example")]
    [InlineData("null")]
    [InlineData("https://127.0.0.1")]
    public async Task Form_FromAnotherOrigin_IsRefusedBeforeAnything(string? origin)
    {
        foreach (var (method, pattern, _) in Routes().Where(route => route is { Page: true, Method: "POST" }))
        {
            using var response = await SendAsync(method, Filled(pattern), SessionOf("operator"), page: true, origin);
            Assert.True(response.StatusCode == HttpStatusCode.Forbidden, $"{pattern}: {response.StatusCode}");
            Assert.False(response.Headers.Contains("Set-Cookie"), pattern);
        }
    }

    [Fact]
    public async Task EveryPage_WhateverItAnswers_ForbidsFramesAndForeignContent()
    {
        foreach (var (method, pattern, _) in Routes().Where(route => route.Page))
        {
            foreach (var caller in new[] { "operator", "user", "stranger" })
            {
                using var response = await SendAsync(method, Filled(pattern), caller == "stranger" ? null : SessionOf(caller), page: true, server.Address.GetLeftPart(UriPartial.Authority));
                var policy = Header(response, "Content-Security-Policy");
                Assert.True(policy.Contains("frame-ancestors 'none'", StringComparison.Ordinal) || policy.Contains("frame-ancestors 'self'", StringComparison.Ordinal), $"{pattern} for {caller}: {policy}");
                Assert.Contains("default-src 'none'", policy);
                Assert.DoesNotContain("unsafe", policy);
                Assert.Contains(Header(response, "X-Frame-Options"), (string[])["DENY", "SAMEORIGIN"]);
                Assert.Equal("nosniff", Header(response, "X-Content-Type-Options"));
                Assert.Contains("no-store", Header(response, "Cache-Control"));
            }
        }
    }

    [Fact]
    public async Task CookieOfTheShop_InTheConsole_GivesNothing()
    {
        foreach (var (method, pattern, _) in Routes().Where(route => route.Page && !route.Pattern.EndsWith("/sign-in", StringComparison.Ordinal) && !route.Pattern.EndsWith("/sign-out", StringComparison.Ordinal)))
        {
            using var response = await SendAsync(method, Filled(pattern), SessionOf("operator"), page: true, server.Address.GetLeftPart(UriPartial.Authority), Sessions.CookieName);
            Assert.True(response.StatusCode == HttpStatusCode.SeeOther && response.Headers.Location!.ToString().Contains("/sign-in?return=", StringComparison.Ordinal), $"{method} {pattern}: {response.StatusCode}");
        }
    }

    [Fact]
    public async Task Form_FromAnotherOrigin_ChangesNothing()
    {
        KeyValuePair<string, string>[] form = [new("kind", "user"), new("subject", "victim"), new("reason", "x"), new("source", "x")];
        foreach (var (origin, expected) in new[] { ("http://evil.example", HttpStatusCode.NotFound), (server.Address.GetLeftPart(UriPartial.Authority), HttpStatusCode.OK) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/console/blacklist", UriKind.Relative)) { Content = new FormUrlEncodedContent(form) };
            request.Headers.TryAddWithoutValidation("Cookie", $"{ConsoleVisit.CookieName}={SessionOf("operator")}");
            request.Headers.TryAddWithoutValidation("Origin", origin);
            using var response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            using var entry = await SendAsync("GET", "/api/v1/admin/blacklist/victim", SessionOf("operator"), page: false, null);
            Assert.Equal(expected, entry.StatusCode);
        }
    }

    private static string Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : "";
}
