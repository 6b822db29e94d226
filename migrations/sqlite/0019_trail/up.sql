-- INSERT OR REPLACE removes the row that is in its way without the trigger of DELETE (recursive_triggers is off), and so could
-- write an entry anew: an INSERT whose number exists is refused before that. A number that the database chooses is -1 here.
CREATE TRIGGER trail_not_replaced BEFORE INSERT ON trail
WHEN EXISTS (SELECT 1 FROM trail WHERE number = NEW.number) BEGIN
    SELECT RAISE(ABORT, 'the trail is append-only');
END;

-- The secret of one-time codes that this half-way session registers, sealed: whoever else knows the password gets another
-- one. It ends with the session. operator.totp_pending, one for all sessions, is no longer used.
ALTER TABLE operator_session ADD COLUMN totp_pending BLOB;
