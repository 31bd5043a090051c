using FlashSale.Core;

namespace FlashSale.Server.Orders;

/// <param name="BatchMax">Orders in one transaction, 1 to <see cref="Limits.BatchMax"/>. 1 turns batching off, for comparison.</param>
/// <param name="QueueMax">Orders that wait for one writer before new ones are answered with 503.</param>
public sealed record LedgerWriterOptions(int BatchMax = Limits.BatchMax, int QueueMax = Limits.WriterQueue);
