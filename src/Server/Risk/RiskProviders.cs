using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

using FlashSale.Core;
using FlashSale.Core.Risk;
using FlashSale.Core.Wire;
using FlashSale.Server.Telemetry;
using FlashSale.Storage;

namespace FlashSale.Server.Risk;

/// <summary>
/// Asks the providers that are configured (docs/risk.md): 404 says that nothing is known of somebody; anything but a whole, timely answer is a failure, and
/// never taken for a good one.
/// </summary>
public sealed class RiskProviders : IDisposable
{
    private readonly RiskProvider? profile;
    private readonly RiskProvider? credit;

    public RiskProviders(RiskOptions options, Breakers breakers, RiskMetrics metrics)
    {
        profile = options.Profile is { } asked ? new RiskProvider("profile", asked, "profiles/", ReadProfile, breakers.Profile, metrics.CountProfileFailure) : null;
        credit = options.Credit is { } other ? new RiskProvider("credit", other, "credit/", ReadCredit, breakers.Credit, metrics.CountCreditFailure) : null;
    }

    public bool AreAsked => profile is not null || credit is not null;

    /// <summary>How many assessments are worth claiming: none while a provider is left alone, one to try whether it is back.</summary>
    public int WorthClaiming => Worst switch
    {
        { Rejects: true } => 0,
        { State: not BreakerState.Closed } => 1,
        _ => AreAsked ? Limits.AssessmentBatch : Limits.QuickAssessmentBatch,
    };

    private Breaker? Worst => new[] { profile?.Breaker, credit?.Breaker }.OfType<Breaker>().OrderByDescending(breaker => breaker.Rejects).ThenByDescending(breaker => breaker.State).FirstOrDefault();

    /// <summary>Adds what they know.</summary>
    /// <exception cref="ProviderUnavailableException">One of them could not be asked.</exception>
    public Task AskAsync(UserId user, RiskInputs inputs) => Task.WhenAll(
        profile?.AskAsync(user, inputs) ?? Task.CompletedTask,
        credit?.AskAsync(user, inputs) ?? Task.CompletedTask);

    public void Dispose()
    {
        profile?.Dispose();
        credit?.Dispose();
    }

    private static void ReadProfile(FieldReader fields, RiskInputs inputs)
    {
        inputs[RiskInput.AccountAgeDays] = Count(fields, "accountAgeDays");
        inputs[RiskInput.PhoneVerified] = fields.Has("phoneVerified") ? fields.Flag("phoneVerified", false) ? 1 : 0 : null;
        inputs[RiskInput.PastOrders] = Count(fields, "pastOrders");
        inputs[RiskInput.ProfileUnpaidHolds] = Count(fields, "unpaidHolds");
        inputs[RiskInput.ProfileBans] = Count(fields, "bans");
    }

    private static void ReadCredit(FieldReader fields, RiskInputs inputs) => inputs[RiskInput.CreditRisk] = (int)fields.Number("risk", 0, Limits.RiskScoreMax);

    private static int? Count(FieldReader fields, string name) => fields.Has(name) ? (int)fields.Number(name, 0, Limits.ProviderCountMax) : null;
}

/// <summary>One provider over HTTP.</summary>
internal sealed class RiskProvider(
    string name, ProviderOptions options, string path, Action<FieldReader, RiskInputs> read, ProviderPath way, Action countFailure) : IDisposable
{
    private readonly string prefix = options.Url.AbsoluteUri.TrimEnd('/') + "/" + path;
    private readonly HttpClient client = new(new SocketsHttpHandler
    {
        MaxConnectionsPerServer = Limits.ProviderCalls,
        ConnectTimeout = Limits.ProviderTimeout,
        // So that a provider that moved is found again.
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        AllowAutoRedirect = false,
        UseCookies = false,
    })
    {
        Timeout = Limits.ProviderTimeout,
        MaxResponseContentBufferSize = Limits.ProviderAnswerBytes,
    };

    public Breaker Breaker => way.Breaker;

    public async Task AskAsync(UserId user, RiskInputs inputs)
    {
        try
        {
            if (user.Value is "." or "..")
            {
                // As a segment of a path it would be another path.
                throw new ProviderUnavailableException($"{name}: the id of this user cannot be asked for");
            }

            await way.AskAsync(static all => all.provider.GetAsync(all.user, all.inputs), (provider: this, user, inputs));
        }
        catch (ProviderUnavailableException exception) when (exception.WasAsked)
        {
            countFailure();
            throw;
        }
    }

    public void Dispose() => client.Dispose();

    /// <returns>Whether anything is known.</returns>
    private async Task<bool> GetAsync(UserId user, RiskInputs inputs)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, prefix + user);
            request.Headers.Authorization = options.Key is { } key ? new AuthenticationHeaderValue("Bearer", key) : null;
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead);
            if (response.StatusCode == HttpStatusCode.NotFound)
            {
                return false;
            }

            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw new ProviderUnavailableException($"{name}: answered {(int)response.StatusCode}");
            }

            Read(await response.Content.ReadAsByteArrayAsync(), inputs);
            return true;
        }
        catch (OperationCanceledException exception)
        {
            throw new ProviderUnavailableException($"{name}: no answer within {Limits.ProviderTimeout.TotalSeconds:0} s", exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new ProviderUnavailableException($"{name}: {exception.Message}", exception);
        }
        catch (JsonException exception)
        {
            throw new ProviderUnavailableException($"{name}: the answer is not JSON", exception);
        }
    }

    private void Read(byte[] body, RiskInputs inputs)
    {
        using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = Limits.JsonDepth });
        var fields = new FieldReader(document.RootElement);
        var known = new RiskInputs();
        read(fields, known);
        if (document.RootElement.ValueKind != JsonValueKind.Object || !fields.IsValid)
        {
            var problems = string.Join(", ", fields.Errors.Select(error => $"{error.Key} {error.Value[0]}"));
            throw new ProviderUnavailableException($"{name}: the answer is malformed: {problems}");
        }

        inputs.Take(known);
    }
}
