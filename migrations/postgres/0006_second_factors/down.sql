ALTER TABLE access_grant DROP COLUMN methods;
ALTER TABLE session DROP COLUMN methods;
ALTER TABLE interaction DROP COLUMN proof;
DROP TABLE recovery_code;
DROP TABLE authenticator;
