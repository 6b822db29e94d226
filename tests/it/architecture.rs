//! The architecture, read from the sources: who may use whom, what stands in one place only, and that every row of the
//! specification is cited by a test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The modules from the bottom up; each may use itself and those of the rows above it.
const LAYERS: [&[&str]; 13] = [
    &["clock", "random", "secret"],
    &["jose", "language"],
    &["model"],
    &["store", "profile", "federation"],
    &["config", "accounts"],
    &["keys", "mail"],
    &["provider"],
    &["endpoint"],
    &["oauth", "authn"],
    &["administration"],
    &["ui"],
    &["web", "cli"],
    &["launch"],
];

/// The demonstration stands beside them: it uses the library as an outsider would.
const DEMO_MAY_USE: [&str; 9] = [
    "demo",
    "language",
    "jose",
    "federation",
    "ui",
    "clock",
    "random",
    "secret",
    "model",
];

/// A row `from path` of a library that has one place.
type Place = (&'static str, &'static [&'static str]);

/// Libraries, and where they may be used.
const PLACES: [Place; 10] = [
    // provider: documents are kept as the bytes that are sent. launch: the runtime.
    (
        "actix_web",
        &["web/", "demo/", "launch/mod.rs", "provider/document.rs"],
    ),
    ("actix_session", &["web/"]),
    ("actix_multipart", &["web/"]),
    ("diesel", &["store/"]),
    ("biscuit", &["jose/"]),
    // Ciphers and keys in jose; random bytes, hashes and TLS elsewhere. demo signs wrong things on purpose.
    (
        "openssl",
        &[
            "jose/",
            "random.rs",
            "secret.rs",
            "web/tls.rs",
            "authn/certificate.rs",
            "oauth/tokens.rs",
            "oauth/subject.rs",
            "demo/relying_party/",
        ],
    ),
    ("reqwest", &["federation/http_fetcher.rs", "demo/http.rs"]),
    ("tera", &["ui/"]),
    // config: whether a configured sender is an address.
    ("lettre", &["mail/", "config/build/mail.rs"]),
    ("argon2", &["accounts/password.rs"]),
];

/// The rows of the specification that tests have to cite.
const ROWS: [(&str, usize); 9] = [
    ("AL", 6),
    ("MD", 5),
    ("FE", 12),
    ("AZ", 12),
    ("TK", 8),
    ("UI", 2),
    ("IN", 1),
    ("RV", 2),
    ("TM", 3),
];

const MOST_LINES: usize = 500;

struct Source {
    /// Below `src/` or `tests/`, with slashes.
    path: String,
    text: String,
}

impl Source {
    fn is_test(&self) -> bool {
        self.path.contains("/tests/")
            || self.path.ends_with("tests.rs")
            || self.path.ends_with("testing.rs")
    }

    /// Lines of code with their numbers: no comments, nothing from the tests at the end of a file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("#[cfg(test)]\nmod tests {");
        let code = &self.text[..end.unwrap_or(self.text.len())];
        code.lines()
            .enumerate()
            .map(|(number, line)| (number + 1, line.split("//").next().unwrap_or_default()))
    }

    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.trim_end_matches(".rs")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                found.push(path);
            }
        }
    }
    let top = root().join(folder);
    let mut files = Vec::new();
    walk(&top, &mut files);
    files.sort();
    let read = |file: PathBuf| Source {
        path: file.strip_prefix(&top).unwrap().display().to_string(),
        text: std::fs::read_to_string(&file).unwrap(),
    };
    files.into_iter().map(read).collect()
}

fn product() -> Vec<Source> {
    let mut all = sources("src");
    all.retain(|source| !source.is_test());
    all
}

/// Whether `name` stands in a line as a path's beginning: `name::`.
fn uses(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    line.match_indices(&path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// The modules named by `crate::…` in a line, also in braces.
fn modules_in(line: &str) -> Vec<&str> {
    line.split("crate::")
        .skip(1)
        .map(|rest| {
            rest.split(|c: char| !c.is_ascii_lowercase() && c != '_')
                .next()
                .unwrap_or_default()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

fn none(found: &[String], what: &str) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn dependencies_point_downwards() {
    let rank = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut wrong = Vec::new();
    for source in product() {
        let module = source.module();
        if ["lib", "main"].contains(&module) {
            continue;
        }
        for (number, line) in source.code() {
            for used in modules_in(line) {
                let may = match (module, rank(module), rank(used)) {
                    _ if module == used => true,
                    ("demo", _, _) => DEMO_MAY_USE.contains(&used),
                    // Putting a process together includes the demonstration.
                    ("launch", _, _) if used == "demo" => true,
                    (_, Some(user), Some(used)) => used < user,
                    _ => false,
                };
                if !may {
                    wrong.push(format!(
                        "src/{}:{number}: {module} uses {used}",
                        source.path
                    ));
                }
            }
        }
    }
    none(&wrong, "dependencies that point upwards");
}

#[test]
fn every_module_has_a_place_in_the_order() {
    let known: BTreeSet<&str> = LAYERS
        .iter()
        .flat_map(|layer| layer.iter().copied())
        .collect();
    let unknown: Vec<String> = product()
        .iter()
        .map(|source| source.module().to_owned())
        .filter(|module| !["lib", "main", "demo"].contains(&module.as_str()))
        .filter(|module| !known.contains(module.as_str()))
        .collect();
    none(&unknown, "modules without a place");
}

#[test]
fn libraries_are_used_in_their_place_only() {
    let mut wrong = Vec::new();
    for source in product() {
        for (number, line) in source.code() {
            for (library, places) in PLACES {
                let allowed = places.iter().any(|place| source.path.starts_with(place));
                if !allowed && uses(line, library) {
                    wrong.push(format!("src/{}:{number}: {library}", source.path));
                }
            }
        }
    }
    none(&wrong, "libraries out of their place");
}

#[test]
fn the_clock_is_read_in_one_place() {
    // `Instant` measures how long something takes; it is not a time of day.
    let mut wrong = Vec::new();
    for source in product() {
        for (number, line) in source.code() {
            let reads = ["SystemTime::now", "Utc::now", "Local::now"];
            if source.path != "clock.rs" && reads.iter().any(|read| line.contains(read)) {
                wrong.push(format!("src/{}:{number}", source.path));
            }
        }
    }
    none(&wrong, "the system clock is read outside clock.rs");
}

#[test]
fn nothing_outside_profile_and_config_asks_which_profile_it_is() {
    let mut wrong = Vec::new();
    for source in product() {
        if ["profile", "config"].contains(&source.module()) {
            continue;
        }
        for (number, line) in source.code() {
            let compares = ["spid", "cie", "oidc"].iter().any(|name| {
                [
                    format!("== \"{name}\""),
                    format!("!= \"{name}\""),
                    format!("\"{name}\" =>"),
                    format!("\"{name}\" |"),
                ]
                .iter()
                .any(|comparison| line.contains(comparison))
            });
            if compares || line.contains("ProfileName::") || line.contains("profile.name ==") {
                wrong.push(format!("src/{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    none(&wrong, "profiles are data");
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources("src")
        .iter()
        .map(|source| (source, source.text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(source, lines)| format!("src/{}: {lines} lines", source.path))
        .collect();
    none(&long, "a file that no longer fits its name is split");
}

/// Rows cited in a text: `SPID/CIE AZ-4`, and what follows it in a list: `, AZ-5`, ` to AZ-7`.
fn cited(text: &str) -> BTreeSet<(String, usize)> {
    let mut found = BTreeSet::new();
    for rest in text.split("SPID/CIE ").skip(1) {
        let mut rest = rest;
        let mut until_next = None;
        while let Some((row, after)) = row_at(rest) {
            if let Some((_, first)) = until_next.take().filter(|(kind, _)| *kind == row.0) {
                found.extend((first..row.1).map(|number| (row.0.clone(), number)));
            }
            found.insert(row.clone());
            let separators = [", ", " and ", " to ", "/"];
            let Some(separator) = separators.iter().find(|one| after.starts_with(**one)) else {
                break;
            };
            if *separator == " to " {
                until_next = Some(row);
            }
            rest = &after[separator.len()..];
        }
    }
    found
}

fn row_at(text: &str) -> Option<((String, usize), &str)> {
    let (kind, rest) = text.split_at_checked(2)?;
    let rest = rest.strip_prefix('-')?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number = rest[..digits].parse().ok()?;
    let known = ROWS.iter().any(|(name, _)| *name == kind);
    known.then(|| ((kind.to_owned(), number), &rest[digits..]))
}

#[test]
fn citations_are_read_in_all_their_forms() {
    let text = "SPID/CIE AZ-4, AZ-5; SPID/CIE MD-1 to MD-3. SPID/CIE FE-1 and TM-2: x, TK-1";
    let rows: Vec<String> = cited(text)
        .iter()
        .map(|(kind, number)| format!("{kind}-{number}"))
        .collect();
    assert_eq!(
        rows,
        ["AZ-4", "AZ-5", "FE-1", "MD-1", "MD-2", "MD-3", "TM-2"]
    );
}

#[test]
fn every_row_of_the_specification_is_cited_by_a_test() {
    let mut texts: Vec<String> = sources("tests")
        .into_iter()
        .filter(|source| source.path != "it/architecture.rs")
        .map(|source| source.text)
        .collect();
    for source in sources("src") {
        let start = match source.is_test() {
            true => Some(0),
            false => source.text.find("#[cfg(test)]\nmod tests {"),
        };
        if let Some(start) = start {
            texts.push(source.text[start..].to_owned());
        }
    }
    let found: BTreeSet<(String, usize)> = texts.iter().flat_map(|text| cited(text)).collect();
    let missing: Vec<String> = ROWS
        .iter()
        .flat_map(|(kind, last)| (1..=*last).map(|number| ((*kind).to_owned(), number)))
        .filter(|row| !found.contains(row))
        .map(|(kind, number)| format!("{kind}-{number}"))
        .collect();
    none(&missing, "rows that no test cites as `SPID/CIE XX-n`");
}
