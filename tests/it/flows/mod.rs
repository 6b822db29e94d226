//! Flows and attacks, through HTTP, as users and RPs live them.

mod login;
