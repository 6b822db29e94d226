//! The identity provider's own authentication service.

use super::build::Builder;
use super::read::{Value, Values};
use super::settings::ExternalMethodSettings;
use super::tables::AMR;
use super::trust::{flaw_of, read_small_file};
use serde_json::Value as Json;
use url::Url;

/// The settings of `[issuer.external_method]`. `Some(None)`: there is no such table; `None`: a problem was noted.
pub(super) fn external_method(
    builder: &mut Builder<'_>,
    values: &Values,
) -> Option<Option<ExternalMethodSettings>> {
    let Some(section) = values.section("external_method") else {
        return Some(None);
    };
    let name = match section.get("name") {
        Some(Value::Label(name)) if name.values().any(|text| !text.trim().is_empty()) => {
            Some(name.clone())
        }
        _ => {
            let expected = "what people call it: \"our app\", or { it = \"…\", en = \"…\" }";
            let path = section.path_of("name");
            builder.problems.add(path, "nothing", expected);
            None
        }
    };
    let url = url(builder, section);
    let jwks = pinned_keys(builder, section);
    let levels = section.texts("levels")?;
    if levels.is_empty() {
        let path = section.path_of("levels");
        builder
            .problems
            .add(path, "no level", "at least one level that it reaches");
    }
    let levels_alone = section.texts("levels_alone")?;
    let amr = section.texts("amr")?;
    Some(Some(ExternalMethodSettings {
        name: name?,
        url: url?,
        jwks: jwks?,
        levels,
        levels_alone,
        timeout_seconds: section.integer("timeout_seconds")?,
        amr: AMR
            .iter()
            .filter(|known| amr.iter().any(|name| name == *known))
            .copied()
            .collect(),
    }))
}

/// It is `iss` and `aud` of signed messages too: spelled as it is configured.
fn url(builder: &mut Builder<'_>, section: &Values) -> Option<String> {
    let text = builder.required(section, "url", "the address of your authentication service")?;
    builder.web_address(section, "url");
    let url = Url::parse(&text).ok()?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        builder.problems.add(
            section.path_of("url"),
            "a URL with credentials or a fragment",
            "a URL without them: requests and answers are signed",
        );
        return None;
    }
    Some(text)
}

fn pinned_keys(builder: &mut Builder<'_>, section: &Values) -> Option<Json> {
    let expected = "a file with the JWKS of your authentication service, public keys only";
    let file = builder.required(section, "jwks_file", expected)?;
    let path = section.path_of("jwks_file");
    let file = builder.folder.join(file);
    let found = match read_small_file(&file) {
        Err(error) => format!("{}: {error}", file.display()),
        Ok(text) => match serde_json::from_str::<Json>(&text) {
            Err(_) => "a file that is no JSON".to_owned(),
            Ok(jwks) => match flaw_of(&jwks) {
                None => return Some(jwks),
                Some(flaw) => flaw,
            },
        },
    };
    builder.problems.add(path, found, expected);
    None
}
