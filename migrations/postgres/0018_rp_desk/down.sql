DROP TABLE rp_check;
ALTER TABLE client DROP COLUMN tolerance;
