-- When the trust chain of each automatically registered relying party is resolved anew, and how the attempts since its
-- last resolution failed; and when its trust marks are asked about. Whoever renews adds the rows that older versions did not.
CREATE TABLE renewal (
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    superior TEXT NOT NULL,
    resolved_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    marks_due_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    failure TEXT,
    PRIMARY KEY (issuer, client_id),
    FOREIGN KEY (issuer, client_id) REFERENCES client (issuer, client_id) ON DELETE CASCADE
);
CREATE INDEX renewal_due_at ON renewal (due_at);
