//! The translations are complete, in every language.

use crate::ui::{Level, Locale, attribute_name, level_name};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The messages of a language: file and key, and the arguments that each uses.
fn messages(locale: Locale) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(root().join("locales").join(locale.code())).unwrap() {
        let path = file.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut current = String::new();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            if line.starts_with(|first: char| first.is_ascii_alphabetic()) {
                let (key, value) = line.split_once(" = ").unwrap();
                assert!(!value.trim().is_empty(), "{file}: {key}");
                current = key.to_owned();
                let earlier = found.insert((file.clone(), current.clone()), BTreeSet::new());
                assert!(earlier.is_none(), "{file}: {key} twice");
            }
            for argument in line.split('$').skip(1) {
                let name = argument
                    .split(|c: char| !c.is_ascii_alphanumeric())
                    .next()
                    .unwrap();
                found
                    .get_mut(&(file.clone(), current.clone()))
                    .unwrap()
                    .insert(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_language_has_the_same_messages_with_the_same_arguments() {
    let italian = messages(Locale::It);
    assert!(italian.len() > 150);
    for locale in Locale::ALL {
        let other = messages(locale);
        for (key, arguments) in &italian {
            assert_eq!(Some(arguments), other.get(key), "{} {key:?}", locale.code());
        }
        for key in other.keys() {
            assert!(
                italian.contains_key(key),
                "only in {}: {key:?}",
                locale.code()
            );
        }
    }
}

#[test]
fn there_is_a_folder_for_every_language_and_none_besides() {
    let folders: BTreeSet<_> = std::fs::read_dir(root().join("locales"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let codes: BTreeSet<_> = Locale::ALL
        .iter()
        .map(|locale| locale.code().to_owned())
        .collect();
    assert_eq!(folders, codes);
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, text);
        } else {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// Keys that are put together from a value.
const PREFIXES: &[&str] = &[
    "desk-dashboard-chart-",
    "desk-dashboard-range-",
    "desk-dashboard-result-",
    "desk-section-",
    "desk-asked-verdict-",
    "desk-asked-advice-",
    "desk-state-",
    "desk-key-use-",
    "desk-key-state-",
    "desk-keys-sure-",
    "desk-keys-title-",
    "desk-keys-explain-",
    "desk-ring-",
    "desk-document-",
    "desk-list-",
    "desk-mails-",
    "desk-node-",
    "desk-revoke-",
    "desk-revoked-",
    "desk-role-",
    "desk-notice-",
    "desk-operator-error-",
    "desk-operator-confirm-",
    "desk-operator-explain-",
    "desk-rp-confirm-",
    "desk-rp-error-",
    "desk-rp-explain-",
    "desk-rp-field-",
    "desk-rp-help-",
    "desk-rp-look-",
    "desk-rp-method-",
    "desk-rp-overlap-",
    "desk-rp-origin-",
    "desk-rp-problem-",
    "desk-rp-sort-",
    "desk-rp-state-",
    "desk-rp-tolerance-",
    "desk-user-by-",
    "desk-import-error-",
    "desk-import-kind-",
    "desk-import-rps-",
    "desk-import-state-",
    "desk-import-users-",
    "desk-user-method-",
    "desk-user-confirm-",
    "desk-user-explain-",
    "desk-user-error-",
    "desk-fault-",
    "mail-",
    "check-fetch-",
    "check-known-",
    "check-role-",
    "check-verdict-",
    "advice-",
    "proof-error-",
    "account-notice-",
    "change-",
    "attribute-",
    "member-",
    "value-",
    "level-",
    "login-error-",
    "other-way-",
    "elsewhere-",
    "state-",
    "refusal-",
    "demo-link-",
    "demo-step-",
    "demo-action-",
    "history-notice-",
];

#[test]
fn no_message_is_left_over() {
    let mut used = String::new();
    read_all(&root().join("templates"), &mut used);
    read_all(&root().join("src/ui/desk"), &mut used);
    for (file, key) in messages(Locale::It).into_keys() {
        let composed = PREFIXES.iter().any(|prefix| key.starts_with(prefix));
        assert!(
            composed || used.contains(&format!("\"{key}\"")),
            "{file}: {key}"
        );
    }
}

#[test]
fn every_attribute_of_spid_and_cie_has_a_name_in_every_language() {
    const CLAIMS: [&str; 21] = [
        "spid_code",
        "given_name",
        "family_name",
        "place_of_birth",
        "birthdate",
        "gender",
        "company_name",
        "registered_office",
        "fiscal_number",
        "company_fiscal_number",
        "vat_number",
        "document_details",
        "phone_number",
        "phone_number_verified",
        "landline_number",
        "email",
        "email_verified",
        "e_delivery_service",
        "eid_exp_date",
        "address",
        "sub",
    ];
    for locale in Locale::ALL {
        for claim in CLAIMS {
            let name = attribute_name(locale, claim);
            assert_ne!(name, claim, "{}", locale.code());
            for namespace in [
                "https://attributes.eid.gov.it/",
                "https://attributes.spid.gov.it/",
            ] {
                assert_eq!(attribute_name(locale, &format!("{namespace}{claim}")), name);
            }
        }
    }
}

#[test]
fn older_names_and_unknown_claims_are_named_sensibly() {
    let name = |claim| attribute_name(Locale::En, claim);
    assert_eq!(name("https://attributes.spid.gov.it/name"), "Given name");
    assert_eq!(name("name"), "Full name");
    assert_eq!(
        name("https://attributes.spid.gov.it/mobilePhone"),
        "Mobile phone number"
    );
    assert_eq!(
        name("https://attributes.spid.gov.it/countyOfBirth"),
        "Province of birth"
    );
    assert_eq!(name("something_else"), "something_else");
    assert_eq!(name("a.b"), "a.b");
    assert_eq!(name(""), "");
}

#[test]
fn levels_are_named_in_plain_words() {
    assert_eq!(
        Level::from_acr("https://www.spid.gov.it/SpidL2"),
        Some(Level::L2)
    );
    assert_eq!(Level::from_acr("https://www.spid.gov.it/SpidL9"), None);
    assert_eq!(Level::from_number(3), Some(Level::L3));
    for locale in Locale::ALL {
        for level in Level::ALL {
            assert_ne!(level_name(locale, level), level.key());
        }
    }
}
