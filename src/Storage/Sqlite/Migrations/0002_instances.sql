-- Work that one instance does for all: who does it, and until when if nothing more is heard of it.
CREATE TABLE leases (
    name  TEXT    NOT NULL PRIMARY KEY,
    owner TEXT    NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How long before its opening a sale is loaded into a gate that instances share; milliseconds.
ALTER TABLE sales ADD COLUMN warm_up_lead INTEGER NOT NULL DEFAULT 900000 CHECK (warm_up_lead > 0);

-- Ended orders are counted where their stock is: one row less to write for every batch, and none that all offers share. The stock row itself counts those
-- that are held and sold.
ALTER TABLE stock ADD COLUMN cancelled INTEGER NOT NULL DEFAULT 0 CHECK (cancelled >= 0);
ALTER TABLE stock ADD COLUMN expired INTEGER NOT NULL DEFAULT 0 CHECK (expired >= 0);
ALTER TABLE stock ADD COLUMN refund_due INTEGER NOT NULL DEFAULT 0 CHECK (refund_due >= 0);
ALTER TABLE stock ADD COLUMN refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0);
UPDATE stock SET cancelled = ended.cancelled, expired = ended.expired, refund_due = ended.refund_due, refunded = ended.refunded
FROM (SELECT offer_id, sum(status = 'cancelled') AS cancelled, sum(status = 'expired') AS expired, sum(status = 'refund_due') AS refund_due,
             sum(status = 'refunded') AS refunded
      FROM orders GROUP BY offer_id) AS ended
WHERE ended.offer_id = stock.offer_id;
DROP TABLE order_counts;
