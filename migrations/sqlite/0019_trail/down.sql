ALTER TABLE operator_session DROP COLUMN totp_pending;
DROP TRIGGER trail_not_replaced;
