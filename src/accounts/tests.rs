use super::import::{Format, read};
use super::password::{PasswordError, PasswordHasher, check_hash, hash_password, verify_password};
use super::*;
use crate::clock::UtcTime;
use crate::secret::Secret;
use crate::store::{DatabaseSettings, SqliteSynchronous, Store, account};
use std::collections::BTreeSet;

fn jsonl(text: &str) -> Result<Vec<UserRecord>, Vec<String>> {
    messages(read(
        text.as_bytes(),
        Some(Format::JsonLines),
        &BTreeSet::from(["mailbox".to_owned()]),
    ))
}

fn csv(text: &str) -> Result<Vec<UserRecord>, Vec<String>> {
    messages(read(text.as_bytes(), Some(Format::Csv), &BTreeSet::new()))
}

fn messages(
    result: Result<Vec<UserRecord>, Vec<ImportProblem>>,
) -> Result<Vec<UserRecord>, Vec<String>> {
    result.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_line_may_name_claims_in_every_way_and_null_is_absent() {
    let text = r#"
{"username": "anna", "totp_secret": null, "enabled": false, "attributes": {
"#
    .replace('\n', "")
        + r#""https://attributes.eid.gov.it/fiscal_number": "TINIT-RSSNNA80A41H501Z", "https://attributes.spid.gov.it/dateOfBirth": "1980-01-01", "email": null, "mailbox": "anna@example.it", "place_of_birth": {"locality": "H501", "region": "RM"}}}
"#;
    let records = jsonl(&text).unwrap();
    let attributes = records[0].attributes.clone().unwrap();
    assert_eq!(records[0].enabled, Some(false));
    assert!(records[0].totp_secret.is_none() && records[0].password.is_none());
    assert_eq!(attributes["fiscal_number"], "TINIT-RSSNNA80A41H501Z");
    assert_eq!(attributes["birthdate"], "1980-01-01");
    assert_eq!(attributes["mailbox"], "anna@example.it");
    assert!(!attributes.contains_key("email"));
}

#[test]
fn every_bad_line_is_reported_and_no_value_is_repeated() {
    let text = [
        r#"{"username": "a"}"#,
        r#"{"username": "a"}"#,
        r#"{"password": "geheim"}"#,
        r#"{"username": "b", "password": "geheim", "password_hash": "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$Y2hlY2tzdW1jaGVja3N1bQ"}"#,
        r#"{"username": "c", "password_hash": "$2y$10$geheim"}"#,
        r#"{"username": "d", "attributes": {"emial": "geheim"}}"#,
        r#"{"username": "e", "attributes": {"birthdate": "1980-02-30", "gender": 1}}"#,
        r#"{"username": "f", "nickname": "geheim"}"#,
        r#"{"username": "g", "totp_secret": "geheim1!"}"#,
        r#"{"username": "h", "attributes": {"email": "a@b", "https://attributes.spid.gov.it/email": "c@d"}}"#,
        r#"["geheim"]"#,
        "geheim",
        r#"{"username": "i", "username": "geheim"}"#,
        r#"{"username": " i"}"#,
    ]
    .join("\n");
    let problems = jsonl(&text).unwrap_err();
    for (start, says) in [
        ("line 2: username of line 1", ""),
        ("line 3: no username", ""),
        ("line 4: both password", ""),
        ("line 5: password_hash: not an argon2id", ""),
        ("line 6: unknown claim emial", ""),
        ("line 7: birthdate: expected a date", ""),
        ("line 7: gender: expected female or male", ""),
        ("line 8: unknown member nickname", "totp_secret"),
        ("line 9: totp_secret", "Base32"),
        ("line 10:", "two names"),
        ("line 11: no JSON object", ""),
        ("line 12: no JSON", ""),
        ("line 13: member username twice", ""),
        ("line 14: username: expected", ""),
    ] {
        assert!(
            problems
                .iter()
                .any(|problem| problem.starts_with(start) && problem.contains(says)),
            "{start} is not in {problems:#?}"
        );
    }
    assert_eq!(problems.len(), 14);
    assert!(!problems.concat().contains("geheim"));
}

#[test]
fn csv_has_members_and_claims_as_columns() {
    let text = "\u{feff}username,enabled,email_verified,address,attributes\n\
        anna,true,true,\"{\"\"locality\"\": \"\"Roma\"\"}\",\"{\"\"given_name\"\": \"\"Anna\"\"}\"\n\
        bruno,,,,\n";
    let records = csv(text).unwrap();
    let attributes = records[0].attributes.clone().unwrap();
    assert_eq!(attributes["email_verified"], true);
    assert_eq!(attributes["address"]["locality"], "Roma");
    assert_eq!(attributes["given_name"], "Anna");
    assert_eq!((records[1].enabled, &records[1].attributes), (None, &None));
    assert!(csv("name,password\nx,y\n").unwrap_err()[0].contains("no column username"));
    assert!(csv("username,username\nx,y\n").unwrap_err()[0].contains("a column twice"));
    let ragged = csv("username,email\nx\ny,y@example.it\nz,nowhere\n").unwrap_err();
    assert!(ragged[0].starts_with("line 2:"), "{ragged:?}");
    assert!(
        ragged[1].starts_with("line 4: email: expected"),
        "{ragged:?}"
    );
}

#[test]
fn the_format_is_guessed_from_the_first_character() {
    assert_eq!(
        Format::guess("\u{feff}\n {\"username\"".as_bytes()),
        Format::JsonLines
    );
    assert_eq!(Format::guess(b"username,email"), Format::Csv);
}

#[test]
fn the_forms_of_the_table_are_checked() {
    let good = [
        ("spid_code", "ABCD1234567890"),
        ("given_name", "Anna Maria"),
        ("company_name", "Esempio S.p.A."),
        ("fiscal_number", "TINIT-RSSNNA80A41H501Z"),
        ("vat_number", "VATIT-01234567890"),
        ("phone_number", "3331234567"),
        ("e_delivery_service", "a@pec.example.it"),
        ("eid_exp_date", "2030-12-31"),
    ];
    let bad = [
        ("spid_code", "AB1D1234567890"),
        ("given_name", "Anna  Maria"),
        ("fiscal_number", "RSSNNA80A41H501Z"),
        ("vat_number", "VATIT-0123456789"),
        ("phone_number", "333 123"),
        ("e_delivery_service", "nobody"),
        ("eid_exp_date", "31/12/2030"),
        ("address", "via Roma 1"),
    ];
    let line = |(claim, value): (&str, &str)| {
        jsonl(&format!(
            "{{\"username\": \"x\", \"attributes\": {{\"{claim}\": \"{value}\"}}}}"
        ))
    };
    for case in good {
        assert!(line(case).is_ok(), "{case:?}");
    }
    for case in bad {
        assert!(line(case).is_err(), "{case:?}");
    }
}

#[test]
fn an_update_keeps_what_the_file_does_not_say() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&DatabaseSettings {
        url: format!("sqlite://{}", folder.path().join("x.db").display()),
        pool_size: 2,
        sqlite_synchronous: SqliteSynchronous::Normal,
        migrate: true,
    })
    .unwrap();
    let first = r#"{"username": "anna", "password": "x", "attributes": {"email": "a@b.it"}}"#;
    let summary = import::apply(&store, jsonl(first).unwrap(), None, UtcTime(1), |_, _| {
        Ok(())
    })
    .unwrap();
    assert_eq!((summary.added, summary.updated), (1, 0));
    let second = r#"{"username": "anna", "enabled": false}"#;
    let summary = import::apply(&store, jsonl(second).unwrap(), None, UtcTime(2), |_, _| {
        Ok(())
    })
    .unwrap();
    assert_eq!((summary.added, summary.updated), (0, 1));
    let anna = store
        .read_blocking(|conn| account::find_by_username(conn, "anna"))
        .unwrap()
        .unwrap();
    assert!(!anna.enabled);
    assert_eq!(anna.attributes["email"], "a@b.it");
    assert!(verify_password(anna.password_hash.as_deref(), "x").unwrap());
    assert_eq!((anna.created_at, anna.updated_at), (UtcTime(1), UtcTime(2)));
}

#[test]
fn a_password_is_that_of_its_hash_only() {
    let hash = hash_password("correct horse").unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_ne!(hash, hash_password("correct horse").unwrap());
    assert!(verify_password(Some(&hash), "correct horse").unwrap());
    assert!(!verify_password(Some(&hash), "correct horsf").unwrap());
    assert!(!verify_password(Some(&hash), "").unwrap());
    assert!(!verify_password(None, "correct horse").unwrap());
    assert!(!verify_password(Some(&hash), &"x".repeat(5000)).unwrap());
    assert_eq!(hash_password(""), Err(PasswordError::Length));
}

#[test]
fn hashes_of_other_programs_are_accepted_within_bounds() {
    // The reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
    let reference =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert!(verify_password(Some(reference), "password").unwrap());
    for hash in [
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=1000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=2,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$",
        "$argon2id$v=19$m=65536,t=2,p=1",
        "",
    ] {
        assert_eq!(
            check_hash(hash),
            Err(PasswordError::MalformedHash),
            "{hash}"
        );
        assert!(verify_password(Some(hash), "password").is_err());
    }
}

#[tokio::test]
async fn a_full_queue_says_so_at_once() {
    let hasher = PasswordHasher::new(1, 1);
    let secret = || Secret::new("x".to_owned());
    let (first, second, third) = tokio::join!(
        hasher.hash(secret()),
        hasher.verify(None, secret()),
        hasher.verify(None, secret())
    );
    assert!(first.is_ok());
    assert_eq!(second, Ok(false));
    assert_eq!(third, Err(PasswordError::Busy));
    let again = hasher.verify(first.ok(), secret()).await;
    assert_eq!(again, Ok(true));
}
