DROP TRIGGER client_changed ON client;
DROP FUNCTION note_client_change();
DROP TABLE client_change;
