-- The issuers' own trust marks as their mark issuers gave them on request.
CREATE TABLE own_trust_mark (
    issuer TEXT NOT NULL,
    mark_type TEXT NOT NULL,
    mark_issuer TEXT NOT NULL,
    jwt TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT,
    obtained_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, mark_type, mark_issuer)
);
CREATE INDEX own_trust_mark_expires_at ON own_trust_mark (expires_at);

INSERT INTO revision (name, number) VALUES ('own_trust_mark', 0);
