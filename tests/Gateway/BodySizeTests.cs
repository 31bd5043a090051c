using FlashSale.Core;
using FlashSale.Core.Wire;

using Xunit;

namespace FlashSale.Tests.Gateway;

/// <summary>An import of the blacklist is the one large body that is let through, by whichever way it comes.</summary>
public sealed class BodySizeTests
{
    [Theory]
    [InlineData("/api/v1/admin/blacklist-entries", true)]
    [InlineData("/console/blacklist/import", true)]
    [InlineData("/console/en/blacklist/import", true)]
    [InlineData("/console/blacklist", false)]
    [InlineData("/console/en/sales", false)]
    [InlineData("/api/v1/admin/sales", false)]
    [InlineData("/blacklist/import", false)]
    public async Task Body_OfTheLargestImport_IsPassedOnWhereImportsAre(string path, bool passes)
    {
        await using var rig = await GatewayRig.StartAsync();

        var reply = await rig.SendAsync(HttpMethod.Post, path, null, new StringContent(new string(' ', Limits.BlacklistImportBytes)));

        if (passes)
        {
            Assert.True(reply.WasPassedOn, reply.Body);
        }
        else
        {
            reply.ExpectProblem(ProblemCode.BodyTooLarge);
        }
    }
}
