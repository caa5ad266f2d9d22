-- Who gets into the panel: administrators, what accounts of either kind chose for themselves, open
-- sessions, tokens, and who changed what.  kind: admin (account: admins.id) or user (users.id).
CREATE TABLE admins (
    id         INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: sessions name it
    name       TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    role       TEXT    NOT NULL, -- owner, admin, operator, viewer
    hash       TEXT    NOT NULL, -- argon2id
    is_enabled INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    last_login INTEGER NOT NULL  -- 0: never
);

CREATE TABLE profiles (
    kind      TEXT    NOT NULL,
    account   INTEGER NOT NULL,
    language  TEXT    NOT NULL DEFAULT '', -- '': the browser's
    theme     TEXT    NOT NULL DEFAULT '',
    secret    BLOB,                        -- RFC 6238; NULL: no second factor
    is_on     INTEGER NOT NULL DEFAULT 0,  -- a first code was given
    last_step INTEGER NOT NULL DEFAULT 0,  -- no code of this one or before is taken again
    PRIMARY KEY (kind, account)
) WITHOUT ROWID;

CREATE TABLE recovery_codes (
    kind    TEXT    NOT NULL,
    account INTEGER NOT NULL,
    hash    BLOB    NOT NULL,
    PRIMARY KEY (kind, account, hash)
) WITHOUT ROWID;

CREATE TABLE panel_sessions (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    hash      BLOB    NOT NULL UNIQUE, -- of the cookie, which only the browser has
    kind      TEXT    NOT NULL,
    account   INTEGER NOT NULL,
    address   TEXT    NOT NULL,
    agent     TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    confirmed INTEGER NOT NULL -- until when the password counts as just given
);

CREATE TABLE tokens (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT    NOT NULL,
    hash      BLOB    NOT NULL UNIQUE, -- SHA-256
    scopes    TEXT    NOT NULL,        -- separated by blanks
    networks  TEXT    NOT NULL,        -- CIDR, separated by blanks; '': from anywhere
    by        TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    expires   INTEGER NOT NULL,        -- 0: never
    last_used INTEGER NOT NULL
);

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    who    TEXT    NOT NULL,
    origin TEXT    NOT NULL, -- address, or "socket"
    action TEXT    NOT NULL, -- method and path of the route
    object TEXT    NOT NULL, -- what stood for {} in it
    before TEXT,             -- JSON; secrets never
    after  TEXT
);
