//! A browser in a few words, from its `User-Agent`: for people who ask themselves "was that me?", not for decisions.

/// What is shown of a text that names no browser we know.
const MAX_CHARACTERS: usize = 60;

/// Browsers by the product that only they name, the more particular first: Edge also says Chrome, and Chrome Safari.
const BROWSERS: [(&str, &str); 10] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];

/// Systems in the same manner: Android also says Linux, and iPhones "like Mac OS X".
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// `Firefox 140, Linux`; the beginning of the text where it names no browser we know.
#[must_use]
pub fn in_few_words(user_agent: &str) -> String {
    let browser = BROWSERS.iter().find_map(|(product, name)| {
        let (_, rest) = user_agent.split_once(product)?;
        let version: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(format!("{name} {version}").trim_end().to_owned())
    });
    let Some(browser) = browser else {
        return user_agent.chars().take(MAX_CHARACTERS).collect();
    };
    match SYSTEMS.iter().find(|(part, _)| user_agent.contains(part)) {
        Some((_, system)) => format!("{browser}, {system}"),
        None => browser,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_browsers_are_named_and_others_shown_as_they_are() {
        for (user_agent, words) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0",
                "Firefox 146, Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.2 Mobile/15E148 Safari/604.1",
                "Safari 18, iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile \
                 Safari/537.36",
                "Chrome 143, Android",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 \
                 Safari/537.36 Edg/143.0.0.0",
                "Edge 143, Windows",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", ""),
        ] {
            assert_eq!(in_few_words(user_agent), words);
        }
        assert_eq!(in_few_words(&"é".repeat(500)).chars().count(), 60);
    }
}
