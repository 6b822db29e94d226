//! The look of one issuer: what `issuer.branding` and `issuer.attribute_names` change on its pages.

use super::assets::{Asset, Assets};
use super::{Locale, catalog};
use crate::config::{Branding, IssuerSettings};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Where an issuer's stylesheet is, below the issuer: no page has an inline style.
pub const BRAND_STYLE_PATH: &str = "/brand.css";

/// Text on the primary colour where only the latter is configured.
const TEXT_COLOUR: &str = "#ffffff";

/// The stylesheet of the configured colours; `None` where the profile's own are used.
#[must_use]
pub fn brand_style(branding: &Branding) -> Option<Asset> {
    let text = branding.text_colour.as_deref();
    let css = match &branding.primary_colour {
        None => format!(
            ".site-slim, .site-brand, .site-slim a, .site-brand a {{ color: {}; }}\n",
            text?
        ),
        Some(primary) => {
            let text = text.unwrap_or(TEXT_COLOUR);
            // The selectors weigh more than those of the profile's colours in varco.css.
            format!(
                "body[class] {{ --varco-brand: {primary}; --varco-brand-dark: {primary}; }}\n\
                 .site-slim, .site-brand, .site-slim a, .site-brand a {{ color: {text}; }}\n\
                 .site-slim a[aria-current] {{ box-shadow: inset 0 -3px 0 {text}; }}\n\
                 .btn.btn-primary {{ --bs-btn-bg: {primary}; --bs-btn-color: {text}; --bs-btn-hover-bg: {primary}; \
                 --bs-btn-hover-color: {text}; --bs-btn-active-bg: {primary}; --bs-btn-active-color: {text}; }}\n"
            )
        }
    };
    Some(Asset::new(BRAND_STYLE_PATH, Cow::Owned(css.into_bytes())))
}

/// The address of the configured logo: a static file by its name, or a URL as it is. `None`: none is configured, or
/// there is no such file.
#[must_use]
pub fn logo_url(branding: &Branding, assets: &Assets) -> Option<String> {
    let logo = branding.logo.as_ref()?;
    if logo.contains("://") {
        return Some(logo.clone());
    }
    assets.url(logo.trim_start_matches('/'))
}

/// The configured names of attributes in this language, by canonical claim.
#[must_use]
pub fn attribute_names(settings: &IssuerSettings, locale: Locale) -> BTreeMap<String, String> {
    settings
        .attribute_names
        .iter()
        .filter_map(|(claim, labels)| {
            // The empty language stands for every other one.
            let label = labels.get(locale.code()).or_else(|| labels.get(""))?;
            Some((catalog::canonical_claim(claim).to_owned(), label.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn css(primary: Option<&str>, text: Option<&str>) -> Option<String> {
        let branding = Branding {
            primary_colour: primary.map(str::to_owned),
            text_colour: text.map(str::to_owned),
            ..Branding::default()
        };
        let style = brand_style(&branding)?;
        assert_eq!(style.content_type, "text/css; charset=utf-8");
        Some(String::from_utf8(style.bytes.to_vec()).unwrap())
    }

    #[test]
    fn the_style_has_the_configured_colours_and_is_not_there_without_any() {
        assert_eq!(css(None, None), None);
        let both = css(Some("#123456"), Some("#fedcba")).unwrap();
        assert!(both.contains("--varco-brand: #123456") && both.contains("color: #fedcba"));
        assert!(css(Some("#123456"), None).unwrap().contains("#ffffff"));
        assert!(
            !css(None, Some("#fedcba"))
                .unwrap()
                .contains("--varco-brand")
        );
    }

    #[test]
    fn a_logo_is_a_static_file_or_a_url() {
        let assets = Assets::load(None).unwrap();
        let url = |logo: &str| {
            let branding = Branding {
                logo: Some(logo.to_owned()),
                ..Branding::default()
            };
            logo_url(&branding, &assets)
        };
        assert!(
            url("brand/cie.svg")
                .unwrap()
                .starts_with("/static/brand/cie.svg?v=")
        );
        assert_eq!(
            url("https://www.example.it/logo.svg").as_deref(),
            Some("https://www.example.it/logo.svg")
        );
        assert_eq!(url("no-such.svg"), None);
    }
}
