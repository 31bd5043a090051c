-- What operators set while the system runs: one document, the rate limits and the thresholds of load shedding. No row: the defaults.
CREATE TABLE IF NOT EXISTS limits (
    id       INT        NOT NULL PRIMARY KEY CHECK (id = 1),
    rev      BIGINT     NOT NULL,
    document MEDIUMTEXT NOT NULL   -- JSON
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
