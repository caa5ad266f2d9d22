-- Whom the last attempt's final dot went to, and when: told when a start finds the recipient open.
ALTER TABLE recipient ADD COLUMN host TEXT;
ALTER TABLE recipient ADD COLUMN tried INTEGER; -- UTC, milliseconds; NULL: never
