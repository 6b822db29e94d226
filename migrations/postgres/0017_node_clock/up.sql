-- By how many seconds a node's clock is ahead of the database's.
ALTER TABLE node ADD COLUMN clock_off BIGINT;
