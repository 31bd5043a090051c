-- The assessment of each reservation: written with it, so that none is forgotten, and decided once. device, network, evidence and inputs are erased some time
-- after the sale (docs/risk.md, Privacy); what was decided, and why, stays.
CREATE TABLE assessments (
    reservation_id BLOB    NOT NULL UNIQUE CHECK (length(reservation_id) = 16),
    sale_id        INTEGER NOT NULL REFERENCES sales (id),
    user_id        TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('waiting', 'done', 'dead')),
    attempts       INTEGER NOT NULL CHECK (attempts >= 0),     -- that failed
    due_at         INTEGER NOT NULL,    -- not to be taken before it: a worker that takes it moves it
    device         TEXT,
    network        TEXT,                -- NULL: erased; empty: not known
    evidence       TEXT,                -- JSON
    inputs         TEXT,                -- JSON
    score          INTEGER CHECK (score BETWEEN 0 AND 100),
    signals        TEXT,                -- JSON
    rules          TEXT,                -- their version
    problem        TEXT,                -- of the last attempt that failed
    created_at     INTEGER NOT NULL,
    decided_at     INTEGER,
    CHECK ((decided_at IS NOT NULL) = (state = 'done'))
) STRICT;
CREATE INDEX assessments_due ON assessments (due_at) WHERE state = 'waiting';
CREATE INDEX assessments_waiting ON assessments (sale_id, created_at) WHERE state = 'waiting';
CREATE INDEX assessments_dead ON assessments (sale_id, created_at) WHERE state = 'dead';
CREATE INDEX assessments_by_sale ON assessments (sale_id, reservation_id);
CREATE INDEX assessments_by_device ON assessments (sale_id, device, created_at) WHERE device IS NOT NULL;
CREATE INDEX assessments_by_network ON assessments (sale_id, network, created_at) WHERE network IS NOT NULL;
CREATE INDEX assessments_by_user ON assessments (user_id, created_at);

-- How users behaved, by the day: since 1970-01-01, UTC.
CREATE TABLE conduct (
    user_id TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    day     INTEGER NOT NULL,
    count   INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (user_id, kind, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX conduct_by_day ON conduct (day);
