DROP INDEX renewal_failing;
DROP INDEX renewal_next;
DROP INDEX access_grant_subject;
