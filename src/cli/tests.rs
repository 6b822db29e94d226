use super::*;
use crate::clock::{ManualClock, UtcTime};
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
            environment: Environment::default(),
            clock: &self.clock,
        };
        let status = run_with(words, hooks, &mut console);
        Outcome {
            status,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
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
        "serve", "demo", "migrate", "config", "keys", "user", "rp", "purge",
    ] {
        let outcome = shell.run(&[command, "--help"]).done();
        assert!(outcome.out.contains("Usage"), "{command}");
    }
    // What no open issue names does not exist.
    for command in ["operator", "audit", "doctor"] {
        shell.run(&[command]).refused(2, "unrecognized subcommand");
    }
    let importing = shell.run(&["rp", "import"]);
    importing.refused(2, "unrecognized subcommand");
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
fn a_client_is_registered_and_its_secret_shown_once() {
    let shell = Shell::new();
    let register = |more: &[&str]| {
        let mut words = vec!["rp", "register", "--json", "--name", "Shop"];
        words.extend(more);
        shell.run(&words)
    };
    let uri = "https://shop.example.it/callback";
    let plain = [
        "--issuer",
        OIDC,
        "--client-id",
        "shop",
        "--redirect-uri",
        uri,
    ];
    let made = register(&plain).done().json();
    let secret = made["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 43);
    register(&plain).refused(1, "--replace");
    let shown = shell
        .run(&["rp", "show", "--issuer", OIDC, "shop", "--json"])
        .done();
    assert!(!shown.out.contains(&secret) && !shown.out.contains("sha256"));
    assert_eq!(shown.json()["metadata"]["redirect_uris"][0], uri);
    shell
        .run(&["rp", "disable", "--issuer", OIDC, "shop"])
        .done();
    let list = shell
        .run(&["rp", "list", "--issuer", OIDC, "--json"])
        .done();
    assert_eq!(list.json()["relying_parties"][0]["enabled"], false);
    shell
        .run(&["rp", "enable", "--issuer", OIDC, "shop"])
        .done();
    shell
        .run(&["rp", "enable", "--issuer", OIDC, "nobody"])
        .refused(1, "rp list");
    register(&["--issuer", SPID, "--redirect-uri", uri]).refused(2, "through the federation");
}

#[test]
fn a_redirect_uri_is_https_loopback_or_a_scheme_of_its_own() {
    let shell = Shell::new();
    let register = |uri: &str| {
        shell.run(&[
            "rp",
            "register",
            "--issuer",
            OIDC,
            "--name",
            "App",
            "--auth-method",
            "none",
            "--redirect-uri",
            uri,
        ])
    };
    for uri in [
        "https://app.example.it/cb?x=1",
        "http://127.0.0.1:3000/cb",
        "http://[::1]/cb",
        "http://localhost/cb",
        "it.example.app:/cb",
    ] {
        let outcome = register(uri).done();
        assert!(!outcome.out.contains("client_secret"), "{uri}");
    }
    for uri in [
        "http://app.example.it/cb",
        "https://app.example.it/cb#x",
        "https://me@app.example.it/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "/cb",
        "https://app.example.it/c b",
    ] {
        register(uri).refused(2, "--redirect-uri");
    }
}

#[test]
fn a_client_with_keys_needs_public_ones() {
    let shell = Shell::new();
    let register = |more: &[&str]| {
        let mut words = vec![
            "rp",
            "register",
            "--issuer",
            OIDC,
            "--name",
            "App",
            "--auth-method",
            "private_key_jwt",
            "--redirect-uri",
            "https://app.example.it/cb",
        ];
        words.extend(more);
        shell.run(&words)
    };
    register(&[]).refused(2, "--jwks-file");
    let empty = shell.write("empty.json", "{\"keys\": []}");
    register(&["--jwks-file", &empty]).refused(1, "no usable public key");
    let key = crate::jose::PrivateKey::generate(crate::jose::KeyKind::P256).unwrap();
    let jwk = key.public_jwk(crate::jose::KeyUse::Signature, None);
    let good = shell.write(
        "good.json",
        &serde_json::json!({ "keys": [jwk] }).to_string(),
    );
    register(&["--jwks-file", &good]).done();
    register(&["--jwks-file", &good, "--scope", "openid shoes"]).refused(2, "--scope shoes");
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
