-- What the registry is, what was recorded, and what the documents say.

-- One row. `revision` rises with every change that is committed, so that followers can ask what changed after it.
CREATE TABLE meta (
    one       INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id        TEXT    NOT NULL,
    made_at   TEXT    NOT NULL,
    revision  INTEGER NOT NULL CHECK (revision >= 0),
    key_check BLOB    NOT NULL
) STRICT;

-- Append-only, numbered from 1 without gaps. `event` is JSON.
CREATE TABLE history (
    number INTEGER NOT NULL PRIMARY KEY,
    at     TEXT    NOT NULL,
    who    TEXT    NOT NULL,
    why    TEXT    NOT NULL,
    event  TEXT    NOT NULL
) STRICT;

-- The text of a document that was applied, sealed: it holds secrets. `customer` is NULL for the operator's own.
CREATE TABLE document (
    number   INTEGER NOT NULL PRIMARY KEY REFERENCES history (number),
    customer TEXT,
    sealed   BLOB    NOT NULL
) STRICT;

CREATE TRIGGER history_is_numbered_without_gaps BEFORE INSERT ON history
WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM history)
BEGIN SELECT RAISE(ABORT, 'the history is numbered without gaps'); END;

CREATE TRIGGER history_is_never_changed BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'the history is append-only: record a correction instead'); END;

CREATE TRIGGER history_is_never_deleted BEFORE DELETE ON history
BEGIN SELECT RAISE(ABORT, 'the history is append-only: record a correction instead'); END;

-- A document is sealed anew after a key rotation, and nothing else happens to it.
CREATE TRIGGER document_is_never_changed BEFORE UPDATE ON document
WHEN NEW.number IS NOT OLD.number OR NEW.customer IS NOT OLD.customer
BEGIN SELECT RAISE(ABORT, 'a document belongs to the history, which is append-only'); END;

CREATE TRIGGER document_is_never_deleted BEFORE DELETE ON document
BEGIN SELECT RAISE(ABORT, 'a document belongs to the history, which is append-only'); END;
