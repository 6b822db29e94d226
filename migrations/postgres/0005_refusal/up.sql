-- The last refusals of each relying party, by the reference that the answer carried. Numbers grow: the highest is the newest.
CREATE TABLE refusal (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    issuer TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    known BOOLEAN NOT NULL,
    refused_at BIGINT NOT NULL,
    event TEXT NOT NULL,
    code TEXT NOT NULL,
    description TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX refusal_client_id ON refusal (issuer, client_id, number);
-- Those that named nobody known: together they are few.
CREATE INDEX refusal_unknown ON refusal (issuer, number) WHERE NOT known;
CREATE INDEX refusal_refused_at ON refusal (refused_at);
