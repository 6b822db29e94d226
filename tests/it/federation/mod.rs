//! How relying parties are recognised, from outside: automatic registration through `/authorization`.

mod attacks;
mod chains;
mod demo_endpoints;
mod demo_marks;
mod examinations;
mod explicit_registration;
mod key_look_ups;
mod keys;
mod links;
mod load;
mod marks;
mod metadata;
mod mutations;
mod nodes;
mod refusals;
mod renewal;
mod strangers;
mod tolerances;
mod withdrawal;
