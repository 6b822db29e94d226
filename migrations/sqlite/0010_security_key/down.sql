DROP TABLE key_challenge;
DELETE FROM authenticator WHERE method = 'security_key';
DROP INDEX authenticator_credential;
ALTER TABLE authenticator DROP COLUMN public_key;
ALTER TABLE authenticator DROP COLUMN rp_id;
ALTER TABLE authenticator DROP COLUMN credential_id;
