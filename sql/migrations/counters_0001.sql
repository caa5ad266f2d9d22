-- How much of what happened when.  A row sums up one span of one tier for one name; all columns but
-- depth_max add up.  spent_0 … spent_11 count deliveries by the time that they took.
CREATE TABLE name (
    id   INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    name TEXT    NOT NULL,
    UNIQUE (kind, name)
) STRICT;

CREATE TABLE counter (
    tier      INTEGER NOT NULL,
    name      INTEGER NOT NULL,
    slot      INTEGER NOT NULL, -- its begin, seconds of UTC
    accepted  INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    deferred  INTEGER NOT NULL,
    bounced   INTEGER NOT NULL,
    expired   INTEGER NOT NULL,
    deleted   INTEGER NOT NULL,
    held      INTEGER NOT NULL,
    messages  INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    depth_sum INTEGER NOT NULL,
    depth_n   INTEGER NOT NULL,
    depth_max INTEGER NOT NULL,
    spent_0   INTEGER NOT NULL,
    spent_1   INTEGER NOT NULL,
    spent_2   INTEGER NOT NULL,
    spent_3   INTEGER NOT NULL,
    spent_4   INTEGER NOT NULL,
    spent_5   INTEGER NOT NULL,
    spent_6   INTEGER NOT NULL,
    spent_7   INTEGER NOT NULL,
    spent_8   INTEGER NOT NULL,
    spent_9   INTEGER NOT NULL,
    spent_10  INTEGER NOT NULL,
    spent_11  INTEGER NOT NULL,
    PRIMARY KEY (tier, name, slot)
) STRICT, WITHOUT ROWID;

-- When nobody counted, or not all: the service stood still, rows found no room.
CREATE TABLE gap (
    id       INTEGER PRIMARY KEY,
    begun    INTEGER NOT NULL, -- seconds of UTC
    ended    INTEGER NOT NULL,
    why      TEXT    NOT NULL,
    n        INTEGER NOT NULL  -- rows of history that are missing
) STRICT;

CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
