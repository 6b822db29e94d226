-- Mails, written in the transaction of what they tell of. Recipient, subject and text are sealed.
-- next_attempt_at: when a queued one is due; a sender that claims it moves that ahead, so that another one takes over
-- when the first has died. distinct_key: what at most one mail may tell of, as SHA-256.
CREATE TABLE mail_message (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    kind TEXT NOT NULL,
    distinct_key BLOB UNIQUE,
    sealed BLOB NOT NULL,
    state TEXT NOT NULL,
    claim TEXT,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    give_up_at BIGINT NOT NULL,
    done_at BIGINT,
    reason TEXT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX mail_message_due ON mail_message (state, next_attempt_at);
CREATE INDEX mail_message_account ON mail_message (account_id, created_at, id);
CREATE INDEX mail_message_created ON mail_message (state, created_at, id);
CREATE INDEX mail_message_expires_at ON mail_message (expires_at);

-- The language that a person chose on the account page; mails are written in it.
ALTER TABLE account ADD COLUMN language TEXT;
