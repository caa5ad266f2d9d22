-- Whose word it was and for how long: said again soon after its end it holds twice as long, also when
-- the service was restarted in between.
ALTER TABLE rule_words ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE rule_words ADD COLUMN lasts INTEGER NOT NULL DEFAULT 0; -- milliseconds
