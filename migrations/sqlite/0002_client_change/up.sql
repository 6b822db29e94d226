-- Which relying parties changed, when by the clock of the database, and how often: nodes ask every second and read them anew.
-- Triggers write it, so that no writer can forget to: older versions, other commands, an operator at the database's prompt,
-- whose SQLite may be old: no unixepoch(). No upsert either, because the statement outside decides what a conflict does.
CREATE TABLE client_change (
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (issuer, client_id)
);
CREATE INDEX client_change_changed_at ON client_change (changed_at);

CREATE TRIGGER client_inserted AFTER INSERT ON client BEGIN
    INSERT INTO client_change (issuer, client_id, changed_at, number)
    SELECT NEW.issuer, NEW.client_id, 0, 0 WHERE NOT EXISTS
    (SELECT 1 FROM client_change WHERE issuer = NEW.issuer AND client_id = NEW.client_id);
    UPDATE client_change SET changed_at = CAST(strftime('%s', 'now') AS INTEGER), number = number + 1
    WHERE issuer = NEW.issuer AND client_id = NEW.client_id;
END;

CREATE TRIGGER client_updated AFTER UPDATE ON client BEGIN
    INSERT INTO client_change (issuer, client_id, changed_at, number)
    SELECT OLD.issuer, OLD.client_id, 0, 0 WHERE NOT EXISTS
    (SELECT 1 FROM client_change WHERE issuer = OLD.issuer AND client_id = OLD.client_id);
    UPDATE client_change SET changed_at = CAST(strftime('%s', 'now') AS INTEGER), number = number + 1
    WHERE issuer = OLD.issuer AND client_id = OLD.client_id;
END;

CREATE TRIGGER client_renamed AFTER UPDATE ON client
WHEN NEW.issuer <> OLD.issuer OR NEW.client_id <> OLD.client_id BEGIN
    INSERT INTO client_change (issuer, client_id, changed_at, number)
    SELECT NEW.issuer, NEW.client_id, 0, 0 WHERE NOT EXISTS
    (SELECT 1 FROM client_change WHERE issuer = NEW.issuer AND client_id = NEW.client_id);
    UPDATE client_change SET changed_at = CAST(strftime('%s', 'now') AS INTEGER), number = number + 1
    WHERE issuer = NEW.issuer AND client_id = NEW.client_id;
END;

CREATE TRIGGER client_deleted AFTER DELETE ON client BEGIN
    INSERT INTO client_change (issuer, client_id, changed_at, number)
    SELECT OLD.issuer, OLD.client_id, 0, 0 WHERE NOT EXISTS
    (SELECT 1 FROM client_change WHERE issuer = OLD.issuer AND client_id = OLD.client_id);
    UPDATE client_change SET changed_at = CAST(strftime('%s', 'now') AS INTEGER), number = number + 1
    WHERE issuer = OLD.issuer AND client_id = OLD.client_id;
END;
