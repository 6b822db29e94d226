//! The languages, their messages, and dates as people write them: for the pages and for the mails.

pub mod catalog;
pub mod dates;
mod locale;

pub use locale::Locale;
