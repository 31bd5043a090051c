-- The ledger on MariaDB 10.6 or later and MySQL 8.0.16 or later. Times are Unix milliseconds by the ledger's clock, amounts are minor units (fen), enums are
-- the words of the API, ids of orders, payments and reservations are the 16 bytes of a UUID in network order, so that version 7 ids sort by their time.
-- The constraints are walls: they hold the promises whatever the program above them does.
--
-- These databases commit each CREATE TABLE by itself. So every statement of a migration can be repeated: one that died half-way is completed by the next start.
--
-- Ids, slugs and words are ASCII and compared byte by byte; what people wrote is utf8mb4.

-- One row: what is counted once for the whole ledger.
CREATE TABLE IF NOT EXISTS ledger_state (
    id          INT    NOT NULL PRIMARY KEY,
    catalog_rev BIGINT NOT NULL,   -- raised by every change of a sale or the blacklist
    heartbeat   BIGINT NOT NULL,   -- raised to prove that the ledger can write, and to make what was seen durable before it is told
    CHECK (id = 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
INSERT INTO ledger_state (id, catalog_rev, heartbeat) VALUES (1, 1, 0) ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS sales (
    id                    BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    slug                  VARCHAR(64)  NOT NULL,
    title_zh              VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    title_en              VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    reservation_opens_at  BIGINT,
    reservation_closes_at BIGINT,
    opens_at              BIGINT       NOT NULL,
    closes_at             BIGINT       NOT NULL,
    requires_reservation  TINYINT      NOT NULL,
    ordering              VARCHAR(16)  NOT NULL,
    deduction             VARCHAR(16)  NOT NULL,
    payment_window        BIGINT       NOT NULL,                    -- milliseconds
    risk_threshold        INT          NOT NULL,
    status                VARCHAR(16)  NOT NULL,
    -- How long before its opening a sale is loaded into a gate that instances share; milliseconds.
    warm_up_lead          BIGINT       NOT NULL DEFAULT 900000,
    rev                   BIGINT       NOT NULL,                    -- raised by every change; compared before it is set
    UNIQUE KEY sales_by_slug (slug),
    CHECK (closes_at > opens_at),
    CHECK (requires_reservation IN (0, 1)),
    CHECK (ordering IN ('synchronous', 'queued')),
    CHECK (deduction IN ('order', 'payment', 'reservation')),
    CHECK (payment_window > 0),
    CHECK (risk_threshold BETWEEN 0 AND 100),
    CHECK (status IN ('draft', 'published', 'paused', 'closed')),
    CHECK (warm_up_lead > 0),
    CHECK (rev > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE IF NOT EXISTS offers (
    id             BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sale_id        BIGINT       NOT NULL,
    position       INT          NOT NULL,                           -- in the list of the sale, from 0
    sku            VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    title_zh       VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    title_en       VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    face_value     BIGINT       NOT NULL,
    face_currency  VARCHAR(3)   NOT NULL,
    price          BIGINT       NOT NULL,
    price_currency VARCHAR(3)   NOT NULL,
    stock          INT          NOT NULL,                           -- at publication; see table stock for the rest
    per_user_limit INT          NOT NULL,
    valid_from     BIGINT       NOT NULL,                           -- of the coupons
    valid_until    BIGINT       NOT NULL,
    UNIQUE KEY offers_by_sale (sale_id, position),
    UNIQUE KEY offers_in_sale (id, sale_id),                        -- what an order refers to
    FOREIGN KEY (sale_id) REFERENCES sales (id),
    CHECK (face_value >= 0),
    CHECK (price >= 0),
    CHECK (stock BETWEEN 1 AND 1000000),
    CHECK (per_user_limit BETWEEN 1 AND 10)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Written at publication. A bucket is a slice of an offer's stock; so far each offer has bucket 0 only.
CREATE TABLE IF NOT EXISTS stock (
    offer_id    BIGINT NOT NULL,
    bucket      INT    NOT NULL,
    initial     BIGINT NOT NULL,
    adjustments BIGINT NOT NULL,
    available   BIGINT NOT NULL,
    held        BIGINT NOT NULL,
    sold        BIGINT NOT NULL,
    seq         BIGINT NOT NULL,                                    -- number of the last change
    -- Ended orders are counted where their stock is: counting a million orders for each reading would take too long.
    cancelled   BIGINT NOT NULL DEFAULT 0,
    expired     BIGINT NOT NULL DEFAULT 0,
    refund_due  BIGINT NOT NULL DEFAULT 0,
    refunded    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (offer_id, bucket),
    FOREIGN KEY (offer_id) REFERENCES offers (id),
    CHECK (bucket >= 0),
    CHECK (initial >= 0),
    CHECK (available >= 0),
    CHECK (held >= 0),
    CHECK (sold >= 0),
    CHECK (seq > 0),
    CHECK (cancelled >= 0 AND expired >= 0 AND refund_due >= 0 AND refunded >= 0),
    CHECK (initial + adjustments = available + held + sold)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Rows stand in the order of their arrival. Tokens, and so ids, are made in the minutes before the opening and come back in no order at all: a table
-- clustered by id would write a page of it for every order.
CREATE TABLE IF NOT EXISTS orders (
    rowid      BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id         BINARY(16)  NOT NULL,
    sale_id    BIGINT      NOT NULL,
    offer_id   BIGINT      NOT NULL,
    user_id    VARCHAR(64) NOT NULL,
    status     VARCHAR(16) NOT NULL,
    -- The limit of the offer, copied here so that index and check together hold it.
    user_limit TINYINT     NOT NULL,
    -- Which of the user's live orders of the offer it is; NULL when it is not live.
    live_slot  TINYINT,
    price      BIGINT      NOT NULL,
    currency   VARCHAR(3)  NOT NULL,
    created_at BIGINT      NOT NULL,
    pay_before BIGINT      NOT NULL,
    -- One token, one order. A second transaction with the same id waits here for the first one to end, and then finds its row or none.
    UNIQUE KEY orders_by_id (id),
    -- The limit per user: slots 1 to user_limit, each taken once. An order that ends gives its slot back (NULLs never collide).
    -- It also finds a user's orders, whose few rows are then sorted.
    UNIQUE KEY orders_by_user (user_id, offer_id, live_slot),
    -- Warm-up and export; and what the foreign key asks for.
    KEY orders_by_offer (offer_id, sale_id),
    -- The expiry scan sees only what may expire.
    KEY orders_to_expire (status, pay_before),
    -- The parent row never changes once an order can refer to it, so the shared locks on it disturb nobody.
    CONSTRAINT orders_of_offer FOREIGN KEY (offer_id, sale_id) REFERENCES offers (id, sale_id),
    CHECK (status IN ('held', 'paid', 'cancelled', 'expired', 'refund_due', 'refunded')),
    CHECK (user_limit BETWEEN 1 AND 10),
    CHECK (live_slot BETWEEN 1 AND user_limit),
    CHECK (price >= 0),
    CHECK ((live_slot IS NOT NULL) = (status IN ('held', 'paid')))
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- The change log (流水): seq runs from 1 without gaps, and each balance is the one before it plus delta.
-- It has no foreign keys. One to stock would take a shared lock on the hot row before the update that needs it alone: two transactions that log first would
-- wait for each other (docs/decisions/0010). One to orders would need an index over all order ids, a page more to write for every order.
CREATE TABLE IF NOT EXISTS stock_changes (
    offer_id      BIGINT      NOT NULL,
    bucket        INT         NOT NULL,
    seq           BIGINT      NOT NULL,
    kind          VARCHAR(16) NOT NULL,
    delta         BIGINT      NOT NULL,                             -- of what is available
    balance_after BIGINT      NOT NULL,                             -- available after it
    order_id      BINARY(16),
    at            BIGINT      NOT NULL,
    -- An order is sold once and released once; NULL, which never collides, for all else. That it is held once follows from its own row, which is written with
    -- the hold.
    ended         VARBINARY(32) AS (CASE WHEN kind IN ('sell', 'release') THEN CONCAT(order_id, kind) END) STORED,
    PRIMARY KEY (offer_id, bucket, seq),
    UNIQUE KEY stock_changes_by_order (ended),
    CHECK (seq > 0),
    CHECK (kind IN ('initial', 'hold', 'sell', 'release', 'adjust')),
    CHECK (balance_after >= 0),
    CHECK ((order_id IS NULL) = (kind IN ('initial', 'adjust')))
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE IF NOT EXISTS payments (
    id         BINARY(16)  NOT NULL PRIMARY KEY,
    order_id   BINARY(16)  NOT NULL,
    amount     BIGINT      NOT NULL,
    currency   VARCHAR(3)  NOT NULL,
    status     VARCHAR(16) NOT NULL,
    created_at BIGINT      NOT NULL,
    changed_at BIGINT      NOT NULL,
    UNIQUE KEY payments_by_order (order_id),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    CHECK (amount >= 0),
    CHECK (status IN ('pending', 'paid', 'failed'))
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Value and validity are those of the offer, which never change after publication.
CREATE TABLE IF NOT EXISTS coupons (
    code        VARCHAR(32) NOT NULL PRIMARY KEY,
    order_id    BINARY(16)  NOT NULL,
    offer_id    BIGINT      NOT NULL,
    status      VARCHAR(16) NOT NULL,
    issued_at   BIGINT      NOT NULL,
    redeemed_at BIGINT,
    redeemed_by VARCHAR(64),
    UNIQUE KEY coupons_by_order (order_id),
    KEY coupons_by_offer (offer_id),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    FOREIGN KEY (offer_id) REFERENCES offers (id),
    CHECK (status IN ('issued', 'redeemed', 'revoked')),
    CHECK ((redeemed_at IS NOT NULL) = (status = 'redeemed') AND (redeemed_by IS NOT NULL) = (status = 'redeemed'))
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE IF NOT EXISTS reservations (
    sale_id    BIGINT      NOT NULL,
    user_id    VARCHAR(64) NOT NULL,
    id         BINARY(16)  NOT NULL,
    status     VARCHAR(16) NOT NULL,
    created_at BIGINT      NOT NULL,
    PRIMARY KEY (sale_id, user_id),
    UNIQUE KEY reservations_by_id (id),
    FOREIGN KEY (sale_id) REFERENCES sales (id),
    CHECK (status IN ('pending', 'approved', 'rejected'))
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE IF NOT EXISTS blacklist (
    user_id    VARCHAR(64)   NOT NULL PRIMARY KEY,
    reason     VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    source     VARCHAR(255)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    actor      VARCHAR(255)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created_at BIGINT        NOT NULL,
    expires_at BIGINT                                               -- NULL: for good
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE IF NOT EXISTS audit (
    id       BIGINT        NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at       BIGINT        NOT NULL,
    actor    VARCHAR(255)  NOT NULL,
    role     VARCHAR(64)   NOT NULL,
    action   VARCHAR(64)   NOT NULL,
    subject  VARCHAR(255)  NOT NULL,
    reason   VARCHAR(2000),
    `before` MEDIUMTEXT,                                            -- JSON
    `after`  MEDIUMTEXT,                                            -- JSON
    trace_id VARCHAR(255)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Work that one instance does for all: who does it, and until when if nothing more is heard of it.
CREATE TABLE IF NOT EXISTS leases (
    name  VARCHAR(64)  NOT NULL PRIMARY KEY,
    owner VARCHAR(255) NOT NULL,
    until BIGINT       NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
