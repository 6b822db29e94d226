-- People who are on, or off, by the beginning of their e-mail address: without it, SQLite sorts all who are on.
CREATE INDEX account_enabled_email ON account (enabled, email, id);
