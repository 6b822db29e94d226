//! The addresses of a list's pages, from the first to the last or as far as one wants.

use crate::browser::Browser;
use crate::http::Answer;

/// What a cursor is called.
const CURSORS: [&str; 2] = ["after", "before"];

/// Follows the link to the next page.
pub fn walk(browser: &mut Browser, first: &str, most: usize) -> Vec<String> {
    browser.connect_again();
    let mut pages = vec![first.to_owned()];
    while pages.len() < most {
        let here = pages[pages.len() - 1].clone();
        let page = browser.get(&here);
        assert_eq!(page.status, 200, "{here}: {}", page.body);
        let now = cursor(&here);
        let next = links(&page)
            .into_iter()
            .find(|link| cursor(link).is_some_and(|next| Some(next) != now.clone()));
        match next {
            Some(next) if !pages.contains(&next) => pages.push(next),
            _ => break,
        }
    }
    pages
}

/// Where the page at an address begins.
fn cursor(address: &str) -> Option<String> {
    let (_, query) = address.split_once('?')?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, value)| CURSORS.contains(&name.as_ref()) && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

fn links(page: &Answer) -> Vec<String> {
    page.body
        .split("href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .map(|link| link.replace("&#x2F;", "/").replace("&amp;", "&"))
        .collect()
}
