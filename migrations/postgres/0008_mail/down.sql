ALTER TABLE account DROP COLUMN language;
DROP TABLE mail_message;
