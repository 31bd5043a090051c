-- What each instance last said of itself (docs/console.md): the live board adds them up, and so does the report after a sale. The ledger only keeps them.
CREATE TABLE instance_reports (
    instance TEXT    NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    document TEXT    NOT NULL
) STRICT;
CREATE INDEX instance_reports_by_time ON instance_reports (at);
