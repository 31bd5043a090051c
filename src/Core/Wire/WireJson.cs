using System.Text.Json;
using System.Text.Json.Serialization;

using FlashSale.Core.Orders;
using FlashSale.Core.Risk;
using FlashSale.Core.Sales;

namespace FlashSale.Core.Wire;

/// <summary>The JSON of the API, source-generated: camelCase, times in UTC with <c>Z</c>, absent instead of null.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.Strict,
    MaxDepth = Limits.JsonDepth,
    Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(ProblemDocument))]
[JsonSerializable(typeof(TimeDocument))]
[JsonSerializable(typeof(SaleDocument))]
[JsonSerializable(typeof(Page<SaleDocument>))]
[JsonSerializable(typeof(SaleStateDocument))]
[JsonSerializable(typeof(DrawDocument))]
[JsonSerializable(typeof(ReservationDocument))]
[JsonSerializable(typeof(AskRequest))]
[JsonSerializable(typeof(VisitDocument))]
[JsonSerializable(typeof(MeDocument))]
[JsonSerializable(typeof(OrderTokenDocument))]
[JsonSerializable(typeof(PlaceOrderRequest))]
[JsonSerializable(typeof(OrderDocument))]
[JsonSerializable(typeof(Page<OrderDocument>))]
[JsonSerializable(typeof(OrderContact))]
[JsonSerializable(typeof(PaymentDocument))]
[JsonSerializable(typeof(PaymentCallback))]
[JsonSerializable(typeof(DemoSessionRequest))]
[JsonSerializable(typeof(DemoSessionDocument))]
[JsonSerializable(typeof(CouponDocument))]
[JsonSerializable(typeof(SaleRequest))]
[JsonSerializable(typeof(SaleDefences))]
[JsonSerializable(typeof(ReasonRequest))]
[JsonSerializable(typeof(StockAdjustmentRequest))]
[JsonSerializable(typeof(StockDocument))]
[JsonSerializable(typeof(BlacklistRequest))]
[JsonSerializable(typeof(BlacklistDocument))]
[JsonSerializable(typeof(BlacklistEntry))]
[JsonSerializable(typeof(Page<BlacklistEntry>))]
[JsonSerializable(typeof(BlacklistImportDocument))]
[JsonSerializable(typeof(AuditDocument))]
[JsonSerializable(typeof(Page<AuditDocument>))]
[JsonSerializable(typeof(AuditHeadDocument))]
[JsonSerializable(typeof(AuditLine))]
[JsonSerializable(typeof(OrderHistoryDocument))]
[JsonSerializable(typeof(WarmUpDocument))]
[JsonSerializable(typeof(ReadinessDocument))]
[JsonSerializable(typeof(ReconciliationDocument))]
[JsonSerializable(typeof(ExportLine))]
[JsonSerializable(typeof(LimitsDocument))]
[JsonSerializable(typeof(LoadDocument))]
[JsonSerializable(typeof(LiveDocument))]
[JsonSerializable(typeof(LiveMomentDocument))]
[JsonSerializable(typeof(Page<LiveMomentDocument>))]
[JsonSerializable(typeof(SettingsDocument))]
[JsonSerializable(typeof(SiteDocument))]
[JsonSerializable(typeof(EdgeStateDocument))]
[JsonSerializable(typeof(HealthDocument))]
[JsonSerializable(typeof(Evidence))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, int>))]
[JsonSerializable(typeof(IReadOnlyList<RiskSignal>))]
[JsonSerializable(typeof(Page<AssessmentDocument>))]
[JsonSerializable(typeof(AssessmentDecisionRequest))]
[JsonSerializable(typeof(RiskDryRunRequest))]
[JsonSerializable(typeof(RiskDryRunDocument))]
[JsonSerializable(typeof(RiskRulesDocument))]
[JsonSerializable(typeof(ErasureDocument))]
public sealed partial class WireJson : JsonSerializerContext;
