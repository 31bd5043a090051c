-- The audit log is a chain (docs/decisions/0023): id runs from 1 without gaps, and each hash is made of the entry and of the hash before it. '' stands in entries of
-- earlier versions until the program has taken them into the chain, which it does at its start, and when it meets one that an instance of an earlier version writes
-- during an update. MySQL knows no ADD COLUMN IF NOT EXISTS.
SET @add = IF((SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'audit' AND column_name = 'hash') = 0,
    'ALTER TABLE audit ADD COLUMN previous_hash VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '''',
                       ADD COLUMN hash          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '''',
                       ADD KEY audit_by_subject (subject)',
    'DO 0');
PREPARE add_columns FROM @add;
EXECUTE add_columns;
DEALLOCATE PREPARE add_columns;

-- One row: the last entry. Locked by whoever adds one, last of all that the transaction locks.
CREATE TABLE IF NOT EXISTS audit_head (
    id   INT         NOT NULL PRIMARY KEY,
    seq  BIGINT      NOT NULL,
    hash VARCHAR(64) NOT NULL,
    CHECK (id = 1),
    CHECK (seq >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000') ON DUPLICATE KEY UPDATE id = audit_head.id;
