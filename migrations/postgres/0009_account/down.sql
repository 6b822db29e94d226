ALTER TABLE account DROP COLUMN page_language;
DROP INDEX access_grant_end_untold;
ALTER TABLE access_grant DROP COLUMN end_told_at;
DROP TABLE form_draft;
DROP TABLE known_device;
