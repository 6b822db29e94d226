-- display_name holds all names of a relying party, in every language: pages show one of them, and a search finds it by any. The
-- first is the one that the list is ordered by, as before.

DROP INDEX client_by_id;
DROP INDEX client_by_name;
DROP INDEX client_by_change;
DROP INDEX client_of_issuer_by_id;
DROP INDEX client_of_issuer_by_name;
DROP INDEX client_of_issuer_by_change;
ALTER TABLE client DROP COLUMN display_name;
ALTER TABLE client ADD COLUMN display_name TEXT COLLATE "C" NOT NULL GENERATED ALWAYS AS
    (lower(substr(coalesce(nullif(rtrim(CASE WHEN strpos(metadata, '\u0000') = 0 THEN
        coalesce((metadata::jsonb -> 'client_name' ->> 'it') || ' ', '') ||
        coalesce((metadata::jsonb -> 'client_name' ->> '') || ' ', '') ||
        coalesce((metadata::jsonb -> 'client_name' ->> 'en') || ' ', '') ||
        coalesce((metadata::jsonb -> 'client_name' ->> 'de') || ' ', '') ||
        coalesce(metadata::jsonb ->> 'organization_name', '') END), ''), client_id), 1, 160) COLLATE "C")) STORED;
CREATE INDEX client_by_id ON client (client_id, issuer, display_name, enabled, expires_at, origin);
CREATE INDEX client_by_name ON client (display_name, client_id, issuer, enabled, expires_at, origin);
CREATE INDEX client_by_change ON client (updated_at, client_id, issuer, display_name, enabled, expires_at, origin);
CREATE INDEX client_of_issuer_by_id ON client (issuer, client_id, display_name, enabled, expires_at, origin);
CREATE INDEX client_of_issuer_by_name ON client (issuer, display_name, client_id, enabled, expires_at, origin);
CREATE INDEX client_of_issuer_by_change ON client
    (issuer, updated_at, client_id, display_name, enabled, expires_at, origin);
