//! How relying parties are recognised, from outside: automatic registration through `/authorization`.

mod chains;
mod demo_endpoints;
mod keys;
mod links;
mod marks;
mod metadata;
mod renewal;
mod strangers;
mod tolerances;
mod withdrawal;
