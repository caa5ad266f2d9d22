-- One day of what became of mail: a row for each message that was queued (n 0) and for each outcome
-- of a recipient.  id grows with time.
CREATE TABLE outcome (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    message    TEXT    NOT NULL,
    n          INTEGER NOT NULL,
    user       TEXT,
    sender     TEXT,
    recipient  TEXT,
    to_hash    INTEGER,
    site       TEXT,
    mx         TEXT,
    egress     TEXT,
    provider   TEXT,
    tls        TEXT,
    code       INTEGER NOT NULL,
    enhanced   TEXT,
    class      TEXT,
    reply      TEXT,
    spent_ms   INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    recipients INTEGER NOT NULL,
    campaign   TEXT
) STRICT;

-- Two while the day is written: a message by its id, a recipient by a checksum of the address.
CREATE INDEX outcome_message ON outcome (message);
CREATE INDEX outcome_recipient ON outcome (to_hash) WHERE to_hash IS NOT NULL;
