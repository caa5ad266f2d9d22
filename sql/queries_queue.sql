-- Statements of the queue's database; names are listed in sql/queue_schema.h.

-- name: add_message
INSERT INTO message (id, place, envelope_bytes, header_bytes, body_bytes, crc, arrived, expires,
                     user_id, user, sender, flags, class, campaign, n_recipients)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15);

-- name: add_recipient
INSERT INTO recipient (message, n, address, state, attempts, next, flags, reply, host, tried)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: remove_message
DELETE FROM message WHERE id = ?1;

-- name: remove_recipient
DELETE FROM recipient WHERE message = ?1 AND n = ?2;

-- name: change_recipient
UPDATE recipient SET state = ?3, attempts = ?4, next = ?5, flags = ?6, reply = coalesce(?7, reply),
                     host = coalesce(?8, host), tried = coalesce(?9, tried)
WHERE message = ?1 AND n = ?2;

-- name: mark_recipient
UPDATE recipient SET flags = flags | ?3 WHERE message = ?1 AND n = ?2;

-- name: open_recipients
UPDATE recipient SET flags = flags | ?4, host = ?5, tried = ?6
WHERE message = ?1 AND n BETWEEN ?2 AND ?3;

-- name: move_message
UPDATE message SET place = ?2 WHERE id = ?1;

-- name: all_messages
SELECT id, place, envelope_bytes, header_bytes, body_bytes, crc, arrived, expires,
       user_id, user, sender, flags, class, campaign, n_recipients
FROM message ORDER BY id;

-- name: all_recipients
SELECT message, n, address, state, attempts, next, flags, reply, host, tried
FROM recipient ORDER BY message, n;

-- name: next_messages
SELECT id, place, envelope_bytes, header_bytes, body_bytes, crc, arrived, expires,
       user_id, user, sender, flags, class, campaign, n_recipients
FROM message WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: find_message
SELECT id, place, envelope_bytes, header_bytes, body_bytes, crc, arrived, expires,
       user_id, user, sender, flags, class, campaign, n_recipients
FROM message WHERE id = ?1;

-- name: recipients_of
SELECT message, n, address, state, attempts, next, flags, reply, host, tried
FROM recipient WHERE message = ?1 ORDER BY n;

-- name: last_id
SELECT max(id) FROM message;

-- name: remember
INSERT INTO fact (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2;

-- name: recall
SELECT value FROM fact WHERE name = ?1;

-- name: add_failure
INSERT INTO failure (user_id, sender, id, user, message, n, failed, address, orcpt, envid, status,
                     mx, diagnostic, reason, message_id, subject)
VALUES (?1, ?2,
        coalesce(?3, (SELECT coalesce(max(id), 0) + 1 FROM failure
                      WHERE user_id = ?1 AND sender = ?2)),
        ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16);

-- name: all_failures
SELECT user_id, sender, id, user, message, n, failed, address, orcpt, envid, status, mx,
       diagnostic, reason, message_id, subject
FROM failure ORDER BY user_id, sender, id;

-- name: failures_of
SELECT user_id, sender, id, user, message, n, failed, address, orcpt, envid, status, mx,
       diagnostic, reason, message_id, subject
FROM failure WHERE user_id = ?1 AND sender = ?2 ORDER BY id LIMIT ?3;

-- name: remove_failures
DELETE FROM failure WHERE user_id = ?1 AND sender = ?2 AND id <= ?3;

-- name: waiting_failures
SELECT user_id, sender, count(*), min(failed) FROM failure
GROUP BY user_id, sender ORDER BY user_id, sender;
