DROP INDEX account_enabled_email;
