-- The assessment of each reservation: written with it, so that none is forgotten, and decided once. device, network, evidence and inputs are erased some time
-- after the sale (docs/risk.md, Privacy); what was decided, and why, stays.
CREATE TABLE IF NOT EXISTS assessments (
    reservation_id BINARY(16)  NOT NULL PRIMARY KEY,
    sale_id        BIGINT      NOT NULL,
    user_id        VARCHAR(64) NOT NULL,
    state          VARCHAR(16) NOT NULL,
    attempts       INT         NOT NULL,    -- that failed
    due_at         BIGINT      NOT NULL,    -- not to be taken before it: a worker that takes it moves it
    device         VARCHAR(32),
    network        VARCHAR(64),             -- NULL: erased; empty: not known
    evidence       MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,  -- JSON
    inputs         MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,  -- JSON
    score          INT,
    signals        MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,  -- JSON
    rules          VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, -- their version
    problem        VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,    -- of the last attempt that failed
    created_at     BIGINT      NOT NULL,
    decided_at     BIGINT,
    KEY assessments_due (state, due_at),
    KEY assessments_open (state, sale_id, created_at),
    KEY assessments_by_sale (sale_id, reservation_id),
    KEY assessments_by_device (sale_id, device, created_at),
    KEY assessments_by_network (sale_id, network, created_at),
    KEY assessments_by_user (user_id, created_at),
    FOREIGN KEY (sale_id) REFERENCES sales (id),
    CHECK (state IN ('waiting', 'done', 'dead')),
    CHECK (attempts >= 0),
    CHECK (score BETWEEN 0 AND 100),
    CHECK ((decided_at IS NOT NULL) = (state = 'done'))
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- How users behaved, by the day: since 1970-01-01, UTC.
CREATE TABLE IF NOT EXISTS conduct (
    user_id VARCHAR(64) NOT NULL,
    kind    VARCHAR(32) NOT NULL,
    day     INT         NOT NULL,
    count   BIGINT      NOT NULL,
    PRIMARY KEY (user_id, kind, day),
    KEY conduct_by_day (day),
    CHECK (count > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
