-- Devices and address ranges that may not take part in any sale; users have their own table.
CREATE TABLE blacklist_origins (
    kind       TEXT    NOT NULL CHECK (kind IN ('device', 'address')),
    subject    TEXT    NOT NULL,    -- 16 hexadecimal digits, or a range in CIDR notation without host bits
    reason     TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,             -- NULL: for good
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

-- What was changed last, by the catalogue's revision that the change made: an instance that follows reads these rows instead of the whole blacklist.
CREATE TABLE blacklist_changes (
    rev        INTEGER NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('user', 'device', 'address', 'all')),  -- all: too much to list
    subject    TEXT    NOT NULL,
    bars_until INTEGER,             -- NULL: let in again
    PRIMARY KEY (rev, kind, subject)
) STRICT, WITHOUT ROWID;
