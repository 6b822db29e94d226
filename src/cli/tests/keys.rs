//! `varco keys`, and what the trail has of it.

use super::*;

fn told(shell: &Shell) -> Vec<Value> {
    let subject = format!("keys {SPID}");
    let trail = shell
        .run(&["operator", "trail", "--subject", &subject, "--json"])
        .done()
        .json();
    trail["entries"].as_array().unwrap().clone()
}

fn kids(shell: &Shell, state: &str) -> Vec<String> {
    let list = shell
        .run(&[
            "keys", "list", "--issuer", SPID, "--ring", "protocol", "--json",
        ])
        .done()
        .json();
    let keys = list["keys"].as_array().unwrap().clone();
    keys.iter()
        .filter(|key| key["state"] == state)
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_is_done_to_keys_stands_in_the_trail_without_the_keys() {
    let shell = Shell::new();
    shell.run(&["keys", "init"]).done();
    let keys = |words: &[&str]| {
        let all = [&["keys"], words, &["--issuer", SPID, "--json"]].concat();
        shell.run(&all)
    };
    let made = keys(&["generate", "--kind", "P-256"]).done().json();
    let old = kids(&shell, "current")[0].clone();
    let swapped = keys(&["rotate", "--now", "--reason", "stolen"])
        .done()
        .json();
    keys(&["retire", "--kid", &old, "--now", "--reason", "  stolen  "]).done();
    let due = "2027-03-01T03:00:00Z";
    let planned = keys(&["rotate", "--at", due, "--reason", "yearly"])
        .done()
        .json();

    let told = told(&shell);
    let actions: Vec<&str> = told
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    let expected = ["keys.rotate", "keys.retire", "keys.rotate", "keys.generate"];
    assert_eq!(actions, expected);
    let after = |number: usize| &told[number]["after"];
    assert_eq!(after(0)["keys"], without_issuer(&planned));
    assert_eq!(after(0)["reason"], "yearly");
    assert_eq!(after(0)["emergency"], false);
    assert_eq!(after(1)["keys"][0]["kid"], old.as_str());
    assert_eq!(after(1)["reason"], "stolen");
    assert_eq!(after(2)["keys"], without_issuer(&swapped));
    assert_eq!(after(2)["emergency"], true);
    assert_eq!(after(3)["keys"], without_issuer(&made));
    assert!(told.iter().all(|entry| entry["via"] == "command line"));
    let all = serde_json::to_string(&told).unwrap();
    assert!(!all.contains("PRIVATE") && !all.contains("\"d\""), "{all}");
}

/// The trail's subject is the issuer.
fn without_issuer(told: &Value) -> Value {
    let mut keys = told["keys"].clone();
    for key in keys.as_array_mut().unwrap() {
        let key = key.as_object_mut().unwrap();
        key.remove("issuer");
        key.remove("planned_before");
    }
    keys
}

#[test]
fn an_emergency_needs_a_reason_as_at_the_desk() {
    let shell = Shell::new();
    shell.run(&["keys", "init"]).done();
    let before = kids(&shell, "current");
    let rotate = |more: &[&str]| {
        let words = [&["keys", "rotate", "--issuer", SPID], more].concat();
        shell.run(&words)
    };
    for reason in [&[][..], &["--reason", ""], &["--reason", "   "]] {
        let words = [&["--now"], reason].concat();
        rotate(&words).refused(1, "say why (--reason)");
        let kid = before[0].as_str();
        let retire = ["keys", "retire", "--issuer", SPID, "--kid", kid];
        shell
            .run(&[&retire[..], &words].concat())
            .refused(1, "say why (--reason)");
    }
    let long = "x".repeat(501);
    rotate(&["--now", "--reason", &long]).refused(1, "500 characters");
    rotate(&["--reason", &long]).refused(1, "500 characters");
    assert_eq!(kids(&shell, "current"), before);
    assert!(told(&shell).is_empty());

    rotate(&["--now", "--reason", "a key was copied"]).done();
    let told = told(&shell);
    assert_eq!(told[0]["after"]["emergency"], true);
    assert_eq!(told[0]["after"]["reason"], "a key was copied");
    assert_ne!(kids(&shell, "current"), before);
}

#[test]
fn the_name_of_a_key_may_begin_with_a_hyphen() {
    // Names are drawn (RFC 7638): one in sixty-four does.
    let shell = Shell::new();
    shell.run(&["keys", "init"]).done();
    let retire = [
        "keys", "retire", "--issuer", SPID, "--kid", "-nobody", "--now",
    ];
    let all = [&retire[..], &["--reason", "stolen"]].concat();
    shell.run(&all).refused(1, "-nobody");
}
