-- Devices and address ranges that may not take part in any sale; users have their own table.
CREATE TABLE IF NOT EXISTS blacklist_origins (
    kind       VARCHAR(16)   NOT NULL CHECK (kind IN ('device', 'address')),
    subject    VARCHAR(64)   NOT NULL,   -- 16 hexadecimal digits, or a range in CIDR notation without host bits
    reason     VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    source     VARCHAR(255)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    actor      VARCHAR(255)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created_at BIGINT        NOT NULL,
    expires_at BIGINT,                   -- NULL: for good
    PRIMARY KEY (kind, subject)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- What was changed last, by the catalogue's revision that the change made: an instance that follows reads these rows instead of the whole blacklist.
CREATE TABLE IF NOT EXISTS blacklist_changes (
    rev        BIGINT      NOT NULL,
    kind       VARCHAR(16) NOT NULL CHECK (kind IN ('user', 'device', 'address', 'all')),  -- all: too much to list
    subject    VARCHAR(64) NOT NULL,
    bars_until BIGINT,                   -- NULL: let in again
    PRIMARY KEY (rev, kind, subject)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
