//! The languages of the pages, and which one a visitor gets.
//!
//! To add a language: a variant here (the compiler then names every place that must know it, such as
//! [`super::dates`]), its line in [`Locale::ALL`] and a folder `locales/<code>` with the files of `locales/it`.

use serde::{Serialize, Serializer};
use unic_langid::{LanguageIdentifier, langid};

/// Longer `Accept-Language` headers are ignored: browsers send less than 200 bytes.
const MAX_HEADER_BYTES: usize = 2048;
/// Entries of a list that are looked at.
const MAX_ENTRIES: usize = 32;
/// RFC 5646 §4.4.1 recommends 35 as a minimum for buffers; no tag that we know is longer.
const MAX_TAG_BYTES: usize = 35;

/// A language that the pages are complete in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Locale {
    /// Italian, the default.
    #[default]
    It,
    /// English.
    En,
    /// German, as written in South Tyrol.
    De,
}

impl Locale {
    /// Every language, in the order in which the pages offer them.
    pub const ALL: [Self; 3] = [Self::It, Self::En, Self::De];

    /// The BCP 47 language code: `it`, `en`, `de`. Used in `lang` attributes, cookies and links.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::It => "it",
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The language's own name, as the language switch shows it.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::It => "Italiano",
            Self::En => "English",
            Self::De => "Deutsch",
        }
    }

    /// The language of a BCP 47 tag by its primary subtag: `de-AT` is [`Locale::De`]; `None` for others.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let tag = tag.trim();
        if tag.len() > MAX_TAG_BYTES {
            return None;
        }
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|locale| primary.eq_ignore_ascii_case(locale.code()))
    }

    /// The visitor's language: the choice made on the page, then the relying party's `ui_locales` in its order
    /// (OIDC Core §3.1.2.1), then the choice kept in a cookie, then `Accept-Language` (RFC 9110 §12.5.4), then Italian.
    /// What is unknown or malformed counts as absent.
    #[must_use]
    pub fn choose(
        page_choice: Option<&str>,
        ui_locales: &[String],
        cookie: Option<&str>,
        accept_language: Option<&str>,
    ) -> Self {
        page_choice
            .and_then(Self::parse)
            .or_else(|| {
                let mut wishes = ui_locales.iter().take(MAX_ENTRIES);
                wishes.find_map(|tag| Self::parse(tag))
            })
            .or_else(|| cookie.and_then(Self::parse))
            .or_else(|| accept_language.and_then(from_accept_language))
            .unwrap_or_default()
    }

    pub(super) fn language_identifier(self) -> LanguageIdentifier {
        match self {
            Self::It => langid!("it"),
            Self::En => langid!("en"),
            Self::De => langid!("de"),
        }
    }
}

impl Serialize for Locale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

fn from_accept_language(header: &str) -> Option<Locale> {
    if header.len() > MAX_HEADER_BYTES {
        return None;
    }
    let mut best: Option<(u16, Locale)> = None;
    for entry in header.split(',').take(MAX_ENTRIES) {
        let mut parts = entry.split(';');
        let Some(locale) = parts.next().and_then(Locale::parse) else {
            continue;
        };
        let Some(weight) = weight(parts.next()) else {
            continue;
        };
        // Of equal weights the first counts, as browsers mean it.
        if weight > 0 && best.is_none_or(|(highest, _)| weight > highest) {
            best = Some((weight, locale));
        }
    }
    best.map(|(_, locale)| locale)
}

/// Thousandths of a `q=0.123` parameter (RFC 9110 §12.4.2); `None` when malformed.
fn weight(parameter: Option<&str>) -> Option<u16> {
    let Some(parameter) = parameter else {
        return Some(1000);
    };
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(tags: &[&str]) -> Vec<String> {
        tags.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_language_is_chosen_by_page_then_ui_locales_then_cookie_then_browser() {
        type Case<'a> = (
            Option<&'a str>,
            &'a [&'a str],
            Option<&'a str>,
            Option<&'a str>,
            Locale,
        );
        let cases: [Case<'_>; 12] = [
            (None, &[], None, None, Locale::It),
            (Some("de"), &["en"], Some("it"), Some("it"), Locale::De),
            (Some("xx"), &["en"], Some("de"), Some("de"), Locale::En),
            (
                None,
                &["fr-CA", "de-AT", "en"],
                Some("it"),
                None,
                Locale::De,
            ),
            (None, &["fr"], Some("en"), Some("de"), Locale::En),
            (None, &[], Some("<script>"), Some("de"), Locale::De),
            (None, &[], None, Some("fr, en;q=0.5, de;q=0.8"), Locale::De),
            (None, &[], None, Some("en,de"), Locale::En),
            (None, &[], None, Some("en;q=0, de;q=0.001"), Locale::De),
            (None, &[], None, Some("*"), Locale::It),
            (None, &[], None, Some("fr-FR,fr;q=0.9"), Locale::It),
            (None, &[], None, Some("DE-it;Q=1.000"), Locale::De),
        ];
        for (page, ui_locales, cookie, header, expected) in cases {
            let chosen = Locale::choose(page, &list(ui_locales), cookie, header);
            assert_eq!(
                chosen, expected,
                "{page:?} {ui_locales:?} {cookie:?} {header:?}"
            );
        }
    }

    #[test]
    fn hostile_language_lists_are_bounded_and_never_panic() {
        let endless = "de,".repeat(100_000);
        let many = list(&vec!["xx"; 10_000]);
        let long_tag = format!("de-{}", "x".repeat(1000));
        for header in [
            endless.as_str(),
            long_tag.as_str(),
            ";;;",
            "q=;q=",
            "en;q=2",
            "en;q=-1",
            "en;q=0.1234",
            "en;q=1.5",
            "en;q=NaN",
            "en;q=é",
            "é;q=1",
            "\u{0}",
            "en;level=1",
        ] {
            assert_eq!(
                Locale::choose(None, &many, Some(header), Some(header)),
                Locale::It,
                "{header:.40}"
            );
        }
    }
}
