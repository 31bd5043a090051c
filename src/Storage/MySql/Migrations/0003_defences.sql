-- What a sale does against bots, as its operator chose. No row: the defaults.
CREATE TABLE IF NOT EXISTS sale_defences (
    sale_id  BIGINT     NOT NULL PRIMARY KEY,
    document MEDIUMTEXT NOT NULL,   -- JSON
    FOREIGN KEY (sale_id) REFERENCES sales (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
