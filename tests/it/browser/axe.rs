//! What axe-core and the layout say of a page.

use super::driver::Chromium;
use serde_json::{Value, json};

const AXE: &str = include_str!("vendor/axe-core/axe.min.js");

/// Runs every rule, the "best practices" included; answers one line for each finding.
const RUN: &str = r#"
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(
    results => done(results.violations.flatMap(found =>
        found.nodes.map(node => found.id + ": " + node.target + ": " + node.failureSummary))),
    error => done(["axe: " + error]));
"#;

/// What sticks out of a page on the right, except what is meant for screen readers only.
const TOO_WIDE: &str = r#"
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth <= width) return [];
return ["the page is " + document.documentElement.scrollWidth + " wide"].concat(
    [...document.querySelectorAll("body *")]
        .filter(element => element.getBoundingClientRect().right > width + 1)
        .map(element => element.outerHTML.slice(0, 200)));
"#;

impl Chromium {
    /// Asserts that axe-core finds nothing, that the page does not scroll sideways at 320 pixels (WCAG 2.2 §1.4.10), and
    /// that the browser logged nothing but the status of a refusal. Keeps a picture of each width when the page has a
    /// name.
    pub async fn inspect(&self, name: &str) {
        self.run(AXE).await;
        for width in [320, 1280] {
            self.set_width(width).await;
            self.expect_no_sideways_scrolling(name).await;
            let found = self.client.execute_async(RUN, Vec::new()).await.unwrap();
            assert_eq!(found, json!([]), "{name} at {width}: {found:#}");
            self.keep_picture(&format!("{name}-{width}")).await;
        }
        self.set_width(1920).await;
        self.expect_no_sideways_scrolling(name).await;
    }

    /// Asserts that nothing sticks out of the page.
    pub async fn expect_no_sideways_scrolling(&self, name: &str) {
        let wide = self.run(TOO_WIDE).await;
        assert_eq!(wide, Value::Array(Vec::new()), "{name}: {wide:#}");
    }
}
