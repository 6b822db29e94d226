-- Logins that wait for an authentication service of the identity provider: one an interaction, found again by its
-- browser only. next_request_at: when the service may be asked again; whoever asks moves that ahead first.
CREATE TABLE external_login (
    interaction_id TEXT COLLATE "C" NOT NULL,
    transaction_id TEXT COLLATE "C" NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL,
    browser_hash BYTEA NOT NULL,
    level TEXT COLLATE "C" NOT NULL,
    number TEXT NOT NULL,
    state TEXT NOT NULL,
    trouble TEXT,
    requests BIGINT NOT NULL,
    next_request_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (interaction_id)
);
CREATE INDEX external_login_expires_at ON external_login (expires_at);

-- Codes sent by e-mail, as SHA-256: one an interaction, so that a new one ends the one before.
CREATE TABLE email_code (
    interaction_id TEXT COLLATE "C" NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL,
    code_hash BYTEA NOT NULL,
    sent BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (interaction_id)
);
CREATE INDEX email_code_expires_at ON email_code (expires_at);
