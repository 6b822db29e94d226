//! `varco user`.

use super::*;

#[test]
fn a_person_is_added_disabled_and_given_a_password() {
    let shell = Shell::new();
    let add = [
        "user",
        "add",
        "anna",
        "--password-stdin",
        "--attribute",
        "fiscalNumber=TINIT-RSSNNA80A41H501Z",
        "--attribute",
        "mailbox=anna@example.it",
    ];
    shell.run_with_input(&add, "a secret\n").done();
    shell
        .run_with_input(&add, "a secret\n")
        .refused(1, "already");
    shell.run(&["user", "add", "bruno"]).done();
    shell.run(&["user", "disable", "anna"]).done();
    shell.run(&["user", "enable", "anna"]).done();
    shell
        .run_with_input(&["user", "password", "anna", "--password-stdin"], "")
        .refused(1, "at least 8 characters");
    shell
        .run_with_input(&["user", "password", "anna", "--password-stdin"], "seven77")
        .refused(1, "at least 8 characters");
    shell
        .run_with_input(&["user", "add", "dora", "--password-stdin"], "x")
        .refused(1, "at least 8 characters");
    shell
        .run_with_input(
            &["user", "password", "anna", "--password-stdin"],
            "another one",
        )
        .done();
    shell
        .run(&["user", "disable", "carla"])
        .refused(1, "no user carla");
    shell
        .run(&[
            "user",
            "add",
            "carla",
            "--no-password",
            "--attribute",
            "shoes=43",
        ])
        .refused(2, "unknown claim shoes");
    let export = shell.run(&["user", "export"]).done().out;
    assert!(export.contains("https://attributes.eid.gov.it/fiscal_number"));
    assert!(export.contains("mailbox") && !export.contains("argon2id"));
}

#[test]
fn an_export_is_another_installations_import() {
    let shell = Shell::new();
    let file = shell.write(
        "users.jsonl",
        "{\"username\": \"anna\", \"password\": \"x\", \"totp_secret\": \"gezd gnbv gy3t qojq\", \"attributes\": {\"given_name\": \"Anna\"}}\n",
    );
    // Secrets are sealed on the way in.
    shell
        .run(&["user", "import", &file])
        .refused(1, "varco keys init");
    shell.run(&["keys", "init"]).done();
    let check = shell
        .run(&["user", "import", &file, "--check", "--json"])
        .done();
    assert_eq!(check.json()["valid"], 1);
    let done = shell
        .run(&["user", "import", &file, "--json"])
        .done()
        .json();
    assert_eq!((&done["added"], &done["updated"]), (&1.into(), &0.into()));
    for format in ["jsonl", "csv"] {
        let export = shell
            .run(&["user", "export", "--with-hashes", "--format", format])
            .done();
        let other = Shell::new();
        other.run(&["keys", "init"]).done();
        let words = ["user", "import", "-", "--format", format];
        other.run_with_input(&words, &export.out).done();
        let again = other
            .run(&["user", "export", "--with-hashes", "--format", format])
            .done();
        assert_eq!(again.out, export.out);
        assert!(again.out.contains("$argon2id$"));
        assert!(again.out.contains("GEZDGNBVGY3TQOJQ"));
    }
    let without = shell.run(&["user", "export"]).done();
    assert!(!without.out.contains("totp_secret"));
}

#[test]
fn an_operator_gives_shows_and_removes_second_factors() {
    let shell = Shell::new();
    shell.run(&["keys", "init"]).done();
    let add = ["user", "add", "anna", "--no-password"];
    shell.run(&add).done();
    let otp = |options: &[&str]| shell.run(&[&["user", "otp", "anna"], options].concat());
    assert!(otp(&[]).done().out.contains("no second factor"));
    otp(&["--show-uri"]).refused(1, "--set makes one");
    let set = otp(&["--set", "--json"]).done().json();
    let uri = set["uri"].as_str().unwrap();
    let secret = set["secret"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/") && uri.contains(secret));
    assert_eq!(otp(&["--show-uri"]).done().out.trim(), uri);
    let listed = otp(&["--json"]).done().json();
    assert_eq!(listed["second_factors"][0]["method"], "totp");
    assert!(!listed.to_string().contains(secret));
    let words = ["user", "otp", "anna", "--set", "--secret-stdin", "--json"];
    let given = shell.run_with_input(&words, "gezd gnbv gy3t qojq\n").done();
    assert_eq!(given.json()["secret"], "GEZDGNBVGY3TQOJQ");
    shell
        .run_with_input(&words, "geheim\n")
        .refused(1, "Base32");
    otp(&["--unlock"]).done();
    assert_eq!(otp(&["--remove", "--json"]).done().json()["removed"], 1);
    assert!(otp(&[]).done().out.contains("no second factor"));
    otp(&["--set", "--remove"]).refused(2, "cannot be used with");
    otp(&["--secret-stdin"]).refused(2, "--set");
    let unknown = shell.run(&["user", "otp", "nobody"]);
    unknown.refused(1, "no user nobody");
}

#[test]
fn a_file_with_one_bad_line_changes_nothing() {
    let shell = Shell::new();
    let file = shell.write(
        "users.jsonl",
        "{\"username\": \"anna\"}\n{\"username\": \"bruno\", \"attributes\": {\"gender\": \"x\"}}\n",
    );
    shell
        .run(&["user", "import", &file])
        .refused(1, "line 2: gender: expected female or male");
    let json = shell.run(&["user", "import", &file, "--json"]);
    assert_eq!(json.status, 1);
    assert_eq!(json.json()["problems"][0]["line"], 2);
    assert_eq!(shell.run(&["user", "export"]).done().out, "");
}

#[test]
fn two_different_passwords_are_refused() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static SECOND: AtomicBool = AtomicBool::new(false);
    let clock = ManualClock::starting_at(UtcTime(0));
    let mut console = Console {
        out: &mut Vec::new(),
        err: &mut Vec::new(),
        input: &mut std::io::empty(),
        ask_secret: |_| Ok(SECOND.fetch_not(Ordering::SeqCst).to_string()),
        environment: Environment::default(),
        clock: &clock,
    };
    let refusal = read_password(false, &mut console).unwrap_err();
    assert!(matches!(refusal, Failure::Failed(text) if text.contains("differ")));
}

/// The letters to somebody so far, the oldest first: which, to whom, and in whose name.
fn letters(shell: &Shell, username: &str) -> Vec<(String, String, String)> {
    let file = shell.folder.path().join("varco.toml");
    let settings = config::load(&file, &Environment::default()).unwrap();
    let key = crate::keys::load_key(&settings).unwrap();
    let store = Store::open(&settings.database(true)).unwrap();
    let found = store
        .read_blocking(|conn| -> Result<_, crate::store::StoreError> {
            let person = crate::store::account::find_by_username(conn, username)?.unwrap();
            crate::store::mail_message::search_of(conn, &person.id, None, 50)
        })
        .unwrap();
    let mut all: Vec<_> = found
        .iter()
        .map(|mail| {
            let text = crate::mail::open(&key, mail).unwrap();
            (mail.kind.clone(), text.to, text.body)
        })
        .collect();
    all.reverse();
    all
}

#[test]
fn people_are_told_once_what_a_command_changes_about_their_factors_and_of_nothing_else() {
    let shell = Shell::new();
    let mail = "[mail]\nfrom = \"Example <no-reply@login.example.it>\"\nsmtp_url = \"smtps://mail.example.it\"\n";
    shell.write("varco.toml", &format!("{mail}{CONFIGURATION}"));
    shell.run(&["keys", "init"]).done();
    for (name, address) in [
        ("anna", "mailbox=anna@example.it"),
        ("bruno", "given_name=Bruno"),
    ] {
        let add = [
            "user",
            "add",
            name,
            "--password-stdin",
            "--attribute",
            address,
        ];
        shell.run_with_input(&add, "a secret").done();
    }
    for name in ["anna", "bruno"] {
        for (command, input) in [
            (
                &["user", "password", name, "--password-stdin"][..],
                "another one",
            ),
            (&["user", "otp", name, "--set"], ""),
            (&["user", "otp", name, "--show-uri"], ""),
            (&["user", "otp", name, "--unlock"], ""),
            (&["user", "disable", name], ""),
            (&["user", "enable", name], ""),
            (&["user", "otp", name, "--remove"], ""),
            (&["user", "password", name, "--none"], ""),
        ] {
            shell.clock.advance_seconds(1);
            shell.run_with_input(command, input).done();
        }
    }
    let told = letters(&shell, "anna");
    let kinds: Vec<&str> = told.iter().map(|letter| letter.0.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "password_changed",
            "factor_added",
            "factors_reset",
            "password_changed"
        ]
    );
    for (_, to, body) in &told {
        assert_eq!(to, "anna@example.it");
        assert!(
            body.contains("https://login.example.it/spid/account"),
            "{body}"
        );
        assert!(!body.contains("another one"), "{body}");
    }
    assert!(letters(&shell, "bruno").is_empty(), "no address");
    // What is refused tells nobody.
    shell
        .run_with_input(&["user", "password", "anna", "--password-stdin"], "")
        .refused(1, "at least 8 characters");
    assert_eq!(letters(&shell, "anna").len(), 4);
}

#[test]
fn an_address_that_a_command_changes_is_told_at_the_old_one_and_has_to_be_verified_again() {
    let shell = Shell::new();
    let mail = "[mail]\nfrom = \"Example <no-reply@login.example.it>\"\nsmtp_url = \"smtps://mail.example.it\"\n";
    shell.write("varco.toml", &format!("{mail}{CONFIGURATION}"));
    let attributes = ["--attribute", "mailbox=anna@example.it"];
    let verified = ["--attribute", "email_verified=true"];
    let add = [
        &["user", "add", "anna", "--no-password"][..],
        &attributes,
        &["--attribute", "email=anna@example.it"],
        &verified,
    ];
    shell.run(&add.concat()).done();
    let edit = |pairs: &[&str]| {
        shell.clock.advance_seconds(1);
        let flags = pairs.iter().flat_map(|pair| ["--attribute", pair]);
        let all: Vec<&str> = ["--json", "user", "edit", "anna"]
            .into_iter()
            .chain(flags)
            .collect();
        shell.run(&all)
    };
    // A letter has to be written, which is sealed.
    edit(&["mailbox=new@example.it", "email=new@example.it"]).refused(1, "varco keys init");
    shell.run(&["keys", "init"]).done();
    let done = edit(&["mailbox=new@example.it", "email=new@example.it"]).done();
    assert_eq!(done.json()["unverified"], true);
    let told = letters(&shell, "anna");
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].0.as_str(), told[0].1.as_str()),
        ("email_changed", "anna@example.it")
    );
    assert!(!told[0].2.contains("new@example.it"), "{}", told[0].2);
    edit(&["email_verified=true"]).done();
    // Who says both at once has looked.
    let both = [
        "mailbox=b@example.it",
        "email=b@example.it",
        "email_verified=true",
    ];
    assert_eq!(edit(&both).done().json()["unverified"], false);
    assert_eq!(letters(&shell, "anna").len(), 2);
    // A file tells as well, once.
    let file = shell.write(
        "users.jsonl",
        "{\"username\": \"anna\", \"attributes\": {\"mailbox\": \"c@example.it\"}}\n",
    );
    // Letters of one second have no order.
    shell.clock.advance_seconds(1);
    for _ in 0..2 {
        shell.run(&["user", "import", &file]).done();
    }
    let told = letters(&shell, "anna");
    assert_eq!(told.len(), 3);
    assert_eq!(told[2].1, "b@example.it");
}

/// Keys cannot be moved: an export tells of them, and an import does not mind.
#[test]
fn an_export_tells_of_second_factors_and_holds_none_of_their_secrets() {
    let shell = Shell::new();
    shell.run(&["keys", "init"]).done();
    shell.run(&["user", "add", "anna", "--no-password"]).done();
    let given = shell
        .run(&["--json", "user", "otp", "anna", "--set"])
        .done()
        .json();
    let export = shell.run(&["user", "export"]).done().out;
    let line: Value = serde_json::from_str(export.lines().next().unwrap()).unwrap();
    assert_eq!(line["second_factors"][0]["method"], "totp");
    assert_eq!(
        line["second_factors"][0]["created_at"],
        "2027-01-15T08:00:00Z"
    );
    assert!(line["second_factors"][0]["last_used_at"].is_null());
    assert!(!export.contains(given["secret"].as_str().unwrap()));
    let file = shell.write("again.jsonl", &export.replace("anna", "berta"));
    shell.run(&["user", "import", &file]).done();
}
