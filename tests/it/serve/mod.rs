//! `varco` as a process: configuration, proxies, TLS, signals, crashes, logs.

mod commands;
mod configuration;
mod crash;
mod logs;
mod member;
mod onboarding;
mod outage;
mod process;
mod proxy;
mod shutdown;
mod tls;
