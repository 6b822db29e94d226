-- Browsers that a person has logged in with: SHA-256 of the account and of a cookie, so that a row tells nothing to
-- whoever has not the cookie, and a browser that two people use is not the same in both.
CREATE TABLE known_device (
    account_id TEXT NOT NULL REFERENCES account (id),
    device_hash BYTEA NOT NULL,
    first_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, device_hash)
);
CREATE INDEX known_device_expires_at ON known_device (expires_at);

-- What was typed into a form when the session had ended; sealed, and bound to a cookie by its SHA-256.
CREATE TABLE form_draft (
    id_hash BYTEA NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    path TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX form_draft_expires_at ON form_draft (expires_at);

-- When the person was told that the consent ends.
ALTER TABLE access_grant ADD COLUMN end_told_at BIGINT;
CREATE INDEX access_grant_end_untold ON access_grant (expires_at) WHERE end_told_at IS NULL;

-- The language of the pages at the last login: for the mails of whoever has chosen none.
ALTER TABLE account ADD COLUMN page_language TEXT;
