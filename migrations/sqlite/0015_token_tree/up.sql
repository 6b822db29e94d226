-- The operator's desk finds the grants of a pairwise subject, the newest first.
CREATE INDEX access_grant_subject ON access_grant (subject, created_at, id);

-- And sees which relying parties an issuer resolves next, or fails to.
CREATE INDEX renewal_next ON renewal (issuer, due_at, client_id);
CREATE INDEX renewal_failing ON renewal (issuer, due_at, client_id) WHERE failures > 0;
