-- Imports of people. state: reading, ready, running, done, cancelled; lease_until: until when a node applies it; another one
-- goes on after that. problems: what is wrong with which line, JSON without values of the file.
CREATE TABLE user_import (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    name TEXT NOT NULL,
    actor TEXT NOT NULL,
    via TEXT NOT NULL,
    address TEXT NOT NULL,
    skips BOOLEAN NOT NULL,
    valid_lines BIGINT NOT NULL,
    bad_lines BIGINT NOT NULL,
    problems TEXT NOT NULL,
    done_lines BIGINT NOT NULL,
    added BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    holder TEXT,
    lease_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX user_import_created ON user_import (created_at, id);
CREATE INDEX user_import_state ON user_import (state, lease_until);
CREATE INDEX user_import_expires_at ON user_import (expires_at);

-- The lines that wait, some hundred to a row, sealed. A part is removed in the transaction that writes its people.
CREATE TABLE user_import_part (
    import_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    line_count BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (import_id, number)
);
CREATE INDEX user_import_part_expires_at ON user_import_part (expires_at);

-- The history of a person at all issuers.
CREATE INDEX login_event_account ON login_event (account_id, occurred_at, id);
