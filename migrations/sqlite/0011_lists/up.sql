-- What the desk looks people and relying parties up by. The database derives it, so that no writer can forget to: older
-- versions, imports, an operator at the database's prompt. Lower case is that of ASCII on both
-- databases, and what is too long for an index is cut.

ALTER TABLE account ADD COLUMN fiscal_number TEXT GENERATED ALWAYS AS
    (substr(json_extract(attributes, '$.fiscal_number'), 1, 64)) VIRTUAL;
ALTER TABLE account ADD COLUMN email TEXT GENERATED ALWAYS AS
    (lower(substr(json_extract(attributes, '$.email'), 1, 254))) VIRTUAL;
ALTER TABLE client ADD COLUMN display_name TEXT NOT NULL GENERATED ALWAYS AS
    (lower(substr(coalesce(json_extract(metadata, '$.client_name.it'), json_extract(metadata, '$.client_name.""'),
        json_extract(metadata, '$.client_name.en'), json_extract(metadata, '$.client_name.de'),
        json_extract(metadata, '$.organization_name'), client_id), 1, 60))) VIRTUAL;

CREATE INDEX account_fiscal_number ON account (fiscal_number, id);
CREATE INDEX account_email ON account (email, id);
CREATE INDEX account_enabled ON account (enabled, username);

-- The orders of the list of relying parties, of one issuer and of all. What the list is narrowed by stands in the index: the
-- rows are long.
CREATE INDEX client_by_id ON client (client_id, issuer, display_name, enabled, expires_at, origin);
CREATE INDEX client_by_name ON client (display_name, client_id, issuer, enabled, expires_at, origin);
CREATE INDEX client_by_change ON client (updated_at, client_id, issuer, display_name, enabled, expires_at, origin);
CREATE INDEX client_of_issuer_by_id ON client (issuer, client_id, display_name, enabled, expires_at, origin);
CREATE INDEX client_of_issuer_by_name ON client (issuer, display_name, client_id, enabled, expires_at, origin);
CREATE INDEX client_of_issuer_by_change ON client
    (issuer, updated_at, client_id, display_name, enabled, expires_at, origin);

-- Wider ones take the place of those that only find and do not order.
DROP INDEX session_account;
CREATE INDEX session_account ON session (account_id, authenticated_at, id);
CREATE INDEX session_issuer ON session (issuer, authenticated_at, id);
CREATE INDEX session_authenticated_at ON session (authenticated_at, id);
DROP INDEX access_grant_session;
CREATE INDEX access_grant_session ON access_grant (session_id, created_at, id);
CREATE INDEX access_grant_of_account ON access_grant (account_id, created_at, id);
CREATE INDEX access_grant_client ON access_grant (issuer, client_id, created_at, id);
DROP INDEX token_grant;
CREATE INDEX token_grant ON token (grant_id, issued_at, id);
DROP INDEX authenticator_account;
CREATE INDEX authenticator_account ON authenticator (account_id, created_at, id);
DROP INDEX login_event_occurred_at;
CREATE INDEX login_event_occurred_at ON login_event (occurred_at, id);
CREATE INDEX login_event_issuer ON login_event (issuer, occurred_at, id);
CREATE INDEX login_event_client ON login_event (issuer, client_id, occurred_at, id);
CREATE INDEX refusal_issuer ON refusal (issuer, number);

-- How many logins ended how, counted when they end: by the hour and by the day for all relying parties together (client_id
-- is empty), by the day for each, and by thirty days for each without level and result (acr and result are empty). span is
-- the seconds of a bucket, bucket_at its beginning. Slots are added up: many logins at once would wait for one row.
CREATE TABLE login_count (
    client_id TEXT NOT NULL,
    span BIGINT NOT NULL,
    bucket_at BIGINT NOT NULL,
    issuer TEXT NOT NULL,
    acr TEXT NOT NULL,
    result TEXT NOT NULL,
    slot BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (client_id, span, bucket_at, issuer, acr, result, slot)
);
CREATE INDEX login_count_bucket ON login_count (span, bucket_at);

-- How many requests were refused, where and with which error, likewise: the rows of refusal are the last ones only.
CREATE TABLE refusal_count (
    span BIGINT NOT NULL,
    bucket_at BIGINT NOT NULL,
    issuer TEXT NOT NULL,
    event TEXT NOT NULL,
    code TEXT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (span, bucket_at, issuer, event, code)
);

-- The processes that serve, and when each was last alive.
CREATE TABLE node (
    id TEXT NOT NULL,
    address TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX node_seen_at ON node (seen_at);
