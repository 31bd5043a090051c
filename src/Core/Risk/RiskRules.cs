using System.Text.Json;

using FlashSale.Core.Wire;

namespace FlashSale.Core.Risk;

/// <summary>What a rule asks of one input. All that is given must hold.</summary>
/// <param name="Absent">It must not be known; nothing else holds for an input that is not.</param>
public readonly record struct RiskCondition(RiskInput Input, int? Below, int? AtLeast, int? Is, bool Absent)
{
    public bool Holds(RiskInputs inputs) => inputs[Input] is { } value
        ? !Absent && !(value >= Below) && !(value < AtLeast) && (Is is null || value == Is)
        : Absent;
}

/// <summary>Adds its weight to the score when every condition holds.</summary>
public sealed record RiskRule(string Name, IReadOnlyList<RiskCondition> When, int Weight, string Reason)
{
    public bool Applies(RiskInputs inputs)
    {
        foreach (var condition in When)
        {
            if (!condition.Holds(inputs))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>
/// The rules of an assessment, as their file has them (docs/risk.md): <c>{"version": "2026-11-1", "banDays": 30, "rules": [{"name": "quick",
/// "when": {"pageToReservationMs": {"below": 1000}}, "weight": 25, "reason": "…"}]}</c>.
/// </summary>
/// <param name="Version">Kept with each assessment.</param>
/// <param name="BanDays">How long whoever is rejected stays in the blacklist.</param>
public sealed record RiskRules(string Version, int BanDays, IReadOnlyList<RiskRule> Rules)
{
    private static readonly JsonDocumentOptions Lenient =
        new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = Limits.JsonDepth };

    /// <summary>The rules, or everything that is wrong with the file, each with its place.</summary>
    public static (RiskRules? Rules, IReadOnlyList<string> Errors) Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8, Lenient);
            var fields = new FieldReader(document.RootElement);
            var rules = Read(fields);
            return fields.IsValid ? (rules, []) : (null, [.. fields.Errors.Select(error => $"{error.Key} {string.Join("; ", error.Value)}")]);
        }
        catch (JsonException exception)
        {
            return (null, [$"is not JSON: {exception.Message}"]);
        }
    }

    /// <summary>What it returns means nothing when <paramref name="fields"/> has errors.</summary>
    public static RiskRules Read(FieldReader fields)
    {
        Only(fields, "version", "banDays", "rules");
        var rules = new RiskRules(
            fields.Text("version", Limits.RiskVersionLength),
            (int)fields.Number("banDays", 1, Limits.RiskBanDaysMax),
            [.. fields.List("rules", 1, Limits.RiskRules).Select(ReadRule)]);
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < rules.Rules.Count; i++)
        {
            if (rules.Rules[i].Name is { Length: > 0 } name && !names.Add(name))
            {
                fields.Fail($"rules[{i}].name", $"is '{name}', as another rule's is");
            }
        }

        return rules;
    }

    private static RiskRule ReadRule(FieldReader rule)
    {
        Only(rule, "name", "when", "weight", "reason");
        var when = rule.Object("when");
        var conditions = when.Names.Select(name => ReadCondition(when, name)).ToArray();
        if (conditions.Length == 0 && rule.IsGood("when"))
        {
            rule.Fail("when", "must ask something");
        }

        return new RiskRule(
            rule.Text("name", Limits.RiskRuleNameLength),
            conditions,
            (int)rule.Number("weight", -Limits.RiskScoreMax, Limits.RiskScoreMax),
            rule.Text("reason", Limits.RiskReasonLength));
    }

    private static RiskCondition ReadCondition(FieldReader when, string name)
    {
        if (!RiskInputs.TryParse(name, out var input))
        {
            when.Fail(name, $"is no input; there are {string.Join(", ", RiskInputs.Names)}");
            return default;
        }

        var fields = when.Object(name);
        Only(fields, "below", "atLeast", "is", "absent");
        var condition = new RiskCondition(input, Bound(fields, "below"), Bound(fields, "atLeast"), Bound(fields, "is"), fields.Flag("absent", false));
        var bounds = (condition.Below, condition.AtLeast, condition.Is) != (null, null, null);
        if (when.IsGood(name) && condition.Absent == bounds)
        {
            when.Fail(name, "must have below, atLeast or is, or else \"absent\": true");
        }

        return condition;
    }

    private static int? Bound(FieldReader fields, string name) => fields.Has(name) ? (int)fields.Number(name, int.MinValue, int.MaxValue) : null;

    /// <summary>A misspelt word would be a rule that asks less than it says.</summary>
    private static void Only(FieldReader fields, params ReadOnlySpan<string> known)
    {
        foreach (var name in fields.Names)
        {
            if (!known.Contains(name))
            {
                fields.Fail(name, $"is not known here; there are {string.Join(", ", known.ToArray())}");
            }
        }
    }
}
