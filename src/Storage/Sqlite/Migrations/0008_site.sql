-- The published site (docs/ARCHITECTURE.md): here, so that every instance shows the same version and has all of its files, also one that starts later or runs
-- another build.
CREATE TABLE site_versions (
    number      INTEGER PRIMARY KEY,    -- from 1, without gaps
    made_at     INTEGER NOT NULL,
    made_by     TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL
) STRICT;

-- One row: what is shown.
CREATE TABLE site_state (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    current_version INTEGER REFERENCES site_versions (number),      -- NULL: nothing was published yet
    held            INTEGER NOT NULL CHECK (held IN (0, 1)),        -- rolled back: nothing is published until an operator does
    rev             INTEGER NOT NULL                                -- raised by every change
) STRICT;
INSERT INTO site_state (id, held, rev) VALUES (1, 0, 0);

-- By content, so that what did not change is not stored again.
CREATE TABLE site_contents (
    hash    TEXT NOT NULL UNIQUE CHECK (length(hash) = 32),
    content BLOB NOT NULL
) STRICT;

CREATE TABLE site_files (
    version INTEGER NOT NULL REFERENCES site_versions (number),
    path    TEXT    NOT NULL,
    hash    TEXT    NOT NULL REFERENCES site_contents (hash),
    PRIMARY KEY (version, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX site_files_by_hash ON site_files (hash);
