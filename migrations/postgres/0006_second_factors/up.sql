-- What people hold beside a password; the secret is sealed. expires_at and begun_in: until
-- when it waits for its first code, and in which session or login.
CREATE TABLE authenticator (
    id TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    method TEXT NOT NULL,
    name TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    last_step BIGINT,
    expires_at BIGINT,
    begun_in TEXT,
    PRIMARY KEY (id)
);
CREATE INDEX authenticator_account ON authenticator (account_id);
CREATE INDEX authenticator_expires_at ON authenticator (expires_at);

-- Codes on paper, as SHA-256; each once.
CREATE TABLE recovery_code (
    account_id TEXT NOT NULL REFERENCES account (id),
    code_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (account_id, code_hash)
);

-- The version before knows neither: to it such an interaction has only started.
ALTER TABLE interaction ADD COLUMN proof TEXT;
ALTER TABLE session ADD COLUMN methods TEXT NOT NULL DEFAULT 'password';
ALTER TABLE access_grant ADD COLUMN methods TEXT NOT NULL DEFAULT 'password';
