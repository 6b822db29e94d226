//! Levels of assurance.

/// SPID level 1: password.
pub const SPID_L1: &str = "https://www.spid.gov.it/SpidL1";
/// SPID level 2: password and a second factor.
pub const SPID_L2: &str = "https://www.spid.gov.it/SpidL2";
/// SPID level 3: a certificate or hardware key.
pub const SPID_L3: &str = "https://www.spid.gov.it/SpidL3";

/// The three levels, weakest first; CIE uses the same URIs (SPID/CIE MD-3).
pub const SPID_LEVELS: &[&str] = &[SPID_L1, SPID_L2, SPID_L3];
