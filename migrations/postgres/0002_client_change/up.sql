-- Which relying parties changed, and when by the clock of the database: nodes ask every second and drop them from memory.
-- A trigger writes it, so that no writer can forget to: older versions, other commands, an operator at the database's prompt.
CREATE TABLE client_change (
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, client_id)
);
CREATE INDEX client_change_changed_at ON client_change (changed_at);

CREATE FUNCTION note_client_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed client%ROWTYPE;
BEGIN
    IF TG_OP = 'DELETE' THEN
        changed := OLD;
    ELSE
        changed := NEW;
    END IF;
    INSERT INTO client_change (issuer, client_id, changed_at)
    VALUES (changed.issuer, changed.client_id, extract(epoch FROM clock_timestamp())::bigint)
    ON CONFLICT (issuer, client_id) DO UPDATE SET changed_at = EXCLUDED.changed_at;
    RETURN NULL;
END;
$$;

CREATE TRIGGER client_changed AFTER INSERT OR UPDATE OR DELETE ON client
FOR EACH ROW EXECUTE FUNCTION note_client_change();
