-- Security keys are authenticators too: how the key calls its credential, for which host it made it, and its public key
-- with what was seen when it was made. Their last_step is the signature counter.
ALTER TABLE authenticator ADD COLUMN credential_id TEXT;
ALTER TABLE authenticator ADD COLUMN rp_id TEXT;
ALTER TABLE authenticator ADD COLUMN public_key BLOB;
CREATE UNIQUE INDEX authenticator_credential ON authenticator (credential_id);

-- What a security key is asked to sign: one for each page that asks (place), spent by the first answer.
CREATE TABLE key_challenge (
    place TEXT NOT NULL,
    state BLOB NOT NULL,
    options TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (place)
);
CREATE INDEX key_challenge_expires_at ON key_challenge (expires_at);
