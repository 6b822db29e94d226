-- Keys compare byte by byte (COLLATE "C"), as in SQLite, whatever the language of the database.

-- A person of the identity registry; all issuers of a process share them.
CREATE TABLE account (
    id TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    password_hash TEXT,
    totp_secret TEXT,
    enabled BOOLEAN NOT NULL,
    attributes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX account_username ON account (username);

-- Relying parties as known to an issuer; trust (JSON) and expires_at only for federation members.
CREATE TABLE client (
    issuer TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    origin TEXT NOT NULL,
    metadata TEXT NOT NULL,
    jwks TEXT NOT NULL,
    trust TEXT,
    expires_at BIGINT,
    enabled BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, client_id)
);
CREATE INDEX client_expires_at ON client (expires_at);

-- Values that may be used once. The key is a SHA-256, so that a long jti cannot exceed an index row.
CREATE TABLE replay (
    key_hash BYTEA NOT NULL,
    reference TEXT,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (key_hash)
);
CREATE INDEX replay_expires_at ON replay (expires_at);

-- Authorization requests on their way through login and consent.
CREATE TABLE interaction (
    id TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    browser_hash BYTEA NOT NULL,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    session_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX interaction_expires_at ON interaction (expires_at);

-- Single sign-on sessions.
CREATE TABLE session (
    id TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    acr TEXT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    browser TEXT NOT NULL,
    address TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (id)
);
CREATE INDEX session_account ON session (account_id, issuer);
CREATE INDEX session_expires_at ON session (expires_at);

-- What the session cookies stand for.
CREATE TABLE web_session (
    key_hash BYTEA NOT NULL,
    state TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (key_hash)
);
CREATE INDEX web_session_expires_at ON web_session (expires_at);

-- What a user allowed an RP in one login (GRANT is a word of SQL).
CREATE TABLE access_grant (
    id TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    session_id TEXT COLLATE "C" NOT NULL,
    subject TEXT NOT NULL,
    acr TEXT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    request TEXT NOT NULL,
    offline_access BOOLEAN NOT NULL,
    refresh_count BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (id)
);
CREATE INDEX access_grant_account ON access_grant (account_id, issuer, client_id);
CREATE INDEX access_grant_session ON access_grant (session_id);
CREATE INDEX access_grant_expires_at ON access_grant (expires_at);

-- Authorization codes, by SHA-256.
CREATE TABLE authorization_code (
    code_hash BYTEA NOT NULL,
    grant_id TEXT COLLATE "C" NOT NULL REFERENCES access_grant (id) ON DELETE CASCADE,
    client_id TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (code_hash)
);
CREATE INDEX authorization_code_grant ON authorization_code (grant_id);
CREATE INDEX authorization_code_expires_at ON authorization_code (expires_at);

-- Access and refresh tokens, by jti; the JWT itself is not stored.
CREATE TABLE token (
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    grant_id TEXT COLLATE "C" NOT NULL REFERENCES access_grant (id) ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX token_grant ON token (grant_id);
CREATE INDEX token_expires_at ON token (expires_at);

-- The citizen's history. It outlives grants: grant_id is no foreign key.
CREATE TABLE login_event (
    id TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES account (id),
    client_id TEXT COLLATE "C" NOT NULL,
    rp_name TEXT NOT NULL,
    acr TEXT NOT NULL,
    attributes TEXT NOT NULL,
    browser TEXT NOT NULL,
    address TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    grant_id TEXT COLLATE "C" NOT NULL,
    access_until BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (id)
);
CREATE INDEX login_event_history ON login_event (issuer, account_id, occurred_at DESC, id DESC);
CREATE INDEX login_event_history_of_client ON login_event (issuer, account_id, client_id, occurred_at DESC, id DESC);
CREATE INDEX login_event_grant ON login_event (grant_id);
CREATE INDEX login_event_occurred_at ON login_event (occurred_at);

-- Key rings; private parts are sealed.
CREATE TABLE signing_key (
    issuer TEXT COLLATE "C" NOT NULL,
    kid TEXT COLLATE "C" NOT NULL,
    ring TEXT NOT NULL,
    key_usage TEXT NOT NULL,
    kind TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    public_jwk TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    activates_at BIGINT NOT NULL,
    retired_at BIGINT,
    ends_at BIGINT,
    PRIMARY KEY (issuer, kid)
);

-- Counters that nodes poll to notice changes.
CREATE TABLE revision (
    name TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (name)
);

-- Failed logins by account or address, as SHA-256: what people type by mistake is not kept.
CREATE TABLE throttle (
    key_hash BYTEA NOT NULL,
    window_start BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    blocks BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (key_hash)
);
CREATE INDEX throttle_expires_at ON throttle (expires_at);

-- Which node does a background task.
CREATE TABLE lease (
    name TEXT COLLATE "C" NOT NULL,
    holder TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX lease_expires_at ON lease (expires_at);

INSERT INTO revision (name, number) VALUES ('keyring', 0);
