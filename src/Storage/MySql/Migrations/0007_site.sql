-- The published site (docs/ARCHITECTURE.md): here, so that every instance shows the same version and has all of its files, also one that starts later or runs
-- another build.
CREATE TABLE IF NOT EXISTS site_versions (
    number      BIGINT       NOT NULL PRIMARY KEY,    -- from 1, without gaps
    made_at     BIGINT       NOT NULL,
    made_by     VARCHAR(64)  NOT NULL,
    fingerprint VARCHAR(128) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- One row: what is shown.
CREATE TABLE IF NOT EXISTS site_state (
    id              INT     NOT NULL PRIMARY KEY,
    current_version BIGINT,                           -- NULL: nothing was published yet
    held            TINYINT NOT NULL,                 -- rolled back: nothing is published until an operator does
    rev             BIGINT  NOT NULL,                 -- raised by every change
    FOREIGN KEY (current_version) REFERENCES site_versions (number),
    CHECK (id = 1),
    CHECK (held IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
INSERT INTO site_state (id, held, rev) VALUES (1, 0, 0) ON DUPLICATE KEY UPDATE id = id;

-- By content, so that what did not change is not stored again.
CREATE TABLE IF NOT EXISTS site_contents (
    hash    CHAR(32)   NOT NULL PRIMARY KEY,
    content MEDIUMBLOB NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE IF NOT EXISTS site_files (
    version BIGINT       NOT NULL,
    path    VARCHAR(200) NOT NULL,
    hash    CHAR(32)     NOT NULL,
    PRIMARY KEY (version, path),
    KEY site_files_by_hash (hash),
    FOREIGN KEY (version) REFERENCES site_versions (number),
    FOREIGN KEY (hash) REFERENCES site_contents (hash)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
