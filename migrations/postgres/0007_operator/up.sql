-- The people who run the provider; not those who log in at relying parties. The secret of one-time codes is sealed;
-- totp_pending is one that waits for its first code.
CREATE TABLE operator (
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    role TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    password_hash TEXT,
    totp BYTEA,
    totp_step BIGINT,
    totp_pending BYTEA,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_login_at BIGINT,
    PRIMARY KEY (id)
);

CREATE TABLE operator_session (
    id TEXT COLLATE "C" NOT NULL,
    operator_id TEXT COLLATE "C" NOT NULL REFERENCES operator (id),
    proven BOOLEAN NOT NULL,
    browser TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX operator_session_operator ON operator_session (operator_id);
CREATE INDEX operator_session_expires_at ON operator_session (expires_at);

-- What operators did. Rows are added only: nobody changes or removes one, not even at the database's prompt.
CREATE TABLE trail (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    via TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    before TEXT,
    after TEXT
);
CREATE INDEX trail_actor ON trail (actor, number);
CREATE INDEX trail_action ON trail (action, number);
CREATE INDEX trail_subject ON trail (subject, number);
CREATE INDEX trail_happened_at ON trail (happened_at, number);

CREATE FUNCTION refuse_trail_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the trail is append-only';
END;
$$;
CREATE TRIGGER trail_not_changed BEFORE UPDATE OR DELETE ON trail
FOR EACH ROW EXECUTE FUNCTION refuse_trail_change();
CREATE TRIGGER trail_not_emptied BEFORE TRUNCATE ON trail
FOR EACH STATEMENT EXECUTE FUNCTION refuse_trail_change();
