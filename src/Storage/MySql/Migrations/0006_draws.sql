-- The draws of the first moments: a seed for each sale that draws, made with its publication, and the requests to order that took part.
-- The seed is told to nobody before the list of entries is fixed; whoever reads this table sooner knows who would win.
CREATE TABLE IF NOT EXISTS draws (
    sale_id    BIGINT     NOT NULL PRIMARY KEY,
    seed       BINARY(32) NOT NULL,
    commitment CHAR(64)   NOT NULL,   -- SHA-256 of the seed, hexadecimal
    fixed_at   BIGINT,                -- when the list was fixed; from then on no entry is added
    FOREIGN KEY (sale_id) REFERENCES sales (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Units that were available when the list was fixed.
CREATE TABLE IF NOT EXISTS draw_stock (
    offer_id BIGINT NOT NULL PRIMARY KEY,
    stock    BIGINT NOT NULL,
    FOREIGN KEY (offer_id) REFERENCES offers (id),
    CHECK (stock >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE IF NOT EXISTS draw_entries (
    offer_id BIGINT      NOT NULL,
    entry    BINARY(32)  NOT NULL,
    user_id  VARCHAR(64) NOT NULL,    -- so that nobody enters twice
    PRIMARY KEY (offer_id, entry),
    UNIQUE KEY draw_entries_by_user (offer_id, user_id),
    FOREIGN KEY (offer_id) REFERENCES offers (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
