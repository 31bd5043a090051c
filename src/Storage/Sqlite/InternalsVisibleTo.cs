using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("FlashSale.Tests")]
