//! How people prove who they are. In this version: a password; further methods join by level.

pub mod password;
