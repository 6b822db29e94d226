//! The example configuration, generated from `tables.rs`.

use super::schema::{Key, Kind, Section};
use super::tables::SERVER;

const HEAD: &str = "\
# The configuration of Varco: every key, with its default.
#
# A key that is commented out has no default; what is shown is an example. Relative paths are relative to this file.
# Every key can also come from the environment: VARCO_LISTEN, VARCO_THROTTLE_PER_ADDRESS_PER_MINUTE, and with a single
# issuer VARCO_ISSUER_PROFILE, VARCO_ISSUER_LIFETIMES_SESSION …; lists and tables as JSON. The environment wins.
# `varco config check` reports everything that is wrong.
";

/// A commented `varco.toml` with every key and default.
///
/// It is complete but for what an operator must decide: `pairwise_salt`, and for a federated issuer a trust anchor.
#[must_use]
pub fn example() -> String {
    let mut out = HEAD.to_owned();
    write_section(&mut out, &SERVER, "", false);
    out
}

fn write_section(out: &mut String, section: &Section, path: &str, commented: bool) {
    for key in section.keys.iter().filter(|key| !is_table(key)) {
        write_key(out, key, commented);
    }
    for key in section.keys {
        let path = super::read::join(path, key.name);
        let (inner, heading, commented) = match key.kind {
            Kind::Section(inner) => (inner, format!("[{path}]"), commented),
            Kind::OptionalSection(inner) => (inner, format!("[{path}]"), true),
            // The first issuer is there; anchors and single RPs are for the operator to write.
            Kind::Sections(inner) => (inner, format!("[[{path}]]"), path != "issuer"),
            _ => continue,
        };
        out.push('\n');
        write_about(out, key.about);
        line(out, commented, &heading);
        write_section(out, inner, &path, commented);
    }
}

fn is_table(key: &Key) -> bool {
    matches!(
        key.kind,
        Kind::Section(_) | Kind::OptionalSection(_) | Kind::Sections(_)
    )
}

fn write_key(out: &mut String, key: &Key, commented: bool) {
    out.push('\n');
    write_about(out, key.about);
    match key.default {
        Some(default) => line(out, commented, &format!("{} = {default}", key.name)),
        // The one key without default that the example needs in order to be read.
        None => line(
            out,
            commented || key.name != "id",
            &format!("{} = {}", key.name, key.example),
        ),
    }
}

fn write_about(out: &mut String, about: &str) {
    for text in about.lines() {
        line(out, true, text);
    }
}

fn line(out: &mut String, commented: bool, text: &str) {
    if commented {
        out.push_str("# ");
    }
    out.push_str(text);
    out.push('\n');
}
