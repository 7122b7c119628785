-- What the registry is, what was recorded, and what the documents say.

-- One row. `revision` rises with every change that is committed, so that followers can ask what changed after it.
CREATE TABLE meta (
    one       BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    id        TEXT   NOT NULL,
    made_at   TEXT   NOT NULL,
    revision  BIGINT NOT NULL CHECK (revision >= 0),
    key_check BYTEA  NOT NULL
);

-- Append-only, numbered from 1 without gaps. `event` is JSON.
CREATE TABLE history (
    number BIGINT NOT NULL PRIMARY KEY,
    at     TEXT   NOT NULL,
    who    TEXT   NOT NULL,
    why    TEXT   NOT NULL,
    event  TEXT   NOT NULL
);

-- The text of a document that was applied, sealed: it holds secrets. `customer` is NULL for the operator's own.
CREATE TABLE document (
    number   BIGINT NOT NULL PRIMARY KEY REFERENCES history (number),
    customer TEXT,
    sealed   BYTEA  NOT NULL
);

-- Whoever raises the revision wakes the followers, when it is committed.
CREATE FUNCTION sekisho_tell_followers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sekisho_registry', NEW.revision::text);
    RETURN NULL;
END $$;

CREATE TRIGGER meta_tells_followers AFTER UPDATE OF revision ON meta
FOR EACH ROW EXECUTE FUNCTION sekisho_tell_followers();

CREATE FUNCTION sekisho_history_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number IS DISTINCT FROM (SELECT coalesce(max(number), 0) + 1 FROM history) THEN
        RAISE EXCEPTION 'the history is numbered without gaps';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER history_is_numbered_without_gaps BEFORE INSERT ON history
FOR EACH ROW EXECUTE FUNCTION sekisho_history_number();

CREATE FUNCTION sekisho_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history is append-only: record a correction instead';
END $$;

CREATE TRIGGER history_is_never_changed BEFORE UPDATE OR DELETE ON history
FOR EACH ROW EXECUTE FUNCTION sekisho_append_only();

CREATE TRIGGER history_is_never_emptied BEFORE TRUNCATE ON history
FOR EACH STATEMENT EXECUTE FUNCTION sekisho_append_only();

CREATE FUNCTION sekisho_document_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a document belongs to the history, which is append-only';
END $$;

-- A document is sealed anew after a key rotation, and nothing else happens to it.
CREATE TRIGGER document_is_never_changed BEFORE UPDATE ON document
FOR EACH ROW WHEN (NEW.number IS DISTINCT FROM OLD.number OR NEW.customer IS DISTINCT FROM OLD.customer)
EXECUTE FUNCTION sekisho_document_stays();

CREATE TRIGGER document_is_never_deleted BEFORE DELETE ON document
FOR EACH ROW EXECUTE FUNCTION sekisho_document_stays();

CREATE TRIGGER document_is_never_emptied BEFORE TRUNCATE ON document
FOR EACH STATEMENT EXECUTE FUNCTION sekisho_document_stays();
