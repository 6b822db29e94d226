//! `varco operator`.

use super::*;

const PASSWORD: &str = "correct horse battery\n";

#[test]
fn the_first_administrator_is_added_by_a_command_and_the_trail_tells_it() {
    let shell = Shell::new();
    let empty = shell.run(&["operator", "list"]).done();
    assert!(empty.out.contains("varco operator add"), "{}", empty.out);
    let add = |name: &str, role: &str, password: &str| {
        shell.run_with_input(
            &["operator", "add", name, "--role", role, "--password-stdin"],
            password,
        )
    };
    add("vera", "administrator", "short\n").refused(2, "12 characters");
    add("a b", "viewer", PASSWORD).refused(2, "letters, digits");
    add("vera", "administrator", PASSWORD).done();
    add("vera", "viewer", PASSWORD).refused(1, "already");
    let listed = shell.run(&["operator", "list", "--json"]).done().json();
    assert_eq!(listed["operators"][0]["name"], "vera");
    assert_eq!(listed["operators"][0]["role"], "administrator");
    assert_eq!(listed["operators"][0]["second_factor"], false);
    let trail = shell.run(&["operator", "trail", "--json"]).done().json();
    assert_eq!(trail["entries"].as_array().unwrap().len(), 1);
    let entry = &trail["entries"][0];
    assert_eq!(entry["action"], "operator.add");
    assert_eq!(entry["subject"], "operator vera");
    assert_eq!(entry["via"], "command line");
    assert_eq!(entry["after"]["role"], "administrator");
    assert!(!trail.to_string().contains("argon2"));
}

#[test]
fn commands_change_operators_by_the_same_rules_as_the_desk() {
    let shell = Shell::new();
    for (name, role) in [("vera", "administrator"), ("carlo", "viewer")] {
        shell
            .run_with_input(
                &["operator", "add", name, "--role", role, "--password-stdin"],
                PASSWORD,
            )
            .done();
    }
    shell
        .run(&["operator", "disable", "vera"])
        .refused(1, "last administrator");
    shell
        .run(&["operator", "role", "vera", "viewer"])
        .refused(1, "last administrator");
    shell
        .run(&["operator", "disable", "nobody"])
        .refused(1, "no operator");
    shell
        .run(&["operator", "role", "carlo", "administrator"])
        .done();
    shell.run(&["operator", "disable", "vera"]).done();
    shell.run(&["operator", "enable", "vera"]).done();
    for verb in ["reset-factor", "end-sessions"] {
        shell.run(&["operator", verb, "carlo"]).done();
    }
    shell
        .run_with_input(
            &["operator", "password", "carlo", "--password-stdin"],
            PASSWORD,
        )
        .done();
    let told = shell
        .run(&["operator", "trail", "--subject", "operator carlo", "--json"])
        .done()
        .json();
    let actions: Vec<&str> = told["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        [
            "operator.password",
            "operator.end_sessions",
            "operator.reset_factor",
            "operator.role",
            "operator.add"
        ]
    );
    // By time, as the desk's form has it: the shell's clock stands at 2027-01-15T08:00:00Z.
    let within = |option: &str, time: &str| {
        let told = shell
            .run(&["operator", "trail", option, time, "--json"])
            .done()
            .json();
        told["entries"].as_array().unwrap().len()
    };
    let all = within("--since", "2027-01-15T08:00:00Z");
    assert!(all > 5);
    assert_eq!(within("--since", "2027-01-15T08:00:01Z"), 0);
    assert_eq!(within("--until", "2027-01-15T08:00:00Z"), 0);
    assert_eq!(within("--until", "2027-01-15T08:00:01Z"), all);
    let role = &told["entries"][3];
    assert_eq!(role["before"]["role"], "viewer");
    assert_eq!(role["after"]["role"], "administrator");
}

#[test]
fn the_trail_says_whose_process_it_was_and_that_secrets_were_read_out() {
    let shell = Shell::new();
    shell.run(&["keys", "init"]).done();
    shell.run(&["user", "add", "anna", "--no-password"]).done();
    shell.run(&["user", "otp", "anna", "--set"]).done();
    let newest = || {
        let trail = shell.run(&["operator", "trail", "--json"]).done().json();
        trail["entries"][0].clone()
    };
    shell.run(&["user", "export"]).done();
    let entry = newest();
    assert_eq!(entry["action"], "user.export");
    assert_eq!(
        entry["after"],
        serde_json::json!({ "users": 1, "with_secrets": false })
    );
    assert_eq!(entry["actor"], "anna, sudo by olga");
    shell.run(&["user", "export", "--with-hashes"]).done();
    assert_eq!(newest()["after"]["with_secrets"], true);
    let uri = shell.run(&["user", "otp", "anna", "--show-uri"]).done().out;
    let entry = newest();
    assert_eq!(entry["action"], "user.show_factor");
    assert!(uri.contains("secret=") && !entry.to_string().contains("secret="));
    shell
        .run(&["keys", "list", "--issuer", SPID, "--export-private"])
        .done();
    let entry = newest();
    assert_eq!(entry["action"], "keys.export");
    assert_eq!(entry["subject"], format!("keys {SPID}"));
    // What was refused was not read out.
    shell.run(&["user", "otp", "anna", "--remove"]).done();
    let before = newest()["number"].clone();
    shell
        .run(&["user", "otp", "anna", "--show-uri"])
        .refused(1, "register themselves are never shown");
    assert_eq!(newest()["number"], before);
}
