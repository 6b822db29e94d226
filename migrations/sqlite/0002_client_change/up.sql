-- Which relying parties changed, and when by the clock of the database: nodes ask every second and drop them from memory.
-- Triggers write it, so that no writer can forget to: older versions, other commands, an operator at the database's prompt.
CREATE TABLE client_change (
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, client_id)
);
CREATE INDEX client_change_changed_at ON client_change (changed_at);

CREATE TRIGGER client_inserted AFTER INSERT ON client BEGIN
    DELETE FROM client_change WHERE issuer = NEW.issuer AND client_id = NEW.client_id;
    INSERT INTO client_change (issuer, client_id, changed_at) VALUES (NEW.issuer, NEW.client_id, unixepoch());
END;

CREATE TRIGGER client_updated AFTER UPDATE ON client BEGIN
    DELETE FROM client_change WHERE issuer = NEW.issuer AND client_id = NEW.client_id;
    INSERT INTO client_change (issuer, client_id, changed_at) VALUES (NEW.issuer, NEW.client_id, unixepoch());
END;

CREATE TRIGGER client_deleted AFTER DELETE ON client BEGIN
    DELETE FROM client_change WHERE issuer = OLD.issuer AND client_id = OLD.client_id;
    INSERT INTO client_change (issuer, client_id, changed_at) VALUES (OLD.issuer, OLD.client_id, unixepoch());
END;
