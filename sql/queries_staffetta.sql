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
SELECT c.user, c.id, c.hash, c.networks, c.kind FROM credentials c JOIN users u ON u.id = c.user
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

-- name: last_uses
SELECT user, max(last_used) FROM credentials GROUP BY user ORDER BY user;

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

-- name: suspension_of
SELECT scope, name FROM orders
WHERE action = 'suspend' AND (until = 0 OR until > ?2) AND
      ((scope = 'user' AND name = (SELECT lower(name) FROM users WHERE id = ?1)) OR
       (scope = 'campaign' AND
        substr(name, 1, instr(name, '/') - 1) = (SELECT lower(name) FROM users WHERE id = ?1)))
ORDER BY scope DESC LIMIT 1;

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

-- name: put_rule_word
INSERT INTO rule_words (scope, place, part, verb, limits, reason, until, rule, lasts)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (scope, place, part, verb) DO UPDATE SET limits = ?5, reason = ?6, until = ?7,
    rule = ?8, lasts = ?9;

-- name: delete_rule_words_of
DELETE FROM rule_words WHERE place = ?1;

-- name: delete_past_rule_words
DELETE FROM rule_words WHERE until + lasts <= ?1;

-- name: all_rule_words
SELECT scope, place, part, verb, limits, reason, until, rule, lasts FROM rule_words
WHERE until + lasts > ?1;

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

-- name: all_admins
SELECT id, name, role, hash, is_enabled, created, last_login FROM admins ORDER BY name;

-- name: all_profiles
SELECT kind, account, language, theme, secret, is_on, last_step FROM profiles;

-- name: all_recovery_codes
SELECT kind, account, hash FROM recovery_codes;

-- name: all_panel_sessions
SELECT id, hash, kind, account, address, agent, created, last_seen, confirmed FROM panel_sessions
ORDER BY id;

-- name: all_tokens
SELECT id, name, hash, scopes, networks, by, created, expires, last_used FROM tokens ORDER BY id;

-- name: add_admin
INSERT INTO admins (name, role, hash, is_enabled, created, last_login)
VALUES (?1, ?2, ?3, 1, ?4, 0);

-- name: count_owners
SELECT count(*) FROM admins WHERE role = 'owner' AND is_enabled = 1 AND name <> ?1;

-- name: count_tokens
SELECT count(*) FROM tokens;

-- name: count_app_passwords
SELECT count(*) FROM credentials WHERE user = ?1 AND kind = 'app';

-- name: count_admins
SELECT count(*) FROM admins;

-- name: delete_admin
DELETE FROM admins WHERE name = ?1;

-- name: set_admin_role
UPDATE admins SET role = ?2 WHERE name = ?1;

-- name: set_admin_hash
UPDATE admins SET hash = ?2 WHERE name = ?1;

-- name: enable_admin
UPDATE admins SET is_enabled = ?2 WHERE name = ?1;

-- name: note_admin_login
UPDATE admins SET last_login = ?2 WHERE id = ?1;

-- name: set_preferences
INSERT INTO profiles (kind, account, language, theme) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (kind, account) DO UPDATE SET language = ?3, theme = ?4;

-- name: set_factor
INSERT INTO profiles (kind, account, secret, is_on, last_step) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (kind, account) DO UPDATE SET secret = ?3, is_on = ?4, last_step = ?5;

-- name: use_step
UPDATE profiles SET last_step = ?3 WHERE kind = ?1 AND account = ?2 AND last_step < ?3;

-- name: delete_recovery_codes
DELETE FROM recovery_codes WHERE kind = ?1 AND account = ?2;

-- name: add_recovery_code
INSERT OR IGNORE INTO recovery_codes (kind, account, hash) VALUES (?1, ?2, ?3);

-- name: use_recovery_code
DELETE FROM recovery_codes WHERE kind = ?1 AND account = ?2 AND hash = ?3;

-- name: delete_profile
DELETE FROM profiles WHERE kind = ?1 AND account = ?2;

-- name: delete_lost_profiles
DELETE FROM profiles
WHERE (kind = 'user' AND account NOT IN (SELECT id FROM users))
   OR (kind = 'admin' AND account NOT IN (SELECT id FROM admins));

-- name: delete_lost_recovery_codes
DELETE FROM recovery_codes
WHERE (kind = 'user' AND account NOT IN (SELECT id FROM users))
   OR (kind = 'admin' AND account NOT IN (SELECT id FROM admins));

-- name: add_panel_session
INSERT INTO panel_sessions (hash, kind, account, address, agent, created, last_seen, confirmed)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7);

-- name: see_panel_session
UPDATE panel_sessions SET last_seen = ?2 WHERE id = ?1;

-- name: delete_panel_session
DELETE FROM panel_sessions WHERE id = ?1;

-- name: delete_panel_sessions_of
DELETE FROM panel_sessions WHERE kind = ?1 AND account = ?2 AND id <> ?3;

-- name: delete_past_panel_sessions
DELETE FROM panel_sessions WHERE last_seen < ?1 OR created < ?2;

-- name: delete_surplus_panel_sessions
DELETE FROM panel_sessions
WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY kind, account
                                                           ORDER BY id DESC) AS nth
                             FROM panel_sessions) WHERE nth > ?1)
OR id <= (SELECT id FROM panel_sessions ORDER BY id DESC LIMIT 1 OFFSET ?2);

-- name: add_token
INSERT INTO tokens (name, hash, scopes, networks, by, created, expires, last_used)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0);

-- name: delete_token
DELETE FROM tokens WHERE id = ?1;

-- name: delete_tokens_of
DELETE FROM tokens WHERE by = ?1 COLLATE NOCASE;

-- name: note_token_use
UPDATE tokens SET last_used = ?2 WHERE id = ?1;

-- name: add_audit
INSERT INTO audit (at, who, origin, action, object, before, after, user)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: delete_old_audit_of
DELETE FROM audit WHERE user = ?1
AND id <= (SELECT id FROM audit WHERE user = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2);

-- name: delete_old_audit_of_users
DELETE FROM audit WHERE user > 0
AND id <= (SELECT id FROM audit WHERE user > 0 ORDER BY id DESC LIMIT 1 OFFSET ?1);

-- name: next_audit
SELECT id, at, who, origin, action, object, before, after FROM audit WHERE id < ?1
ORDER BY id DESC LIMIT ?2;

-- name: add_app_password
INSERT INTO credentials (user, kind, hash, label, created) VALUES (?1, 'app', ?2, ?3, ?4);

-- name: delete_app_password
DELETE FROM credentials WHERE user = ?1 AND id = ?2 AND kind = 'app';

-- name: app_passwords_of
SELECT id, label, created, last_used FROM credentials WHERE user = ?1 AND kind = 'app'
ORDER BY id;
