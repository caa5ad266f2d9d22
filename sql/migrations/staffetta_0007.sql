-- Whose doing it was: SMTP users have quotas of their own.
ALTER TABLE audit ADD COLUMN user INTEGER NOT NULL DEFAULT 0; -- 0: no SMTP user
CREATE INDEX audit_by_user ON audit (user, id);
CREATE INDEX audit_of_users ON audit (id) WHERE user > 0;
