-- Which relying parties changed, when by the clock of the database, and how often: nodes ask every second and read them anew.
-- A trigger writes it, so that no writer can forget to: older versions, other commands, an operator at the database's prompt.
CREATE TABLE client_change (
    issuer TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (issuer, client_id)
);
CREATE INDEX client_change_changed_at ON client_change (changed_at);

CREATE FUNCTION note_client_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO client_change (issuer, client_id, changed_at, number)
        VALUES (OLD.issuer, OLD.client_id, extract(epoch FROM clock_timestamp())::bigint, 1)
        ON CONFLICT (issuer, client_id) DO UPDATE
        SET changed_at = EXCLUDED.changed_at, number = client_change.number + 1;
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND (NEW.issuer, NEW.client_id) <> (OLD.issuer, OLD.client_id)) THEN
        INSERT INTO client_change (issuer, client_id, changed_at, number)
        VALUES (NEW.issuer, NEW.client_id, extract(epoch FROM clock_timestamp())::bigint, 1)
        ON CONFLICT (issuer, client_id) DO UPDATE
        SET changed_at = EXCLUDED.changed_at, number = client_change.number + 1;
    END IF;
    RETURN NULL;
END;
$$;

-- Deferred, so that the time is that of the commit: a transaction may stay open for longer than nodes look back.
CREATE CONSTRAINT TRIGGER client_changed AFTER INSERT OR UPDATE OR DELETE ON client
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION note_client_change();
