DROP TABLE trail;
DROP TABLE operator_session;
DROP TABLE operator;
