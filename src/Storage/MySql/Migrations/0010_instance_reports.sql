-- What each instance last said of itself (docs/console.md): the live board adds them up, and so does the report after a sale. The ledger only keeps them.
CREATE TABLE IF NOT EXISTS instance_reports (
    instance VARCHAR(200) NOT NULL PRIMARY KEY,
    at       BIGINT       NOT NULL,
    document MEDIUMTEXT   NOT NULL,
    KEY instance_reports_by_time (at)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
