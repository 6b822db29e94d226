-- When the trust chain of each automatically registered relying party is resolved anew, and how the attempts since its
-- last resolution failed.
CREATE TABLE renewal (
    issuer TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    superior TEXT NOT NULL,
    resolved_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    failure TEXT,
    PRIMARY KEY (issuer, client_id),
    FOREIGN KEY (issuer, client_id) REFERENCES client (issuer, client_id) ON DELETE CASCADE
);
CREATE INDEX renewal_due_at ON renewal (due_at);

-- Those that are known already come due as the last version would have renewed them.
INSERT INTO renewal (issuer, client_id, superior, resolved_at, due_at, failures)
SELECT issuer, client_id, '', updated_at, expires_at - 900, 0 FROM client WHERE origin = 'federation' AND expires_at IS NOT NULL;
