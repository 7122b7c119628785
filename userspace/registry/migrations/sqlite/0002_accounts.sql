-- Hosted accounts. One that was removed stays as a row without a secret, marked `gone`, so that followers learn of it by its revision.
CREATE TABLE account (
    realm        TEXT    NOT NULL,
    user_name    TEXT    NOT NULL,
    contract     TEXT    NOT NULL,
    revision     INTEGER NOT NULL,
    gone         INTEGER NOT NULL CHECK (gone IN (0, 1)),
    form         TEXT    NOT NULL CHECK (form IN ('recoverable', 'argon2id')),
    secret       BLOB    NOT NULL,
    enabled      INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    expires      TEXT,
    simultaneous INTEGER CHECK (simultaneous BETWEEN 0 AND 65535),
    calling      TEXT    NOT NULL,
    reply        TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    PRIMARY KEY (realm, user_name)
) STRICT;

CREATE INDEX account_revision ON account (revision, realm, user_name);
CREATE INDEX account_contract ON account (contract, realm, user_name) WHERE NOT gone;
