//! Mails: the way out, against a real SMTP server (aiosmtpd), on both databases.

mod delivery;
mod encrypted;
mod letters;
mod server;
