-- What operators set while the system runs: one document, the rate limits and the thresholds of load shedding. No row: the defaults.
CREATE TABLE limits (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    rev      INTEGER NOT NULL,
    document TEXT    NOT NULL   -- JSON
) STRICT;
