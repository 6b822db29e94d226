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
        .refused(1, "1 to 1024 bytes");
    shell
        .run_with_input(&["user", "password", "anna", "--password-stdin"], "another")
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
