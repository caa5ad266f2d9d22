-- Who may send, as whom.  Small, read whole into a snapshot at every change; so only the indexes
-- that keep rows unique.  Times are UTC, milliseconds.
CREATE TABLE users (
    id                INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: queued mail names it
    name              TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    is_enabled        INTEGER NOT NULL,
    trace             TEXT    NOT NULL, -- full, no_client
    bounces           TEXT    NOT NULL, -- dsn, digest, none
    may_use_class     INTEGER NOT NULL,
    must_sign         INTEGER NOT NULL,
    refuse_over_quota INTEGER NOT NULL,
    created           INTEGER NOT NULL
);

CREATE TABLE user_limits (
    user  INTEGER NOT NULL,
    name  TEXT    NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (user, name)
) WITHOUT ROWID;

CREATE TABLE sender_rules (
    user INTEGER NOT NULL,
    rule TEXT    NOT NULL, -- ADDRESS, DOMAIN or *
    PRIMARY KEY (user, rule)
) WITHOUT ROWID;

CREATE TABLE credentials (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- a new password is a new credential
    user      INTEGER NOT NULL,
    kind      TEXT    NOT NULL, -- password
    hash      TEXT    NOT NULL,
    label     TEXT,
    networks  TEXT,             -- NULL: from anywhere; else CIDR, separated by blanks
    created   INTEGER NOT NULL,
    last_used INTEGER
);

CREATE TABLE networks (
    cidr  TEXT PRIMARY KEY, -- as network_print() writes it
    user  INTEGER NOT NULL,
    added INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE domains (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    name             TEXT    NOT NULL UNIQUE, -- lower-case A-label
    requires_signing INTEGER NOT NULL,
    created          INTEGER NOT NULL
);

CREATE TABLE dkim_keys (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    domain     INTEGER NOT NULL,
    selector   TEXT    NOT NULL,
    type       TEXT    NOT NULL, -- rsa, ed25519
    public_key TEXT    NOT NULL, -- base64; the private half is the signer's alone
    is_judged  INTEGER NOT NULL,
    is_active  INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    UNIQUE (domain, selector)
);

CREATE TABLE suspensions (
    destination TEXT PRIMARY KEY, -- domain or site, lower-case A-label
    reason      TEXT    NOT NULL,
    by          TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    until       INTEGER NOT NULL -- 0: until resumed
) WITHOUT ROWID;

CREATE TABLE suppressions (
    address TEXT    NOT NULL, -- an address or a domain, in lower case
    user    INTEGER NOT NULL, -- 0: for all
    reason  TEXT    NOT NULL,
    by      TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL, -- 0: for good
    PRIMARY KEY (address, user)
) WITHOUT ROWID;
