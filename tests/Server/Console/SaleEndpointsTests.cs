using System.Net;
using System.Text.Json.Nodes;

using Xunit;

namespace FlashSale.Tests.Server.Console;

public sealed class SaleEndpointsTests(ConsoleServer console) : IClassFixture<ConsoleServer>
{
    [Fact]
    public async Task Create_WhenEverythingIsValid_AnswersTheDraftWithItsETagAndAddress()
    {
        var created = await console.CreateAsync();

        Assert.Equal("draft", created.Json.GetProperty("phase").GetString());
        Assert.Equal("\"1\"", created.ETag);
        Assert.Equal($"/api/v1/admin/sales/{created.Id}", created.Location);
        Assert.Equal(900, created.Json.GetProperty("paymentWindowSeconds").GetInt32());
        var found = (await console.GetAsync($"sales/{created.Id}")).Expect(HttpStatusCode.OK);
        Assert.Equal(created.Text, found.Text);
        Assert.Equal(created.ETag, found.ETag);
    }

    [Fact]
    public async Task Create_WhenSeveralFieldsAreInvalid_NamesThemAll()
    {
        var definition = console.Definition();
        definition["slug"] = "Not A Slug";
        definition["requiresReservation"] = "yes";
        definition["ordering"] = "queued";
        definition["closesAt"] = 17;
        definition["offers"]![0]!["stock"] = 0;
        definition["offers"]![0]!["price"]!["currency"] = "yuan";
        definition["offers"]!.AsArray().Add(17);

        var answer = await console.PostAsync("sales", definition);

        answer.ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
        Assert.Superset(
            new HashSet<string> { "slug", "requiresReservation", "ordering", "closesAt", "offers[0].stock", "offers[0].price.currency", "offers[1]" },
            answer.Errors.ToHashSet());
    }

    [Fact]
    public async Task Create_WhenTheSlugIsTaken_AnswersConflict()
    {
        var definition = console.Definition();
        await console.CreateAsync(definition);

        (await console.PostAsync("sales", definition)).ExpectProblem(HttpStatusCode.Conflict, "slug-taken");
    }

    [Fact]
    public async Task Create_WhenTheBodyIsNoObject_AnswersAProblem()
    {
        (await console.PostAsync("sales", new JsonArray())).ExpectProblem(HttpStatusCode.BadRequest, "malformed-request");
        (await console.PostAsync("sales")).ExpectProblem(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }

    [Theory]
    [InlineData("0")]
    [InlineData("999999999")]
    [InlineData("-1")]
    [InlineData("x%0Ay")]
    [InlineData("01")]
    public async Task Find_WhenThereIsNoSuchSale_AnswersNotFound(string id)
    {
        (await console.GetAsync($"sales/{id}")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await console.PostAsync($"sales/{id}/publication")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
        (await console.PutAsync($"sales/{id}", console.Definition(), "*")).ExpectProblem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task List_WhenThereAreMoreThanAPage_GoesOnWhereTheCursorSays()
    {
        var ids = new List<string>();
        for (var i = 0; i < 51; i++)
        {
            ids.Add((await console.CreateAsync()).Id);
        }

        var first = (await console.GetAsync("sales")).Expect(HttpStatusCode.OK);
        Assert.NotNull(first.ETag);
        Assert.Equal(50, first.Json.GetProperty("items").GetArrayLength());
        Assert.Equal(ids[^1], first.Json.GetProperty("items")[0].GetProperty("id").GetString());
        var second = (await console.GetAsync($"sales?cursor={first.Json.GetProperty("nextCursor").GetString()}")).Expect(HttpStatusCode.OK);
        Assert.Equal(ids[0], second.Json.GetProperty("items")[0].GetProperty("id").GetString());
        (await console.GetAsync("sales?cursor=x")).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
    }

    [Fact]
    public async Task Replace_WhenIfMatchIsMissingStaleOrStar_FollowsTheRevision()
    {
        var definition = console.Definition();
        var created = await console.CreateAsync(definition);
        definition["title"]!["en"] = "Changed";

        (await console.PutAsync($"sales/{created.Id}", definition, null)).ExpectProblem(HttpStatusCode.PreconditionRequired, "precondition-required");
        var changed = (await console.PutAsync($"sales/{created.Id}", definition, created.ETag)).Expect(HttpStatusCode.OK);
        Assert.Equal("\"2\"", changed.ETag);
        Assert.Equal("Changed", changed.Json.GetProperty("title").GetProperty("en").GetString());
        (await console.PutAsync($"sales/{created.Id}", definition, created.ETag)).ExpectProblem(HttpStatusCode.PreconditionFailed, "precondition-failed");
        (await console.PutAsync($"sales/{created.Id}", definition, "nonsense")).ExpectProblem(HttpStatusCode.PreconditionFailed, "precondition-failed");
        (await console.PutAsync($"sales/{created.Id}", definition, "*")).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Replace_WhenTheSlugIsTaken_AnswersConflict()
    {
        var taken = (await console.CreateAsync()).Json.GetProperty("slug").GetString();
        var definition = console.Definition();
        var created = await console.CreateAsync(definition);
        definition["slug"] = taken;

        (await console.PutAsync($"sales/{created.Id}", definition, "*")).ExpectProblem(HttpStatusCode.Conflict, "slug-taken");
    }

    [Fact]
    public async Task Replace_WhenTheSaleIsPublished_ChangesTitlesAndTimesOnly()
    {
        var definition = console.Definition();
        var published = await console.PublishAsync(definition);
        definition["offers"]![0]!["stock"] = 11;
        definition["slug"] = "another";

        var refused = await console.PutAsync($"sales/{published.Id}", definition, "*");

        refused.ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
        Assert.Equal(["offers[0].stock", "slug"], refused.Errors);
        definition["offers"]![0]!["stock"] = 10;
        definition["slug"] = published.Json.GetProperty("slug").GetString();
        definition["title"]!["zh"] = "新名字";
        definition["closesAt"] = ConsoleServer.Rfc3339(TimeProvider.System.GetUtcNow().AddHours(2));
        var changed = (await console.PutAsync($"sales/{published.Id}", definition, "*")).Expect(HttpStatusCode.OK);
        Assert.Equal("新名字", changed.Json.GetProperty("title").GetProperty("zh").GetString());
        Assert.Equal(published.OfferId, changed.OfferId);
    }

    [Fact]
    public async Task Actions_WhenTheyFitTheState_MoveTheSale()
    {
        var reason = new JsonObject { ["reason"] = "trial" };
        var published = await console.PublishAsync();
        var sale = $"sales/{published.Id}";
        Assert.Equal("open", published.Json.GetProperty("phase").GetString());

        (await console.PostAsync($"{sale}/publication")).ExpectProblem(HttpStatusCode.Conflict, "sale-state-conflict");
        (await console.PostAsync($"{sale}/resumption", reason)).ExpectProblem(HttpStatusCode.Conflict, "sale-state-conflict");
        var paused = (await console.PostAsync($"{sale}/pause", reason, published.ETag)).Expect(HttpStatusCode.OK);
        Assert.Equal("paused", paused.Json.GetProperty("phase").GetString());
        (await console.PostAsync($"{sale}/pause", reason)).ExpectProblem(HttpStatusCode.Conflict, "sale-state-conflict");
        (await console.PostAsync($"{sale}/resumption", reason, published.ETag)).ExpectProblem(HttpStatusCode.PreconditionFailed, "precondition-failed");
        (await console.PostAsync($"{sale}/resumption", reason)).Expect(HttpStatusCode.OK);
        (await console.PostAsync($"{sale}/closure")).ExpectProblem(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
        Assert.Equal(
            ["reason"],
            (await console.PostAsync($"{sale}/closure", new JsonObject())).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields").Errors);
        var closed = (await console.PostAsync($"{sale}/closure", reason)).Expect(HttpStatusCode.OK);
        Assert.Equal("ended", closed.Json.GetProperty("phase").GetString());
        (await console.PostAsync($"{sale}/pause", reason)).ExpectProblem(HttpStatusCode.Conflict, "sale-state-conflict");
        (await console.PostAsync($"{sale}/warm-up")).ExpectProblem(HttpStatusCode.Conflict, "sale-state-conflict");
        (await console.PutAsync(sale, console.Definition(), "*")).ExpectProblem(HttpStatusCode.Conflict, "sale-state-conflict");
    }

    [Fact]
    public async Task WarmUp_WhenTheSaleIsPublished_AnswersWhatIsWarm()
    {
        var created = await console.CreateAsync();
        (await console.PostAsync($"sales/{created.Id}/warm-up")).ExpectProblem(HttpStatusCode.Conflict, "sale-state-conflict");
        await console.PostAsync($"sales/{created.Id}/publication");

        var warm = (await console.PostAsync($"sales/{created.Id}/warm-up")).Expect(HttpStatusCode.OK);

        Assert.True(warm.Json.GetProperty("warm").GetBoolean());
        Assert.Equal(1, warm.Json.GetProperty("offersWarm").GetInt32());
    }

    [Fact]
    public async Task Actions_WhenTheyAreDone_StandInTheAuditLog()
    {
        var published = await console.PublishAsync();
        await console.PostAsync($"sales/{published.Id}/pause", new JsonObject { ["reason"] = "因故" });

        var entries = (await console.GetAsync("audit")).Expect(HttpStatusCode.OK).Json.GetProperty("items").EnumerateArray()
            .Where(entry => entry.GetProperty("subject").GetString() == $"sale/{published.Id}").ToList();

        Assert.Equal(["sale.pause", "sale.publish", "sale.create"], entries.Select(entry => entry.GetProperty("action").GetString()));
        Assert.Equal("因故", entries[0].GetProperty("reason").GetString());
        Assert.Equal("olga", entries[0].GetProperty("actor").GetString());
        Assert.Equal("operator", entries[0].GetProperty("role").GetString());
        Assert.Contains("\"published\"", entries[0].GetProperty("before").GetString());
        Assert.Contains("\"paused\"", entries[0].GetProperty("after").GetString());
        (await console.GetAsync("audit?cursor=x")).ExpectProblem(HttpStatusCode.UnprocessableEntity, "invalid-fields");
    }
}
