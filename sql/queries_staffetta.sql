-- Statements of staffetta.db; names are listed in sql/staffetta_schema.h.
-- Lists are in the order in which the snapshot is built: children follow their parents' order.

-- name: all_users
SELECT id, name, is_enabled, trace, bounces, may_use_class, must_sign, refuse_over_quota, created,
       has_brake, braked_since, braked_reason, default_class, contact
FROM users ORDER BY name;

-- name: all_user_limits
SELECT l.user, l.name, l.value FROM user_limits l JOIN users u ON u.id = l.user ORDER BY u.name;

-- name: all_sender_rules
SELECT r.user, r.rule FROM sender_rules r JOIN users u ON u.id = r.user ORDER BY u.name, r.rule;

-- name: all_credentials
SELECT c.user, c.id, c.hash, c.networks FROM credentials c JOIN users u ON u.id = c.user
ORDER BY u.name, c.id;

-- name: all_networks
SELECT n.cidr, n.user FROM networks n JOIN users u ON u.id = n.user ORDER BY n.added, n.cidr;

-- name: all_domains
SELECT id, name, requires_signing, created FROM domains ORDER BY name;

-- name: all_keys
SELECT k.domain, k.id, k.selector, k.type, k.public_key, k.is_judged, k.is_active, k.created
FROM dkim_keys k JOIN domains d ON d.id = k.domain ORDER BY d.name, k.selector;

-- name: all_orders
SELECT scope, name, action, connections, per_second, per_minute, per_hour, per_day, via, reason,
       by, since, until
FROM orders ORDER BY name, scope, action;

-- name: count_rows
SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM sender_rules),
       (SELECT count(*) FROM credentials), (SELECT count(*) FROM networks),
       (SELECT count(*) FROM domains), (SELECT count(*) FROM dkim_keys),
       (SELECT count(*) FROM orders);

-- name: add_user
INSERT INTO users (name, is_enabled, trace, bounces, may_use_class, must_sign, refuse_over_quota,
                   created)
VALUES (?1, 1, 'no_client', 'dsn', 0, 0, 0, ?2);

-- name: find_user
SELECT id, is_enabled FROM users WHERE name = ?1;

-- name: enable_user
UPDATE users SET is_enabled = ?2 WHERE id = ?1;

-- name: brake_user
UPDATE users SET braked_since = ?2, braked_reason = ?3 WHERE id = ?1 AND braked_since = 0;

-- name: unbrake_user
UPDATE users SET braked_since = 0, braked_reason = '' WHERE id = ?1;

-- name: delete_user
DELETE FROM users WHERE id = ?1;

-- name: set_user_trace
UPDATE users SET trace = ?2 WHERE id = ?1;

-- name: set_user_bounces
UPDATE users SET bounces = ?2 WHERE id = ?1;

-- name: set_user_class
UPDATE users SET may_use_class = ?2 WHERE id = ?1;

-- name: set_user_must_sign
UPDATE users SET must_sign = ?2 WHERE id = ?1;

-- name: set_user_refusal
UPDATE users SET refuse_over_quota = ?2 WHERE id = ?1;

-- name: set_user_brake
UPDATE users SET has_brake = ?2 WHERE id = ?1;

-- name: set_user_default_class
UPDATE users SET default_class = ?2 WHERE id = ?1;

-- name: set_user_contact
UPDATE users SET contact = ?2 WHERE id = ?1;

-- name: set_user_limit
INSERT INTO user_limits (user, name, value) VALUES (?1, ?2, ?3)
ON CONFLICT (user, name) DO UPDATE SET value = ?3;

-- name: delete_user_limits
DELETE FROM user_limits WHERE user = ?1;

-- name: add_sender_rule
INSERT OR IGNORE INTO sender_rules (user, rule) VALUES (?1, ?2);

-- name: delete_sender_rules
DELETE FROM sender_rules WHERE user = ?1;

-- name: add_credential
INSERT INTO credentials (user, kind, hash, created) VALUES (?1, ?2, ?3, ?4);

-- name: delete_credentials
DELETE FROM credentials WHERE user = ?1;

-- name: delete_credentials_of_kind
DELETE FROM credentials WHERE user = ?1 AND kind = ?2;

-- name: replace_hash
UPDATE credentials SET hash = ?3 WHERE id = ?1 AND hash = ?2;

-- name: note_use
UPDATE credentials SET last_used = ?2 WHERE id = ?1;

-- name: credentials_of
SELECT id, kind, hash, last_used FROM credentials WHERE user = ?1 ORDER BY id;

-- name: add_network
INSERT INTO networks (cidr, user, added) VALUES (?1, ?2, ?3);

-- name: find_network
SELECT u.name FROM networks n JOIN users u ON u.id = n.user WHERE n.cidr = ?1;

-- name: delete_network
DELETE FROM networks WHERE cidr = ?1;

-- name: delete_networks_of
DELETE FROM networks WHERE user = ?1;

-- name: add_domain
INSERT INTO domains (name, requires_signing, created) VALUES (?1, ?2, ?3);

-- name: find_domain
SELECT id FROM domains WHERE name = ?1;

-- name: set_domain_requires_signing
UPDATE domains SET requires_signing = ?2 WHERE id = ?1;

-- name: delete_domain
DELETE FROM domains WHERE id = ?1;

-- name: add_key
INSERT INTO dkim_keys (domain, selector, type, public_key, is_judged, is_active, created)
VALUES (?1, ?2, ?3, ?4, 0, 0, ?5);

-- name: find_key
SELECT id, type, is_judged, is_active FROM dkim_keys WHERE domain = ?1 AND selector = ?2;

-- name: active_keys
SELECT count(*) FROM dkim_keys WHERE domain = ?1 AND type = ?2 AND is_active = 1;

-- name: judge_key
UPDATE dkim_keys SET is_judged = 1 WHERE id = ?1;

-- name: rest_keys
UPDATE dkim_keys SET is_active = 0 WHERE domain = ?1 AND type = ?2;

-- name: activate_key
UPDATE dkim_keys SET is_active = 1 WHERE id = ?1;

-- name: delete_key
DELETE FROM dkim_keys WHERE id = ?1;

-- name: delete_keys_of
DELETE FROM dkim_keys WHERE domain = ?1;

-- name: put_order
INSERT INTO orders (scope, name, action, connections, per_second, per_minute, per_hour, per_day,
                    via, reason, by, since, until)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
ON CONFLICT (name, scope, action) DO UPDATE
SET connections = ?4, per_second = ?5, per_minute = ?6, per_hour = ?7, per_day = ?8, via = ?9,
    reason = ?10, by = ?11, since = ?12, until = ?13;

-- name: count_orders
SELECT count(*) FROM orders;

-- name: delete_order
DELETE FROM orders WHERE scope = ?1 AND name = ?2 AND action = ?3;

-- name: delete_orders
DELETE FROM orders WHERE scope = ?1 AND name = ?2;

-- name: delete_ended_orders
DELETE FROM orders WHERE until > 0 AND until <= ?1;

-- name: delete_orders_of
DELETE FROM orders
WHERE (scope = 'user' AND name = (SELECT lower(name) FROM users WHERE id = ?1))
   OR (scope = 'campaign' AND
       substr(name, 1, instr(name, '/') - 1) = (SELECT lower(name) FROM users WHERE id = ?1));

-- name: add_suppression
INSERT INTO suppressions (address, user, reason, by, since, until)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: delete_suppression
DELETE FROM suppressions WHERE address = ?1 AND user = ?2;

-- name: next_suppressions
SELECT s.address, coalesce(u.name, ''), s.user, s.reason, s.by, s.since, s.until
FROM suppressions s LEFT JOIN users u ON u.id = s.user
WHERE (s.address, s.user) > (?1, ?2) ORDER BY s.address, s.user LIMIT ?3;

-- name: delete_suppressions_of
DELETE FROM suppressions WHERE user = ?1;

-- name: put_count
INSERT INTO counts (owner, budget, starts, ends, value, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (owner, budget, starts) DO UPDATE SET ends = ?4, value = ?5, told = ?6;

-- name: all_counts
SELECT owner, budget, starts, ends, value, told FROM counts WHERE ends > ?1;

-- name: delete_past_counts
DELETE FROM counts WHERE ends <= ?1;

-- name: delete_counts_of
DELETE FROM counts WHERE owner = 'user:' || ?1;

-- name: put_warm_up
INSERT INTO warm_ups (address, provider, day, starts, ends, used, well, put_off, is_back, since)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
ON CONFLICT (address, provider) DO UPDATE SET
    day = ?3, starts = ?4, ends = ?5, used = ?6, well = ?7, put_off = ?8, is_back = ?9, since = ?10;

-- name: all_warm_ups
SELECT address, provider, day, starts, ends, used, well, put_off, is_back, since
FROM warm_ups WHERE ends > ?1;

-- name: put_login_network
INSERT INTO login_networks (user, network, first, last) VALUES (?1, ?2, ?3, ?3)
ON CONFLICT (user, network) DO UPDATE SET last = ?3;

-- name: all_login_networks
SELECT user, network, first, last FROM login_networks WHERE last > ?1 ORDER BY user, last;

-- name: delete_past_login_networks
DELETE FROM login_networks WHERE last <= ?1;

-- name: delete_login_networks_of
DELETE FROM login_networks WHERE user = ?1;
