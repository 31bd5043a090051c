namespace FlashSale.Storage;

/// <summary>How busy the connections are that the requests of an instance share, at this moment.</summary>
/// <param name="Name">What they are for: <c>orders</c>, <c>changes</c>, <c>writes</c>, <c>reads</c>, <c>redis</c>.</param>
/// <param name="Size">Connections that there are; for Redis, which takes many calls on one, how many calls may be under way.</param>
/// <param name="Used">Of those.</param>
/// <param name="Waiting">Calls in the queue for one.</param>
/// <param name="Room">Calls that the queue takes; those beyond are refused. 0: nobody waits.</param>
public sealed record ConnectionPool(string Name, int Size, int Used, int Waiting, int Room)
{
    /// <summary>All are used, and so is half of the queue: soon calls are refused.</summary>
    public bool IsExhausted => Used >= Size && Waiting >= Room / 2;
}
