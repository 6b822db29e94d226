DROP INDEX user_import_kind;
ALTER TABLE user_import DROP COLUMN kind;
DROP TABLE rp_check;
ALTER TABLE client DROP COLUMN tolerance;
