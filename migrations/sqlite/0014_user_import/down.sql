DROP INDEX login_event_account;
DROP TABLE user_import_part;
DROP TABLE user_import;
