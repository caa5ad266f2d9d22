-- Statements of a day of history; names are listed in sql/history_schema.h.

-- name: add_outcome
INSERT INTO outcome (at, kind, message, n, user, sender, recipient, to_hash, site, mx, egress,
                     provider, tls, code, enhanced, class, reply, spent_ms, attempts, size,
                     recipients, campaign)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
        ?21, ?22);

-- name: last_outcome
SELECT max(id) FROM outcome;

-- name: outcomes_between
SELECT id, at, kind, message, n, user, sender, recipient, site, mx, egress, provider, tls, code,
       enhanced, class, reply, spent_ms, attempts, size, recipients, campaign
FROM outcome WHERE id > ?1 AND id <= ?2 ORDER BY id DESC;

-- name: outcomes_to
SELECT id, at, kind, message, n, user, sender, recipient, site, mx, egress, provider, tls, code,
       enhanced, class, reply, spent_ms, attempts, size, recipients, campaign
FROM outcome WHERE to_hash = ?1 AND id > ?2 AND id <= ?3 AND recipient = ?4 COLLATE NOCASE
ORDER BY id DESC;

-- name: outcomes_of
SELECT id, at, kind, message, n, user, sender, recipient, site, mx, egress, provider, tls, code,
       enhanced, class, reply, spent_ms, attempts, size, recipients, campaign
FROM outcome WHERE message = ?1 AND id > ?2 AND id <= ?3 ORDER BY id DESC;
