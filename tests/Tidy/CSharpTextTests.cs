using Xunit;

namespace FlashSale.Tests.Tidy;

public sealed class CSharpTextTests
{
    [Theory]
    [InlineData("a(\"x { // y\"); b", "a( ); b")]
    [InlineData("a(@\"\\\"); b", "a( ); b")]
    [InlineData("a($\"{f(\"}\")} {{\"); b", "a( ); b")]
    [InlineData("a('\"'); b", "a( ); b")]
    [InlineData("a /* { */ b // {", "a b")]
    [InlineData("a(\"\"\"x \" { \"\"\"); b", "a( ); b")]
    public void CodeOnly_WhenThereAreTextsAndComments_BlanksThem(string source, string code)
    {
        var blanked = CSharpText.CodeOnly(source);

        Assert.Equal(source.Length, blanked.Length);
        Assert.Equal(code, string.Join(' ', blanked.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public void Methods_WhenSomeAreLong_CountsTheirLines()
    {
        const string Source =
            """
            namespace N;

            internal sealed class C(int x) : D(x)
            {
                private readonly int[] a = new List<int>(5) { 1 };

                [Theory]
                public async Task<int> LongAsync<T>(
                    T x)
                    where T : class
                {
                    if (x is null)
                    {
                        Call(y => { Z(); });
                    }
                }

                public C()
                    : this(3)
                {
                }
            }
            """;

        Assert.Equal([("LongAsync<T>", 8, 9), ("C", 18, 4)], CSharpText.Methods(Source).Select(method => (method.Name, method.Line, method.Lines)));
    }
}
