-- What waits.  Keyed by integers only and without any other index: order by site, time and user
-- lives in memory, and an index costs four to ten times the insert.
CREATE TABLE message (
    id             INTEGER PRIMARY KEY, -- the queue id
    place          INTEGER NOT NULL,    -- segment and offset, packed (stored.h)
    envelope_bytes INTEGER NOT NULL,
    header_bytes   INTEGER NOT NULL,
    body_bytes     INTEGER NOT NULL,
    crc            INTEGER NOT NULL,    -- CRC-32C of header and body
    arrived        INTEGER NOT NULL,    -- UTC, milliseconds
    expires        INTEGER NOT NULL,    -- UTC, milliseconds
    user_id        INTEGER NOT NULL,
    user           TEXT    NOT NULL,
    sender         TEXT    NOT NULL,    -- empty: a report
    flags          INTEGER NOT NULL,
    class          INTEGER NOT NULL,
    campaign       TEXT,
    n_recipients   INTEGER NOT NULL     -- at arrival
);

CREATE TABLE recipient (
    message  INTEGER NOT NULL,
    n        INTEGER NOT NULL, -- from 1, as in the log
    address  TEXT    NOT NULL,
    state    INTEGER NOT NULL, -- enum recipient_state
    attempts INTEGER NOT NULL,
    next     INTEGER NOT NULL, -- UTC, milliseconds
    flags    INTEGER NOT NULL, -- reported delays, doubtful transfers
    reply    TEXT,             -- the last one
    PRIMARY KEY (message, n)
) WITHOUT ROWID;

-- Single facts: the last commit's time (a clock that jumped is noticed by it).
CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
