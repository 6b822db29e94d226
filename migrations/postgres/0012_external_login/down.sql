DROP TABLE email_code;
DROP TABLE external_login;
