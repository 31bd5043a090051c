-- The draws of the first moments: a seed for each sale that draws, made with its publication, and the requests to order that took part.
-- The seed is told to nobody before the list of entries is fixed; whoever reads this table sooner knows who would win.
CREATE TABLE draws (
    sale_id    INTEGER NOT NULL PRIMARY KEY REFERENCES sales (id),
    seed       BLOB    NOT NULL CHECK (length(seed) = 32),
    commitment TEXT    NOT NULL CHECK (length(commitment) = 64),   -- SHA-256 of the seed, hexadecimal
    fixed_at   INTEGER                                             -- when the list was fixed; from then on no entry is added
) STRICT;

-- Units that were available when the list was fixed.
CREATE TABLE draw_stock (
    offer_id INTEGER NOT NULL PRIMARY KEY REFERENCES offers (id),
    stock    INTEGER NOT NULL CHECK (stock >= 0)
) STRICT;

CREATE TABLE draw_entries (
    offer_id INTEGER NOT NULL REFERENCES offers (id),
    entry    BLOB    NOT NULL CHECK (length(entry) = 32),
    user_id  TEXT    NOT NULL,                                     -- so that nobody enters twice
    PRIMARY KEY (offer_id, entry),
    UNIQUE (offer_id, user_id)
) STRICT, WITHOUT ROWID;
