-- The ledger. Times are Unix milliseconds by the ledger's clock, amounts are minor units (fen), enums are the words of the API,
-- ids of orders, payments and reservations are the 16 bytes of a UUID in network order, so that version 7 ids sort by their time.
-- The constraints are walls: they hold the promises whatever the program above them does.

-- One row: what is counted once for the whole ledger.
CREATE TABLE ledger_state (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    catalog_rev INTEGER NOT NULL,   -- raised by every change of a sale or the blacklist
    heartbeat   INTEGER NOT NULL    -- raised to prove that the ledger can write, and as the first write of a new connection
) STRICT;
INSERT INTO ledger_state (id, catalog_rev, heartbeat) VALUES (1, 1, 0);

CREATE TABLE sales (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,    -- never given out twice
    slug                  TEXT    NOT NULL UNIQUE,
    title_zh              TEXT    NOT NULL,
    title_en              TEXT    NOT NULL,
    reservation_opens_at  INTEGER,
    reservation_closes_at INTEGER,
    opens_at              INTEGER NOT NULL,
    closes_at             INTEGER NOT NULL CHECK (closes_at > opens_at),
    requires_reservation  INTEGER NOT NULL CHECK (requires_reservation IN (0, 1)),
    ordering              TEXT    NOT NULL CHECK (ordering IN ('synchronous', 'queued')),
    deduction             TEXT    NOT NULL CHECK (deduction IN ('order', 'payment', 'reservation')),
    payment_window        INTEGER NOT NULL CHECK (payment_window > 0),  -- milliseconds
    risk_threshold        INTEGER NOT NULL CHECK (risk_threshold BETWEEN 0 AND 100),
    status                TEXT    NOT NULL CHECK (status IN ('draft', 'published', 'paused', 'closed')),
    rev                   INTEGER NOT NULL CHECK (rev > 0)      -- raised by every change; compared before it is set
) STRICT;

CREATE TABLE offers (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given out twice, though drafts are replaced
    sale_id        INTEGER NOT NULL REFERENCES sales (id),
    position       INTEGER NOT NULL,                    -- in the list of the sale, from 0
    sku            TEXT    NOT NULL,
    title_zh       TEXT    NOT NULL,
    title_en       TEXT    NOT NULL,
    face_value     INTEGER NOT NULL CHECK (face_value >= 0),
    face_currency  TEXT    NOT NULL,
    price          INTEGER NOT NULL CHECK (price >= 0),
    price_currency TEXT    NOT NULL,
    stock          INTEGER NOT NULL CHECK (stock BETWEEN 1 AND 1000000),    -- at publication; see table stock for the rest
    per_user_limit INTEGER NOT NULL CHECK (per_user_limit BETWEEN 1 AND 10),
    valid_from     INTEGER NOT NULL,                    -- of the coupons
    valid_until    INTEGER NOT NULL,
    UNIQUE (sale_id, position),
    UNIQUE (id, sale_id)                                -- what an order refers to
) STRICT;

-- Written at publication. A bucket is a slice of an offer's stock; so far each offer has bucket 0 only.
CREATE TABLE stock (
    offer_id    INTEGER NOT NULL REFERENCES offers (id),
    bucket      INTEGER NOT NULL CHECK (bucket >= 0),
    initial     INTEGER NOT NULL CHECK (initial >= 0),
    adjustments INTEGER NOT NULL,
    available   INTEGER NOT NULL CHECK (available >= 0),
    held        INTEGER NOT NULL CHECK (held >= 0),
    sold        INTEGER NOT NULL CHECK (sold >= 0),
    seq         INTEGER NOT NULL CHECK (seq > 0),       -- number of the last change
    PRIMARY KEY (offer_id, bucket),
    CHECK (initial + adjustments = available + held + sold)
) STRICT, WITHOUT ROWID;

-- Rows stand in the order of their arrival. Tokens, and so ids, are made in the minutes before the opening and come back in no order at all: a table
-- sorted by id would write a page of it for every order.
CREATE TABLE orders (
    id         BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    sale_id    INTEGER NOT NULL,
    offer_id   INTEGER NOT NULL,
    user_id    TEXT    NOT NULL,
    status     TEXT    NOT NULL CHECK (status IN ('held', 'paid', 'cancelled', 'expired', 'refund_due', 'refunded')),
    -- The limit of the offer, copied here so that index and check together hold it.
    user_limit INTEGER NOT NULL CHECK (user_limit BETWEEN 1 AND 10),
    -- Which of the user's live orders of the offer it is; NULL when it is not live.
    live_slot  INTEGER CHECK (live_slot BETWEEN 1 AND user_limit),
    price      INTEGER NOT NULL CHECK (price >= 0),
    currency   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    pay_before INTEGER NOT NULL,
    FOREIGN KEY (offer_id, sale_id) REFERENCES offers (id, sale_id),
    CHECK ((live_slot IS NOT NULL) = (status IN ('held', 'paid')))
) STRICT;

-- The limit per user: slots 1 to user_limit, each taken once. An order that ends gives its slot back (NULLs never collide).
-- It also finds a user's orders, whose few rows are then sorted. An index for that order alone would cost a third of the orders per second:
-- users arrive at random, so every order writes one page of each index that begins with the user.
CREATE UNIQUE INDEX orders_by_user ON orders (user_id, offer_id, live_slot);
-- Warm-up and export; and the check of the foreign key when the offers of a draft are replaced.
CREATE INDEX orders_by_offer ON orders (offer_id);
-- The expiry scan sees only what may expire.
CREATE INDEX orders_to_expire ON orders (pay_before) WHERE status = 'held';

-- Orders by state, kept up in the transactions that move them: counting a million rows for each reading would take too long.
CREATE TABLE order_counts (
    status TEXT    NOT NULL PRIMARY KEY,
    orders INTEGER NOT NULL CHECK (orders >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO order_counts (status, orders)
VALUES ('held', 0), ('paid', 0), ('cancelled', 0), ('expired', 0), ('refund_due', 0), ('refunded', 0);

-- The change log (流水): seq runs from 1 without gaps, and each balance is the one before it plus delta.
CREATE TABLE stock_changes (
    offer_id      INTEGER NOT NULL,
    bucket        INTEGER NOT NULL,
    seq           INTEGER NOT NULL CHECK (seq > 0),
    kind          TEXT    NOT NULL CHECK (kind IN ('initial', 'hold', 'sell', 'release', 'adjust')),
    delta         INTEGER NOT NULL,                             -- of what is available
    balance_after INTEGER NOT NULL CHECK (balance_after >= 0),  -- available after it
    order_id      BLOB             REFERENCES orders (id),
    at            INTEGER NOT NULL,
    PRIMARY KEY (offer_id, bucket, seq),
    FOREIGN KEY (offer_id, bucket) REFERENCES stock (offer_id, bucket),
    CHECK ((order_id IS NULL) = (kind IN ('initial', 'adjust')))
) STRICT, WITHOUT ROWID;

-- An order is sold once and released once. That it is held once follows from its own row, which is written with the hold: an index over holds too
-- would be one more page for every order.
CREATE UNIQUE INDEX stock_changes_by_order ON stock_changes (order_id, kind) WHERE kind IN ('sell', 'release');

CREATE TABLE payments (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    order_id   BLOB    NOT NULL UNIQUE REFERENCES orders (id),
    amount     INTEGER NOT NULL CHECK (amount >= 0),
    currency   TEXT    NOT NULL,
    status     TEXT    NOT NULL CHECK (status IN ('pending', 'paid', 'failed')),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Value and validity are those of the offer, which never change after publication.
CREATE TABLE coupons (
    code        TEXT    NOT NULL PRIMARY KEY,
    order_id    BLOB    NOT NULL UNIQUE REFERENCES orders (id),
    offer_id    INTEGER NOT NULL REFERENCES offers (id),
    status      TEXT    NOT NULL CHECK (status IN ('issued', 'redeemed', 'revoked')),
    issued_at   INTEGER NOT NULL,
    redeemed_at INTEGER,
    redeemed_by TEXT,
    CHECK ((redeemed_at IS NOT NULL) = (status = 'redeemed') AND (redeemed_by IS NOT NULL) = (status = 'redeemed'))
) STRICT, WITHOUT ROWID;
-- For the foreign key, when the offers of a draft are replaced.
CREATE INDEX coupons_by_offer ON coupons (offer_id);

CREATE TABLE reservations (
    sale_id    INTEGER NOT NULL REFERENCES sales (id),
    user_id    TEXT    NOT NULL,
    id         BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    status     TEXT    NOT NULL CHECK (status IN ('pending', 'approved', 'rejected')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (sale_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE blacklist (
    user_id    TEXT    NOT NULL PRIMARY KEY,
    reason     TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER              -- NULL: for good
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    role     TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    reason   TEXT,
    before   TEXT,                  -- JSON
    after    TEXT,                  -- JSON
    trace_id TEXT
) STRICT;
