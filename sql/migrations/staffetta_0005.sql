-- How far each young address of ours has come with each provider.
CREATE TABLE warm_ups (
    address  TEXT    NOT NULL,
    provider TEXT    NOT NULL,
    day      INTEGER NOT NULL, -- of the curve, from 1; more than it has: warm
    starts   INTEGER NOT NULL, -- the last day on which it was used
    ends     INTEGER NOT NULL,
    used     INTEGER NOT NULL, -- granted that day: an unclean stop takes it as used
    well     INTEGER NOT NULL,
    put_off  INTEGER NOT NULL,
    is_back  INTEGER NOT NULL, -- it stepped back that day
    since    INTEGER NOT NULL, -- when it came to this day of the curve
    PRIMARY KEY (address, provider)
) WITHOUT ROWID;
