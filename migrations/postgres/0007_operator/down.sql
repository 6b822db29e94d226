DROP TABLE trail;
DROP FUNCTION refuse_trail_change();
DROP TABLE operator_session;
DROP TABLE operator;
