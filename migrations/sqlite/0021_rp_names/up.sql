-- display_name holds all names of a relying party, in every language: pages show one of them, and a search finds it by any. The
-- first is the one that the list is ordered by, as before.

DROP INDEX client_by_id;
DROP INDEX client_by_name;
DROP INDEX client_by_change;
DROP INDEX client_of_issuer_by_id;
DROP INDEX client_of_issuer_by_name;
DROP INDEX client_of_issuer_by_change;
ALTER TABLE client DROP COLUMN display_name;
ALTER TABLE client ADD COLUMN display_name TEXT NOT NULL GENERATED ALWAYS AS
    (lower(substr(coalesce(nullif(rtrim(
        coalesce(json_extract(metadata, '$.client_name.it') || ' ', '') ||
        coalesce(json_extract(metadata, '$.client_name.""') || ' ', '') ||
        coalesce(json_extract(metadata, '$.client_name.en') || ' ', '') ||
        coalesce(json_extract(metadata, '$.client_name.de') || ' ', '') ||
        coalesce(json_extract(metadata, '$.organization_name'), '')), ''), client_id), 1, 160))) VIRTUAL;
CREATE INDEX client_by_id ON client (client_id, issuer, display_name, enabled, expires_at, origin);
CREATE INDEX client_by_name ON client (display_name, client_id, issuer, enabled, expires_at, origin);
CREATE INDEX client_by_change ON client (updated_at, client_id, issuer, display_name, enabled, expires_at, origin);
CREATE INDEX client_of_issuer_by_id ON client (issuer, client_id, display_name, enabled, expires_at, origin);
CREATE INDEX client_of_issuer_by_name ON client (issuer, display_name, client_id, enabled, expires_at, origin);
CREATE INDEX client_of_issuer_by_change ON client
    (issuer, updated_at, client_id, display_name, enabled, expires_at, origin);
