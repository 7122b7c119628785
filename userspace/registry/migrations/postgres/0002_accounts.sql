-- Hosted accounts. One that was removed stays as a row without a secret, marked `gone`, so that followers learn of it by its revision.
-- Names are ordered by their octets, as SQLite does.
CREATE TABLE account (
    realm        TEXT    COLLATE "C" NOT NULL,
    user_name    TEXT    COLLATE "C" NOT NULL,
    contract     TEXT    COLLATE "C" NOT NULL,
    revision     BIGINT  NOT NULL,
    gone         BOOLEAN NOT NULL,
    form         TEXT    NOT NULL CHECK (form IN ('recoverable', 'argon2id')),
    secret       BYTEA   NOT NULL,
    enabled      BOOLEAN NOT NULL,
    expires      TEXT,
    simultaneous BIGINT  CHECK (simultaneous BETWEEN 0 AND 65535),
    calling      TEXT    NOT NULL,
    reply        TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    PRIMARY KEY (realm, user_name)
);

CREATE INDEX account_revision ON account (revision, realm, user_name);
CREATE INDEX account_contract ON account (contract, realm, user_name) WHERE NOT gone;
