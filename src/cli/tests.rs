mod client_edits;
mod clients;
mod keys;
mod operators;
mod people;
mod seed;

use super::*;
use crate::clock::{ManualClock, UtcTime};
use crate::jose::{KeyKind, KeyUse, PrivateKey};
use serde_json::Value;

const CONFIGURATION: &str = r#"
[[issuer]]
id = "https://login.example.it/spid"
profile = "spid"
federation_signing_alg = "ES256"
pairwise_salt = "zLhUyYd0uPfjGWBaT7m3QeKx"
attributes = { email = ["mailbox"], given_name = "given_name" }
[[issuer]]
id = "https://login.example.it/oidc"
profile = "oidc"
pairwise_salt = "zLhUyYd0uPfjGWBaT7m3QeKx"
"#;
const SPID: &str = "https://login.example.it/spid";
const OIDC: &str = "https://login.example.it/oidc";
const CALLBACK: &str = "https://shop.example.it/callback";

struct Shell {
    folder: tempfile::TempDir,
    clock: ManualClock,
}

struct Outcome {
    status: u8,
    out: String,
    err: String,
}

impl Outcome {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }

    fn done(self) -> Self {
        assert_eq!(self.status, 0, "{}{}", self.out, self.err);
        self
    }

    fn refused(self, status: u8, says: &str) -> Self {
        assert_eq!(self.status, status, "{}{}", self.out, self.err);
        assert!(self.err.contains(says), "{says:?} is not in {}", self.err);
        self
    }
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("varco.toml"), CONFIGURATION).unwrap();
        Self {
            folder,
            clock: ManualClock::starting_at(UtcTime(1_800_000_000)),
        }
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with_input(arguments, "")
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Outcome {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let config = self.folder.path().join("varco.toml");
        let mut words: Vec<OsString> = vec!["varco".into()];
        words.extend(arguments.iter().map(OsString::from));
        words.extend(["--config".into(), config.into()]);
        let hooks = Hooks {
            serve: |options| Err(format!("serve {}", options.migrate)),
            demo: |options| Err(format!("demo {}", options.listen)),
            demo_ta: |data, command| {
                Ok(Told {
                    text: format!("{} {command:?}", data.display()),
                    document: serde_json::json!({ "data": data }),
                })
            },
        };
        let mut console = Console {
            out: &mut out,
            err: &mut err,
            input: &mut input.as_bytes(),
            ask_secret: |_| Ok("typed at the terminal".to_owned()),
            environment: Environment::from([("SUDO_USER", "olga"), ("USER", "root")]).run_by(
                config::MachineAccount {
                    uid: Some(1000),
                    name: Some("anna".to_owned()),
                },
            ),
            clock: &self.clock,
        };
        let status = run_with(words, hooks, &mut console);
        Outcome {
            status,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
    }

    /// Registers an RP that comes back to [`CALLBACK`].
    fn register(&self, more: &[&str]) -> Outcome {
        let words = [
            "rp",
            "register",
            "--name",
            "Shop",
            "--redirect-uri",
            CALLBACK,
        ];
        self.run(&[&words, more, &["--json"]].concat())
    }

    /// With the RP `shop`.
    fn with_shop(more: &[&str]) -> Self {
        let shell = Self::new();
        let words = ["--issuer", OIDC, "--client-id", "shop"];
        shell.register(&[&words, more].concat()).done();
        shell
    }

    /// A command about it.
    fn shop(&self, command: &str, more: &[&str]) -> Outcome {
        let words = ["rp", command, "--issuer", OIDC, "shop", "--json"];
        self.run(&[&words, more].concat())
    }

    /// A file with a key's public half, and what is in it.
    fn keys_file(&self, key: &PrivateKey) -> (String, Value) {
        let jwk = key.public_jwk(KeyUse::Signature, None);
        let keys = serde_json::json!({ "keys": [jwk] });
        (self.write("keys.json", &keys.to_string()), keys)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }
}

#[test]
fn every_command_has_help_and_a_wrong_one_has_status_two() {
    let shell = Shell::new();
    for command in [
        "serve", "demo", "migrate", "config", "keys", "user", "rp", "operator", "session", "mail",
        "purge",
    ] {
        let outcome = shell.run(&[command, "--help"]).done();
        assert!(outcome.out.contains("Usage"), "{command}");
    }
    // What no open issue names does not exist.
    for command in ["audit", "doctor"] {
        shell.run(&[command]).refused(2, "unrecognized subcommand");
    }
}

#[test]
fn orders_to_the_demonstration_name_an_entity_of_this_machine() {
    let shell = Shell::new();
    let add = [
        "demo",
        "ta",
        "add",
        "http://localhost:9000/rp",
        "--below",
        "sa",
    ];
    let said = shell.run(&[&add[..], &["--private"]].concat()).done().out;
    let order = "Add { entity_id: \"http://localhost:9000/rp\", below: Sa, private: true }";
    assert_eq!(said.trim(), format!("demo-data {order}"));
    // The folder may be named at either place, and the address of the entity configuration does as well.
    let url = "https://[::1]:9000/.well-known/openid-federation";
    let order = "Remove { entity_id: \"https://[::1]:9000/\" }";
    for arguments in [
        ["demo", "--data", "x", "ta", "remove", url],
        ["demo", "ta", "remove", url, "--data", "x"],
    ] {
        assert_eq!(
            shell.run(&arguments).done().out.trim(),
            format!("x {order}")
        );
    }
    let json = shell.run(&["--json", "demo", "ta", "list"]).done().json();
    assert_eq!(json["data"], "demo-data");
    for url in [
        "https://rp.example.it/",
        "http://192.168.0.1/",
        "http://127.0.0.1:9000/?x",
        "127.0.0.1:9000",
    ] {
        shell
            .run(&["demo", "ta", "add", url])
            .refused(2, "expected a URL of this machine");
    }
    shell.run(&["demo", "ta"]).refused(2, "Usage");
}

#[test]
fn serve_and_demo_are_the_hooks() {
    let shell = Shell::new();
    shell.run(&["serve"]).refused(1, "serve true");
    shell
        .run(&["serve", "--no-migrate"])
        .refused(1, "serve false");
    shell.run(&["demo"]).refused(1, "demo 127.0.0.1:8000");
    let arguments = ["demo", "--listen", "127.0.0.1:9", "--data", "x"];
    shell.run(&arguments).refused(1, "demo 127.0.0.1:9");
    shell
        .run(&["demo", "--listen", "127.0.0.1:9"])
        .refused(1, "demo 127.0.0.1:9");
}

#[test]
fn config_check_reports_problems_and_example_prints_every_key() {
    let shell = Shell::new();
    let good = shell.run(&["config", "check", "--json"]).done().json();
    assert_eq!(good["valid"], true);
    let example = shell.run(&["config", "example"]).done().out;
    assert_eq!(example, crate::config::example());
    shell.write("varco.toml", "lisen = 1");
    shell
        .run(&["config", "check"])
        .refused(1, "did you mean `listen`?");
    let bad = shell.run(&["config", "check", "--json"]);
    assert_eq!(bad.status, 1);
    assert_eq!(bad.json()["problems"][0]["key"], "lisen");
}

#[test]
fn migrations_go_up_down_and_up_again() {
    let shell = Shell::new();
    let applied = shell.run(&["migrate", "up", "--json"]).done().json();
    assert!(!applied["applied"].as_array().unwrap().is_empty());
    let status = shell.run(&["migrate", "status", "--json"]).done().json();
    assert_eq!(status["migrations"][0]["applied"], true);
    shell.run(&["migrate", "down"]).done();
    shell.run(&["migrate", "up"]).done();
    assert_eq!(shell.run(&["purge", "--json"]).done().json()["removed"], 0);
}

#[test]
fn keys_are_made_listed_rotated_and_retired() {
    let shell = Shell::new();
    let made = shell.run(&["keys", "init", "--json"]).done().json();
    assert!(made["keys"].as_array().unwrap().len() > 4);
    assert!(shell.folder.path().join("varco.key").exists());
    let text = shell.run(&["keys", "list"]).done().out;
    assert!(text.contains("current") && !text.contains("PRIVATE KEY"));
    let jwks = shell
        .run(&[
            "keys",
            "list",
            "--issuer",
            SPID,
            "--ring",
            "federation",
            "--jwks",
        ])
        .done()
        .json();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
    assert!(jwks["keys"][0].get("d").is_none());
    let export = shell
        .run(&["keys", "list", "--issuer", SPID, "--export-private"])
        .done();
    assert!(export.out.contains("BEGIN PRIVATE KEY"));
    shell
        .run(&["keys", "generate", "--issuer", SPID, "--kind", "P-384"])
        .done();
    shell
        .run(&["keys", "rotate", "--issuer", SPID, "--ring", "federation"])
        .done();
    let next = shell
        .run(&["keys", "list", "--issuer", SPID, "--json"])
        .done()
        .json();
    let states: Vec<&str> = next["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|key| key["state"].as_str())
        .collect();
    assert!(states.contains(&"next") && states.contains(&"current"));
    let federation_kid = jwks["keys"][0]["kid"].as_str().unwrap();
    shell
        .run(&["keys", "retire", "--issuer", SPID, "--kid", federation_kid])
        .refused(1, "keys rotate");
    shell
        .run(&["keys", "list", "--issuer", "https://other.example.it"])
        .refused(2, SPID);
}

#[test]
fn a_data_set_is_seeded_the_same_every_time_and_again_beside_it() {
    let shell = Shell::new();
    let seed = |number: &str| {
        let data = shell.folder.path().join("none");
        shell
            .run(&[
                "demo",
                "seed",
                "--data",
                data.to_str().unwrap(),
                "--users",
                "20",
                "--rps",
                "5",
                "--logins",
                "300",
                "--seed",
                number,
            ])
            .done()
    };
    let told = seed("1");
    assert!(told.out.contains("20 people"), "{}", told.out);
    assert!(told.err.contains("logins: 300 of 300"), "{}", told.err);
    let first = shell.run(&["user", "export"]).done().out;
    assert_eq!(
        first.lines().filter(|line| line.contains("TINIT-")).count(),
        20
    );
    seed("2");
    let both = shell.run(&["user", "export"]).done().out;
    assert_eq!(
        both.lines().filter(|line| line.contains("TINIT-")).count(),
        40
    );
}
