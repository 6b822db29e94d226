-- The trail needs nothing more here: ON CONFLICT DO UPDATE fires the trigger of UPDATE, and the numbers are the database's.

-- The secret of one-time codes that this half-way session registers, sealed: whoever else knows the password gets another
-- one. It ends with the session. operator.totp_pending, one for all sessions, is no longer used.
ALTER TABLE operator_session ADD COLUMN totp_pending BYTEA;
