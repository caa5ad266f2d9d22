-- Statements of the counters; names are listed in sql/counters_schema.h.

-- name: find_name
SELECT id FROM name WHERE kind = ?1 AND name = ?2;

-- name: add_name
INSERT INTO name (kind, name) VALUES (?1, ?2);

-- name: names_of_kind
SELECT id, name FROM name WHERE kind = ?1 ORDER BY id;

-- name: count
INSERT INTO counter (tier, name, slot,
                     accepted, delivered, deferred, bounced, expired, deleted, held, messages,
                     bytes, depth_sum, depth_n, depth_max, spent_0, spent_1, spent_2, spent_3,
                     spent_4, spent_5, spent_6, spent_7, spent_8, spent_9, spent_10, spent_11)
VALUES (?1, ?2, ?3,
        ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
        ?23, ?24, ?25, ?26, ?27)
ON CONFLICT (tier, name, slot) DO UPDATE SET
    accepted = accepted + excluded.accepted, delivered = delivered + excluded.delivered, deferred
    = deferred + excluded.deferred, bounced = bounced + excluded.bounced, expired = expired +
    excluded.expired, deleted = deleted + excluded.deleted, held = held + excluded.held, messages
    = messages + excluded.messages, bytes = bytes + excluded.bytes, depth_sum = depth_sum +
    excluded.depth_sum, depth_n = depth_n + excluded.depth_n, depth_max = max(depth_max,
    excluded.depth_max), spent_0 = spent_0 + excluded.spent_0, spent_1 = spent_1 +
    excluded.spent_1, spent_2 = spent_2 + excluded.spent_2, spent_3 = spent_3 + excluded.spent_3,
    spent_4 = spent_4 + excluded.spent_4, spent_5 = spent_5 + excluded.spent_5, spent_6 = spent_6
    + excluded.spent_6, spent_7 = spent_7 + excluded.spent_7, spent_8 = spent_8 +
    excluded.spent_8, spent_9 = spent_9 + excluded.spent_9, spent_10 = spent_10 +
    excluded.spent_10, spent_11 = spent_11 + excluded.spent_11;

-- name: counts_between
SELECT slot,
       accepted, delivered, deferred, bounced, expired, deleted, held, messages, bytes, depth_sum,
       depth_n, depth_max, spent_0, spent_1, spent_2, spent_3, spent_4, spent_5, spent_6, spent_7,
       spent_8, spent_9, spent_10, spent_11
FROM counter WHERE tier = ?1 AND name = ?2 AND slot >= ?3 AND slot < ?4 ORDER BY slot;

-- name: sum_between
SELECT name.name, sum(accepted), sum(delivered), sum(deferred), sum(bounced)
FROM counter JOIN name ON name.id = counter.name
WHERE name.kind = ?1 AND tier = ?2 AND slot >= ?3 AND slot < ?4
GROUP BY name.id;

-- name: forget_counts
DELETE FROM counter WHERE tier = ?1 AND name = ?2 AND slot < ?3;

-- name: all_names
SELECT id FROM name ORDER BY id;

-- name: forget_names
DELETE FROM name WHERE kind > 0
  AND NOT EXISTS (SELECT 1 FROM counter WHERE tier = 3 AND counter.name = name.id);

-- name: add_gap
INSERT INTO gap (begun, ended, why, n) VALUES (?1, ?2, ?3, ?4);

-- name: gaps_between
SELECT begun, ended, why, n FROM gap WHERE ended > ?1 AND begun < ?2 ORDER BY begun LIMIT 1000;

-- name: forget_gaps
DELETE FROM gap WHERE ended < ?1;

-- name: remember_fact
INSERT INTO fact (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2;

-- name: recall_fact
SELECT value FROM fact WHERE name = ?1;
