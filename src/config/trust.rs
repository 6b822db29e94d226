//! Trust anchors with their pinned keys, and the issuer's own trust marks.

use super::build::Builder;
use super::read::{Value, Values};
use super::settings::TrustAnchorSettings;
use serde_json::Value as Json;

/// No file of pinned keys or trust marks is larger.
const MOST_FILE_BYTES: u64 = 262_144;

/// Where chains may end, with pinned keys.
pub(super) fn trust_anchors(
    builder: &mut Builder<'_>,
    values: &Values,
) -> Vec<TrustAnchorSettings> {
    let mut anchors: Vec<TrustAnchorSettings> = Vec::new();
    for section in values.sections("trust_anchor") {
        let id = builder.required(section, "id", "the trust anchor's entity identifier");
        builder.web_address(section, "id");
        let jwks = pinned_keys(builder, section);
        let Some(id) = id else { continue };
        if anchors.iter().any(|anchor| anchor.id == id) {
            builder
                .problems
                .add(section.path_of("id"), id, "every trust anchor once");
            continue;
        }
        anchors.push(TrustAnchorSettings { id, jwks });
    }
    anchors
}

fn pinned_keys(builder: &mut Builder<'_>, section: &Values) -> Option<Json> {
    let (path, jwks) = match (section.get("jwks"), section.text("jwks_file")) {
        (Some(_), Some(_)) => {
            builder.problems.add(
                section.path_of("jwks"),
                "both jwks and jwks_file",
                "one of the two",
            );
            return None;
        }
        (Some(Value::Json(jwks)), None) => (section.path_of("jwks"), jwks.clone()),
        (_, Some(file)) => {
            let path = section.path_of("jwks_file");
            let file = builder.folder.join(file);
            let text = match read_small_file(&file) {
                Ok(text) => text,
                Err(error) => {
                    builder.problems.add(
                        path,
                        format!("{}: {error}", file.display()),
                        "a readable file with the anchor's JWKS",
                    );
                    return None;
                }
            };
            let Ok(jwks) = serde_json::from_str(&text) else {
                builder
                    .problems
                    .add(path, "a file that is no JSON", "a JWKS: {\"keys\": [...]}");
                return None;
            };
            (path, jwks)
        }
        (_, None) => {
            if !builder.development && section.get("jwks").is_none() {
                builder.problems.add(
                    section.path_of("jwks_file"),
                    "no pinned keys",
                    "the anchor's keys, received by a way that is to be trusted (unpinned anchors are for `development = true`)",
                );
            }
            return None;
        }
    };
    match flaw_of(&jwks) {
        None => Some(jwks),
        Some(flaw) => {
            builder
                .problems
                .add(path, flaw, "a JWKS of public keys: {\"keys\": [...]}");
            None
        }
    }
}

/// What is wrong with a JWKS before its keys are parsed; unknown kinds of keys are no flaw (RFC 7517 §5).
pub(super) fn flaw_of(jwks: &Json) -> Option<String> {
    let Some(keys) = jwks.get("keys").and_then(Json::as_array) else {
        return Some("no member \"keys\"".to_owned());
    };
    if keys.is_empty() {
        return Some("no keys".to_owned());
    }
    for (number, key) in keys.iter().enumerate() {
        if key.get("kty").and_then(Json::as_str).is_none() {
            return Some(format!("keys[{number}] without kty"));
        }
        if key.get("d").is_some() || key.get("k").is_some() {
            return Some(format!("keys[{number}], a secret or private key"));
        }
    }
    None
}

pub(super) fn read_small_file(file: &std::path::Path) -> std::io::Result<String> {
    if std::fs::metadata(file)?.len() > MOST_FILE_BYTES {
        return Err(std::io::Error::other("larger than 256 KiB"));
    }
    std::fs::read_to_string(file)
}

/// The issuer's own marks, from the file and from a folder.
pub(super) fn trust_marks(builder: &mut Builder<'_>, values: &Values) -> Vec<String> {
    let mut marks = Vec::new();
    let path = values.path_of("trust_marks");
    for (number, mark) in values
        .texts("trust_marks")
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        take_mark(builder, &mark, format!("{path}[{number}]"), &mut marks);
    }
    let Some(folder) = builder.path(values, "trust_marks_dir") else {
        return marks;
    };
    let path = values.path_of("trust_marks_dir");
    let mut files: Vec<std::path::PathBuf> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|file| file.is_file() && !is_hidden(file))
            .collect(),
        Err(error) => {
            builder.problems.add(
                path,
                format!("{}: {error}", folder.display()),
                "a readable folder",
            );
            return marks;
        }
    };
    files.sort();
    for file in files {
        let shown = format!("{path} ({})", file.display());
        match read_small_file(&file) {
            Ok(text) => take_mark(builder, text.trim(), shown, &mut marks),
            Err(error) => builder
                .problems
                .add(shown, error.to_string(), "a readable file"),
        }
    }
    marks
}

fn is_hidden(file: &std::path::Path) -> bool {
    file.file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'))
}

fn take_mark(builder: &mut Builder<'_>, mark: &str, path: String, marks: &mut Vec<String>) {
    let mut parts = mark.split('.');
    let is_part = |part: Option<&str>| {
        part.is_some_and(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
    };
    let compact = is_part(parts.next())
        && is_part(parts.next())
        && is_part(parts.next())
        && parts.next().is_none();
    if !compact {
        builder.problems.add(
            path,
            "text that is no compact JWS",
            "a trust mark as its issuer gave it: three parts separated by dots",
        );
    } else if !marks.iter().any(|known| known == mark) {
        marks.push(mark.to_owned());
    }
}
