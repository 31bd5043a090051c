-- What a sale does against bots, as its operator chose. No row: the defaults.
CREATE TABLE sale_defences (
    sale_id  INTEGER NOT NULL PRIMARY KEY REFERENCES sales (id),
    document TEXT    NOT NULL   -- JSON
) STRICT;
