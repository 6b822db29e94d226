ALTER TABLE operator_session DROP COLUMN totp_pending;
