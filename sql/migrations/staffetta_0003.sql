-- Quotas, and the brake for stolen passwords.
ALTER TABLE users ADD COLUMN has_brake INTEGER NOT NULL DEFAULT 1;
ALTER TABLE users ADD COLUMN braked_since INTEGER NOT NULL DEFAULT 0; -- 0: is not
ALTER TABLE users ADD COLUMN braked_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN default_class TEXT NOT NULL DEFAULT 'bulk'; -- transactional, bulk
ALTER TABLE users ADD COLUMN contact TEXT NOT NULL DEFAULT ''; -- who is warned; '': the name

-- What was reserved of a budget in a period: an unclean stop takes it as used.
CREATE TABLE counts (
    owner  TEXT    NOT NULL, -- "user:12", "domain:shop.example"
    budget TEXT    NOT NULL, -- messages_per_day, …, gmail, …
    starts INTEGER NOT NULL,
    ends   INTEGER NOT NULL,
    value  INTEGER NOT NULL,
    told   INTEGER NOT NULL, -- percent that a warning was given of
    PRIMARY KEY (owner, budget, starts)
) WITHOUT ROWID;

-- From where users logged in within the last thirty days.
CREATE TABLE login_networks (
    user    INTEGER NOT NULL,
    network INTEGER NOT NULL, -- policy/brake_book.h: brake_network_of()
    first   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    PRIMARY KEY (user, network)
) WITHOUT ROWID;
