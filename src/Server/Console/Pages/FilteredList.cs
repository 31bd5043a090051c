namespace FlashSale.Server.Console.Pages;

/// <summary>A page of a list that the ledger reads by one key only: reads on until the page is full, and never beyond a bound.</summary>
public static class FilteredList
{
    /// <param name="readAfter">The next ones after the one given, null from the first; at most <paramref name="pieceSize"/>, fewer at the end.</param>
    /// <param name="count">On a page.</param>
    /// <param name="lookMax">So many are looked at, at most; then the page may be short, and still there is more.</param>
    /// <returns>The last one that was looked at, when there may be more behind it.</returns>
    public static async Task<(IReadOnlyList<T> Items, T? Last)> ReadAsync<T>(
        Func<T?, Task<IReadOnlyList<T>>> readAfter, int pieceSize, Func<T, bool> wanted, int count, int lookMax)
        where T : class
    {
        List<T> items = [];
        T? last = null;
        for (var looked = 0; looked < lookMax; looked += pieceSize)
        {
            var piece = await readAfter(last);
            for (var i = 0; i < piece.Count; i++)
            {
                last = piece[i];
                if (!wanted(last))
                {
                    continue;
                }

                items.Add(last);
                if (items.Count == count)
                {
                    return (items, i + 1 < piece.Count || piece.Count == pieceSize ? last : null);
                }
            }

            if (piece.Count < pieceSize)
            {
                return (items, null);
            }
        }

        return (items, last);
    }
}
