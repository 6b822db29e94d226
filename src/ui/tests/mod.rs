//! Every page in every language, as a visitor, a screen reader and an attacker meet it.

mod account_samples;
mod catalogue;
mod check_samples;
mod demo_samples;
mod desk_imports_samples;
mod desk_ops_samples;
mod desk_rps_samples;
mod desk_samples;
mod desk_users_samples;
mod other_channel_samples;
mod samples;

use super::*;
use samples::{Sample, Texts};
use std::collections::HashSet;

fn pages() -> Pages {
    Pages::new(None).unwrap()
}

fn brand_of(locale: Locale) -> Brand {
    match locale {
        Locale::It => Brand::named("SPID", "spid"),
        Locale::En => Brand::named("CIE", "cie"),
        Locale::De => Brand::named("OpenID", "openid"),
    }
}

/// Calls `check` with every page in every language.
fn each_page(texts: Texts, mut check: impl FnMut(Locale, &Sample, &str)) {
    let pages = pages();
    let samples = samples::all(texts);
    for locale in Locale::ALL {
        let mut layout = samples::layout(locale, texts, brand_of(locale));
        for sample in &samples {
            layout.nav = sample.name.starts_with("history") || sample.name.starts_with("account");
            layout.signed_in_as = layout.nav.then(|| texts.of("Anna Rossi"));
            check(locale, sample, &sample.render(&pages, &layout));
        }
    }
}

/// The opening tags of an element: `tags(html, "input")`.
fn tags<'a>(html: &'a str, element: &str) -> Vec<&'a str> {
    let opening = format!("<{element}");
    html.split(&opening)
        .skip(1)
        .filter(|rest| rest.starts_with([' ', '>', '\n']))
        .map(|rest| rest.split('>').next().unwrap())
        .collect()
}

/// An attribute's value in an opening tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

fn all_values<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let opening = format!(" {name}=\"");
    html.split(&opening)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

#[test]
fn every_page_in_every_language_has_one_heading_landmarks_labels_and_no_inline_code() {
    each_page(Texts::Plain, |locale, sample, html| {
        let name = format!("{} {}", sample.name, locale.code());
        assert!(html.starts_with("<!doctype html>"), "{name}");
        assert_eq!(
            tags(html, "html"),
            [format!(" lang=\"{}\"", locale.code())],
            "{name}"
        );
        for element in ["h1", "main", "footer"] {
            assert_eq!(tags(html, element).len(), 1, "{name}: {element}");
        }
        // A picture has a title of its own.
        let head = html.split("</head>").next().unwrap();
        assert_eq!(tags(head, "title").len(), 1, "{name}: title");
        assert!(html.contains("class=\"skip\" href=\"#main\""), "{name}");
        assert!(
            !html.contains("style=") && !html.contains("<style"),
            "{name}"
        );
        for forbidden in [
            " onclick=",
            " onload=",
            " onsubmit=",
            "javascript:",
            "Unknown localization",
        ] {
            assert!(!html.contains(forbidden), "{name}: {forbidden}");
        }
        for script in tags(html, "script") {
            let source = attribute(script, "src").unwrap();
            let known = ["form-post", "security-key", "waiting"]
                .map(|script| format!("/static/{script}.js?v="))
                .iter()
                .any(|start| source.starts_with(start));
            assert!(known, "{name}: {source}");
        }
        let ids = all_values(html, "id");
        let distinct: HashSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), distinct.len(), "{name}: {ids:?}");
        for reference in all_values(html, "aria-describedby")
            .into_iter()
            .flat_map(str::split_whitespace)
            .chain(all_values(html, "for"))
        {
            assert!(ids.contains(&reference), "{name}: #{reference}");
        }
        let labelled = all_values(html, "for");
        for field in tags(html, "input").into_iter().chain(tags(html, "select")) {
            let hidden = attribute(field, "type") == Some("hidden");
            assert!(
                hidden || labelled.contains(&attribute(field, "id").unwrap()),
                "{name}: {field}"
            );
        }
        // The language; in the desk's navigation the section too.
        let current = all_values(html, "aria-current");
        let expected: &[&str] =
            match html.contains("class=\"desk-nav\"") && !sample.name.starts_with("desk-own") {
                true => &["true", "page"],
                false => &["true"],
            };
        assert_eq!(current, expected, "{name}");
        assert!(!html.contains("{{") && !html.contains("{ $"), "{name}");
    });
}

#[test]
fn every_form_that_posts_to_the_provider_carries_a_csrf_token() {
    each_page(Texts::Plain, |_, sample, html| {
        if sample.name == "form-post" {
            return;
        }
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let posts = form.starts_with(" method=\"post\"");
            assert_eq!(
                form.contains("name=\"csrf_token\" value=\"csrf-"),
                posts,
                "{}",
                sample.name
            );
        }
    });
}

#[test]
fn hostile_text_in_any_field_stays_text() {
    each_page(Texts::Hostile, |locale, sample, html| {
        let name = format!("{} {}", sample.name, locale.code());
        for raw in ["<xss", "q7z\"", "q7z'", "'>", "62710561"] {
            let hit = html
                .find(raw)
                .map(|at| html.get(at.saturating_sub(60)..at + 20));
            assert!(!html.contains(raw), "{name}: {raw} in {hit:?}");
        }
        assert!(html.contains("&lt;xss"), "{name}");
        // The payload's own `&amp;` must be shown as typed.
        assert!(html.contains("&amp;amp;"), "{name}");
    });
}

#[test]
fn a_script_in_state_is_posted_as_text_and_a_script_address_is_not_rendered_at_all() {
    let layout = samples::layout(Locale::It, Texts::Plain, Brand::named("SPID", "spid"));
    let mut page = samples::form_post(Texts::Plain);
    page.fields = vec![(
        "state".to_owned(),
        "\"><script>alert(1)</script>".to_owned(),
    )];
    let html = page.render(&pages(), &layout).unwrap();
    assert_eq!(tags(&html, "script").len(), 1);
    assert!(html.contains("name=\"state\" value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;"));
    assert!(html.contains("<button type=\"submit\""));
    for action in [
        "javascript:alert(1)",
        "data:text/html,x",
        "java\nscript:alert(1)",
    ] {
        page.action_url = action.to_owned();
        assert!(page.render(&pages(), &layout).is_err(), "{action}");
    }
    page.action_url = "it.example.app:/callback".to_owned();
    assert!(page.render(&pages(), &layout).is_ok());
}

#[test]
fn logos_policies_and_back_links_with_script_addresses_are_left_out() {
    let mut layout = samples::layout(Locale::It, Texts::Plain, Brand::named("SPID", "spid"));
    layout.logo_url = Some("data:image/svg+xml,<svg onload=x>".to_owned());
    let mut page = samples::login(Texts::Plain, None);
    page.rp.as_mut().unwrap().policy_url = Some("javascript:alert(1)".to_owned());
    page.rp.as_mut().unwrap().logo_url = Some("javascript:alert(1)".to_owned());
    let html = page.render(&pages(), &layout).unwrap();
    assert!(!html.contains("javascript:") && !html.contains("data:image"));
    let page = RefusalPage {
        kind: RefusalKind::Replay,
        error: String::new(),
        error_description: String::new(),
        reference: "r".to_owned(),
        check_url: None,
        retry_url: None,
        back_to_rp: Some(Link {
            url: "javascript:alert(1)".to_owned(),
            text: "x".to_owned(),
        }),
    };
    assert!(
        !page
            .render(&pages(), &layout)
            .unwrap()
            .contains("javascript:")
    );
}

#[test]
fn the_login_form_has_the_promised_fields() {
    let layout = samples::layout(Locale::It, Texts::Plain, Brand::named("SPID", "spid"));
    let html = samples::login(Texts::Plain, None)
        .render(&pages(), &layout)
        .unwrap();
    let inputs = tags(&html, "input");
    let named = |name: &str| {
        let found: Vec<_> = inputs
            .iter()
            .filter(|tag| attribute(tag, "name") == Some(name))
            .collect();
        assert_eq!(found.len(), 1, "{name}");
        *found[0]
    };
    let (username, password) = (named("username"), named("password"));
    assert_eq!(attribute(username, "type"), Some("text"));
    assert_eq!(attribute(username, "value"), Some("anna.rossi"));
    assert_eq!(attribute(username, "autocomplete"), Some("username"));
    assert_eq!(attribute(password, "type"), Some("password"));
    assert_eq!(
        attribute(password, "autocomplete"),
        Some("current-password")
    );
    assert_eq!(attribute(password, "value"), None);
    assert_eq!(attribute(named("csrf_token"), "value"), Some("csrf-1"));
    let buttons = tags(&html, "button");
    assert_eq!(buttons.len(), 2);
    // Return must log in, not cancel: browsers press the first button.
    assert_eq!(attribute(buttons[0], "name"), None);
    assert_eq!(attribute(buttons[1], "name"), Some("cancel"));
    assert_eq!(attribute(buttons[1], "value"), Some("1"));
    assert!(buttons[1].contains(" formnovalidate"));
}

#[test]
fn login_errors_are_tied_to_their_fields_and_summed_up_where_the_focus_goes() {
    let layout = samples::layout(Locale::It, Texts::Plain, Brand::named("SPID", "spid"));
    let html = |error| {
        samples::login(Texts::Plain, Some(error))
            .render(&pages(), &layout)
            .unwrap()
    };
    let missing = html(LoginError::MissingPassword);
    assert!(missing.contains("aria-invalid=\"true\" aria-describedby=\"password-error\""));
    assert!(missing.contains("role=\"alert\" tabindex=\"-1\" autofocus"));
    assert!(!missing.contains("username-error"));
    assert_eq!(
        all_values(&html(LoginError::WrongCredentials), "aria-describedby"),
        ["wrong-credentials"; 2]
    );
    assert!(html(LoginError::Throttled { seconds: 119 }).contains("Attenda 119 secondi"));
    assert!(html(LoginError::Throttled { seconds: 121 }).contains("Attenda 3 minuti"));
    assert!(html(LoginError::Throttled { seconds: u64::MAX }).contains("Attenda"));
}

#[test]
fn the_consent_form_has_the_promised_buttons_and_switch() {
    let layout = samples::layout(Locale::It, Texts::Plain, Brand::named("CIE", "cie"));
    let html = samples::consent(Texts::Plain, Some(true))
        .render(&pages(), &layout)
        .unwrap();
    let buttons = tags(&html, "button");
    let decisions: Vec<_> = buttons
        .iter()
        .map(|tag| (attribute(tag, "name"), attribute(tag, "value")))
        .collect();
    assert_eq!(
        decisions,
        [
            (Some("decision"), Some("allow")),
            (Some("decision"), Some("deny"))
        ]
    );
    let switch = |html: &str| {
        let found = tags(html, "input")
            .into_iter()
            .find(|tag| attribute(tag, "name") == Some("offline_access"));
        found.map(|tag| tag.contains(" checked"))
    };
    assert_eq!(switch(&html), Some(true));
    assert!(html.contains("Codice fiscale") && html.contains("RSSNNA80A41A952K"));
    let unticked = samples::consent(Texts::Plain, Some(false))
        .render(&pages(), &layout)
        .unwrap();
    assert_eq!(switch(&unticked), Some(false));
    let without = samples::consent(Texts::Plain, None)
        .render(&pages(), &layout)
        .unwrap();
    assert_eq!(switch(&without), None);
}

#[test]
fn the_history_offers_revocation_only_where_there_is_something_to_revoke() {
    let layout = samples::layout(Locale::En, Texts::Plain, Brand::named("SPID", "spid"));
    let html = samples::history(Texts::Plain)
        .render(&pages(), &layout)
        .unwrap();
    assert_eq!(html.matches("action=\"/spid/history/revoke\"").count(), 1);
    assert!(html.contains("<time datetime=\"2026-01-15T09:30:00Z\">15 January 2026, 10:30</time>"));
    assert!(html.contains("until 14 February 2026, 10:30"));
    for field in ["name=\"rp\"", "name=\"from\"", "name=\"to\""] {
        assert!(html.contains(field), "{field}");
    }
    assert!(html.contains("<option value=\"https://rp.example\" selected>"));
}

#[test]
fn a_folder_replaces_templates_and_static_files_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let layout = samples::layout(Locale::It, Texts::Plain, Brand::named("SPID", "spid"));
    let page = LoggedOutPage::default();
    assert!(
        page.render(&Pages::new(Some(folder.path())).unwrap(), &layout)
            .is_ok()
    );
    let templates = folder.path().join("templates");
    std::fs::create_dir(&templates).unwrap();
    std::fs::write(
        templates.join("logged_out.html"),
        "{{ layout.organization_name }}!",
    )
    .unwrap();
    let html = page
        .render(&Pages::new(Some(folder.path())).unwrap(), &layout)
        .unwrap();
    assert_eq!(html, "Provincia di Esempio!");
    std::fs::write(
        templates.join("logged_out.html"),
        "{{ t(key=\"no-such-key\") }}",
    )
    .unwrap();
    let error = page
        .render(&Pages::new(Some(folder.path())).unwrap(), &layout)
        .unwrap_err();
    assert!(error.to_string().contains("no-such-key"), "{error}");
    std::fs::write(templates.join("logged_out.html"), "{% if %}").unwrap();
    assert!(Pages::new(Some(folder.path())).is_err());
}

/// `VARCO_PAGE_DUMP=folder cargo test --lib ui::` writes every page, and the static files, to look at in a browser.
#[test]
fn every_page_can_be_dumped_to_look_at() {
    let folder = std::env::var_os("VARCO_PAGE_DUMP").map(std::path::PathBuf::from);
    let mut count = 0;
    each_page(Texts::Plain, |locale, sample, html| {
        count += 1;
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(
                folder.join(format!("{}.{}.html", sample.name, locale.code())),
                html,
            )
            .unwrap();
        }
    });
    assert_eq!(count, samples::all(Texts::Plain).len() * Locale::ALL.len());
    let Some(folder) = folder else { return };
    let assets = Assets::load(None).unwrap();
    for path in assets.paths() {
        let target = folder.join("static").join(path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, &assets.get(path).unwrap().bytes).unwrap();
    }
}
