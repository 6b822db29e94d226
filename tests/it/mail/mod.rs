//! Mails: the way out, against a real SMTP server (aiosmtpd), on both databases.

mod delivery;
mod letters;
mod server;
