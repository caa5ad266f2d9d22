-- Failed recipients whose sender wants one report about many (bounces = digest), from the
-- transaction that ends the recipient to the one that stores the report.
CREATE TABLE failure (
    user_id    INTEGER NOT NULL,
    sender     TEXT    NOT NULL, -- whom the report goes to
    id         INTEGER NOT NULL, -- rises within user and sender
    user       TEXT    NOT NULL,
    message    INTEGER NOT NULL, -- the queue id
    n          INTEGER NOT NULL, -- recipient, from 1
    failed     INTEGER NOT NULL, -- UTC, milliseconds
    address    TEXT    NOT NULL,
    orcpt      TEXT    NOT NULL, -- as the client gave it; empty: not given, like the rest
    envid      TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    mx         TEXT    NOT NULL,
    diagnostic TEXT    NOT NULL, -- the peer's words
    reason     TEXT    NOT NULL, -- ours
    message_id TEXT    NOT NULL, -- of the header
    subject    TEXT    NOT NULL,
    PRIMARY KEY (user_id, sender, id)
) WITHOUT ROWID;
