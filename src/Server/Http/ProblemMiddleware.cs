using FlashSale.Core.Wire;
using FlashSale.Storage;

namespace FlashSale.Server.Http;

/// <summary>
/// The outermost layer: what broke, and what no endpoint answered, becomes a problem document. A failure of
/// ledger or gate is never a business answer.
/// </summary>
public sealed class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await context.WriteProblemAsync(CodeOf(context, exception));
            return;
        }

        if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null })
        {
            await context.WriteProblemAsync(CodeOf(context.Response.StatusCode));
        }
    }

    private ProblemCode CodeOf(HttpContext context, Exception exception)
    {
        switch (exception)
        {
            case BadHttpRequestException bad:
                return CodeOf(bad.StatusCode);
            case LedgerBusyException:
                return ProblemCode.Overloaded;
            case LedgerUnavailableException:
                log.LogError("The ledger is not available: {Problem} ({TraceId})", exception.Message, context.TraceId());
                return ProblemCode.LedgerUnavailable;
            case GateUnavailableException:
                log.LogError("The gate is not available: {Problem} ({TraceId})", exception.Message, context.TraceId());
                return ProblemCode.GateUnavailable;
            case LedgerOutcomeUnknownException:
                log.LogError("The outcome of a commit is not known: {Problem} ({TraceId})", exception.Message, context.TraceId());
                return ProblemCode.OutcomeUnknown;
            default:
                log.LogError(exception, "{Method} {Path} broke ({TraceId})", context.Request.Method, context.Request.Path, context.TraceId());
                return ProblemCode.InternalError;
        }
    }

    private static ProblemCode CodeOf(int status) =>
        status switch
        {
            StatusCodes.Status401Unauthorized => ProblemCode.Unauthenticated,
            StatusCodes.Status403Forbidden => ProblemCode.Forbidden,
            StatusCodes.Status404NotFound => ProblemCode.NotFound,
            StatusCodes.Status405MethodNotAllowed => ProblemCode.MethodNotAllowed,
            StatusCodes.Status413PayloadTooLarge => ProblemCode.BodyTooLarge,
            StatusCodes.Status415UnsupportedMediaType => ProblemCode.UnsupportedMediaType,
            >= 500 => ProblemCode.InternalError,
            _ => ProblemCode.MalformedRequest,
        };
}
