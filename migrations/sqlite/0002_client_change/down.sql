DROP TRIGGER client_inserted;
DROP TRIGGER client_updated;
DROP TRIGGER client_renamed;
DROP TRIGGER client_deleted;
DROP TABLE client_change;
