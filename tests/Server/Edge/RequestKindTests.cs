using FlashSale.Server.Edge;

using Microsoft.AspNetCore.Http;

using Xunit;

namespace FlashSale.Tests.Server.Edge;

public sealed class RequestKindTests
{
    [Theory]
    [InlineData("POST", "/api/v1/orders", RequestKind.Order)]
    [InlineData("POST", "/API/v1/orders/", RequestKind.Order)]
    [InlineData("GET", "/api/v1/orders", RequestKind.Essential)]
    [InlineData("GET", "/api/v1/orders/0190", RequestKind.Essential)]
    [InlineData("POST", "/api/v1/orders/0190/payments", RequestKind.Essential)]
    [InlineData("POST", "/api/v1/orders/0190/cancellation", RequestKind.Essential)]
    [InlineData("POST", "/api/v1/payment-callbacks/sandbox", RequestKind.Essential)]
    [InlineData("POST", "/api/v1/coupons/ABCD/redemption", RequestKind.Essential)]
    [InlineData("PUT", "/api/v1/admin/limits", RequestKind.Essential)]
    [InlineData("GET", "/healthz/ready", RequestKind.Essential)]
    [InlineData("GET", "/metrics", RequestKind.Essential)]
    [InlineData("GET", "/edge/state", RequestKind.Essential)]
    [InlineData("POST", "/api/v1/offers/1/order-tokens", RequestKind.Token)]
    [InlineData("POST", "/api/v1/sales/1/reservations", RequestKind.Token)]
    [InlineData("GET", "/api/v1/sales/1/reservations/me", RequestKind.Document)]
    [InlineData("GET", "/api/v1/sales/1/state", RequestKind.Document)]
    [InlineData("GET", "/api/v1/time", RequestKind.Document)]
    [InlineData("GET", "/", RequestKind.Page)]
    [InlineData("GET", "/en", RequestKind.Page)]
    [InlineData("GET", "/sales/dragon", RequestKind.Page)]
    [InlineData("GET", "/site.css", RequestKind.Page)]
    [InlineData("GET", "/nothing/of/ours", RequestKind.Page)]
    [InlineData("POST", "/sales/dragon/reservation", RequestKind.Token)]
    [InlineData("GET", "/sales/dragon/now", RequestKind.Page)]
    [InlineData("GET", "/sales/dragon/reservation", RequestKind.Page)]
    [InlineData("GET", "/sales/dragon/checkout/1", RequestKind.Page)]
    [InlineData("GET", "/en/sales/dragon/checkout/1", RequestKind.Page)]
    [InlineData("GET", "/sales/dragon/checkout/1/now", RequestKind.Token)]
    [InlineData("GET", "/en/sales/dragon/checkout/1/NOW/", RequestKind.Token)]
    [InlineData("GET", "/assets/site.0123456789ab.js", RequestKind.Page)]
    [InlineData("GET", "/dealer", RequestKind.Essential)]
    [InlineData("POST", "/sales/dragon/checkout/1", RequestKind.Order)]
    [InlineData("POST", "/en/sales/dragon/checkout/1", RequestKind.Order)]
    [InlineData("GET", "/orders", RequestKind.Essential)]
    [InlineData("GET", "/en/orders/0190", RequestKind.Essential)]
    [InlineData("POST", "/orders/0190/cancellation", RequestKind.Essential)]
    public void Of_ByMethodAndPath_IsWhatTheRequestWants(string method, string path, RequestKind kind) => Assert.Equal(kind, RequestKinds.Of(Request(method, path)));

    [Theory]
    [InlineData("POST", "/api/v1/orders", true)]
    [InlineData("POST", "/api/v1/Orders/", true)]
    [InlineData("GET", "/api/v1/orders", false)]
    [InlineData("POST", "/api/v1/orders/0190/payments", false)]
    [InlineData("POST", "/sales/dragon/checkout/1", false)]
    public void IsOrderCall_ForTheApiOnly(string method, string path, bool expected) => Assert.Equal(expected, RequestKinds.IsOrderCall(Request(method, path)));

    private static HttpRequest Request(string method, string path)
    {
        var request = new DefaultHttpContext().Request;
        request.Method = method;
        request.Path = path;
        return request;
    }
}
