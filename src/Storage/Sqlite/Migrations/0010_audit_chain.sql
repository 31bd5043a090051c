-- The audit log is a chain (docs/decisions/0023): id runs from 1 without gaps, and each hash is made of the entry and of the hash before it. '' stands in entries of
-- earlier versions until the program has taken them into the chain, which it does at its start.
ALTER TABLE audit ADD COLUMN previous_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN hash          TEXT NOT NULL DEFAULT '';

-- One row: the last entry. Locked by whoever adds one, last of all that the transaction locks.
CREATE TABLE audit_head (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL CHECK (seq >= 0),
    hash TEXT    NOT NULL
) STRICT;
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- Append-only. Not against whoever owns the file, who can drop triggers: against a slip of the hand, and a program that has lost its way.
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit WHEN old.hash <> ''
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- REPLACE deletes without the trigger above.
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = new.id AND hash <> '')
BEGIN SELECT RAISE(ABORT, 'the audit log has an entry of this number'); END;
CREATE TRIGGER audit_head_no_return BEFORE UPDATE ON audit_head WHEN new.seq <= old.seq
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_head_no_replace BEFORE INSERT ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit log has one head'); END;

-- What was done to an order, a sale, a user.
CREATE INDEX audit_by_subject ON audit (subject);
