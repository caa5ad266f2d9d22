-- What reply rules did for a time: over a restart it stands until its end.
CREATE TABLE rule_words (
    scope  TEXT    NOT NULL, -- as in a rule: lane, site, provider, from_domain, …
    place  TEXT    NOT NULL, -- a site's or a provider's name
    part   TEXT    NOT NULL, -- our address, or whose mail; '': of all
    verb   TEXT    NOT NULL, -- suspend, limit, hold
    limits TEXT    NOT NULL, -- six figures
    reason TEXT    NOT NULL,
    until  INTEGER NOT NULL,
    PRIMARY KEY (scope, place, part, verb)
) WITHOUT ROWID;
