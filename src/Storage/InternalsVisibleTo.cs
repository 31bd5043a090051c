using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("FlashSale.Tests")]
[assembly: InternalsVisibleTo("FlashSale.Bench")]
