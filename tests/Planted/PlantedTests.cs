using Xunit;

namespace FlashSale.Tests.Planted;

/// <summary>Each planted bug makes the suite fail, in the very test that is there for it. Builds fill the machine: nothing else runs beside them.</summary>
[Collection(PlantedCollection.Name)]
public sealed class PlantedTests(PlantedCopy copy)
{
    public static TheoryData<string> Names => new(Plants.All.Select(plant => plant.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Suite_WhenABugIsPlanted_FindsIt(string name)
    {
        var plant = Plants.All.Single(plant => plant.Name == name);

        var failure = await copy.CatchAsync(plant);

        Assert.True(failure is not null, $"{plant.Catcher} passes although this bug is planted: {name}");
        Assert.True(plant.Because.Any(because => failure.Contains(because, StringComparison.Ordinal)), failure);
    }
}

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class PlantedCollection : ICollectionFixture<PlantedCopy>
{
    public const string Name = "planted";
}
