-- What an operator tolerates of this relying party beyond the issuer's configuration (SPID/CIE FE-12), JSON; NULL: nothing.
ALTER TABLE client ADD COLUMN tolerance TEXT;

-- What operators have looked into of a relying party. running_key: issuer, relying party and kind while it runs, so that whoever
-- asks for the same shares it. lease_until: the node that runs it is gone when this is over. steps, result: JSON.
CREATE TABLE rp_check (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    running_key TEXT,
    steps TEXT NOT NULL,
    result TEXT,
    actor TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX rp_check_running ON rp_check (running_key);
CREATE INDEX rp_check_expires_at ON rp_check (expires_at);

-- What an import brings: people, or parties (relying parties).
ALTER TABLE user_import ADD COLUMN kind TEXT NOT NULL DEFAULT 'people';
CREATE INDEX user_import_kind ON user_import (kind, created_at, id);
