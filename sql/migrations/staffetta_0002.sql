-- What operators order of mail under way: suspensions were of destinations alone, orders are of
-- providers, users, campaigns and our own addresses too, and may slow down or lead elsewhere.
CREATE TABLE orders (
    scope       TEXT    NOT NULL, -- destination, provider, user, campaign, address
    name        TEXT    NOT NULL, -- in its one form, in lower case
    action      TEXT    NOT NULL, -- suspend, throttle, reroute
    connections INTEGER NOT NULL, -- throttle: at most so many; 0: not said
    per_second  INTEGER NOT NULL,
    per_minute  INTEGER NOT NULL,
    per_hour    INTEGER NOT NULL,
    per_day     INTEGER NOT NULL,
    via         TEXT    NOT NULL, -- reroute: the next hop
    reason      TEXT    NOT NULL,
    by          TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    until       INTEGER NOT NULL, -- 0: until resumed
    PRIMARY KEY (name, scope, action)
) WITHOUT ROWID;

INSERT INTO orders
SELECT 'destination', destination, 'suspend', 0, 0, 0, 0, 0, '', reason, by, since, until
FROM suspensions;

DROP TABLE suspensions;
