ALTER TABLE node DROP COLUMN clock_off;
