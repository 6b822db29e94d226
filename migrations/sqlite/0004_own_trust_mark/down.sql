DELETE FROM revision WHERE name = 'own_trust_mark';
DROP TABLE own_trust_mark;
