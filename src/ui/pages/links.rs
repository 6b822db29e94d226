//! Which addresses may stand in a link, image or form. Handlers pass verified ones only; this is the second lock, beside
//! the CSP, because metadata of relying parties ends up here.

use url::{ParseError, Url};

/// Schemes that run or show what the address itself holds.
const FORBIDDEN_SCHEMES: [&str; 7] = [
    "javascript",
    "vbscript",
    "data",
    "blob",
    "file",
    "filesystem",
    "about",
];

/// A web address, or a path on this host.
pub(super) fn is_web(address: &str) -> bool {
    match Url::parse(address) {
        Ok(url) => matches!(url.scheme(), "https" | "http"),
        Err(error) => is_path(address, error),
    }
}

/// As [`is_web`], and the custom schemes of mobile applications.
pub(super) fn runs_no_script(address: &str) -> bool {
    match Url::parse(address) {
        Ok(url) => !FORBIDDEN_SCHEMES.contains(&url.scheme()),
        Err(error) => is_path(address, error),
    }
}

fn is_path(address: &str, error: ParseError) -> bool {
    let rest = address.strip_prefix('/');
    error == ParseError::RelativeUrlWithoutBase
        && rest.is_some_and(|rest| !rest.starts_with(['/', '\\', '\t', '\n', '\r']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_run_scripts_are_refused_in_every_spelling() {
        for address in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "java\tscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "data:text/html,<script>",
            "vbscript:x",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "",
            "relative",
            "file:///etc/passwd",
        ] {
            assert!(!is_web(address), "{address:?}");
            assert!(!runs_no_script(address), "{address:?}");
        }
    }

    #[test]
    fn web_addresses_paths_and_application_schemes_are_told_apart() {
        for address in [
            "https://rp.example/cb?x=1",
            "http://127.0.0.1:8000/rp",
            "/spid/history",
            "/",
        ] {
            assert!(is_web(address) && runs_no_script(address), "{address:?}");
        }
        assert!(!is_web("it.example.app:/callback") && runs_no_script("it.example.app:/callback"));
    }
}
