//! What is asked for: every page of history, account and desk, deep pages of their lists, filters, and what is searched for.

use super::Place;
use super::walk::walk;
use crate::browser::Browser;
use varco::launch::OPERATOR;
use varco::model::{Account, AccountId, ClientId, IssuerId};
use varco::store::grant::GrantsOf;
use varco::store::session::SessionFilter;
use varco::store::{DatabaseSettings, SqliteSynchronous, Store, account, grant, session};

/// Pages of a list that are visited.
const DEEP: usize = 200;

/// What a browser asks for.
pub enum Request {
    Get(String),
    /// A form with its token, and what is in it.
    Find(&'static str, String),
}

/// Requests of one kind, asked for in turn.
pub struct Stop {
    pub name: String,
    pub requests: Vec<Request>,
}

/// What of the data set the pages are about.
pub struct Landmarks {
    /// Who logs in most.
    pub person: Account,
    issuers: Vec<String>,
    sessions: Vec<String>,
    grants: Vec<String>,
    subjects: Vec<String>,
}

impl Landmarks {
    pub fn find(place: &Place) -> Self {
        let file = place.folder.join("varco.db");
        let url = place.database.clone();
        let store = Store::open(&DatabaseSettings {
            url: url.unwrap_or_else(|| format!("sqlite://{}", file.display())),
            pool_size: 1,
            sqlite_synchronous: SqliteSynchronous::Full,
            migrate: false,
        })
        .unwrap();
        let id = AccountId::new("seed-1-a0");
        let person = store
            .read_blocking(|conn| account::find(conn, &id))
            .unwrap()
            .unwrap();
        let filter = SessionFilter::default();
        let sessions = store
            .read_blocking(|conn| session::search(conn, &filter, None, 200))
            .unwrap();
        let issuers: Vec<String> = ["spid", "cie", "oidc"]
            .iter()
            .map(|path| format!("http://{}/{path}/", place.address))
            .collect();
        let of = GrantsOf::Client(
            IssuerId::new(issuers[0].clone()),
            ClientId::new("https://rp0.seed1.example.it"),
        );
        let grants = store
            .read_blocking(|conn| grant::search(conn, &of, None, 200))
            .unwrap();
        Self {
            person,
            issuers,
            sessions: sessions.rows.iter().map(|row| row.id.to_string()).collect(),
            grants: grants.rows.iter().map(|row| row.id.to_string()).collect(),
            subjects: grants.rows.into_iter().map(|row| row.subject).collect(),
        }
    }
}

fn one(name: &str, path: impl Into<String>) -> Stop {
    several(name, vec![path.into()])
}

fn several(name: &str, paths: Vec<String>) -> Stop {
    Stop {
        name: name.to_owned(),
        requests: paths.into_iter().map(Request::Get).collect(),
    }
}

/// An address with parameters.
fn with(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    format!("{path}?{}", query.finish())
}

/// Of the operator.
pub fn of_desk(browser: &mut Browser, found: &Landmarks) -> Vec<Stop> {
    let mut stops = overview(browser, found);
    stops.extend(of_rps(browser));
    stops.extend(of_users(browser, found));
    stops.extend(of_sessions(browser, found));
    stops
}

/// The first hundred RPs, which are the busiest, with the issuers that know them.
fn rps(found: &Landmarks) -> impl Iterator<Item = (&'static str, String)> {
    let slugs = ["spid", "cie", "oidc"];
    let number = found.issuers.len();
    (0..99).map(move |n| (slugs[n % number], format!("https://rp{n}.seed1.example.it")))
}

/// Of somebody who is logged in at the SPID issuer.
pub fn of_citizen(browser: &mut Browser, found: &Landmarks) -> Vec<Stop> {
    let days = [("from", "2026-03-01"), ("to", "2026-03-31")];
    let of_issuer = rps(found).filter(|(slug, _)| *slug == "spid");
    let of_rps: Vec<String> = of_issuer.map(|(_, rp)| rp).take(10).collect();
    let by_rp = |more: &[(&str, &str)]| {
        let path = |rp: &String| {
            let mut all = vec![("rp", rp.as_str())];
            all.extend(more);
            with("/spid/history", &all)
        };
        of_rps.iter().map(path).collect::<Vec<_>>()
    };
    // Security keys have no page at an IP address.
    let forms = ["password", "data", "factor/add"];
    let mut stops = vec![
        one("account", "/spid/account"),
        several(
            "account: consents, all pages",
            walk(browser, "/spid/account/consents", DEEP),
        ),
        several(
            "account: forms",
            forms.map(|form| format!("/spid/account/{form}")).into(),
        ),
        one("history", "/spid/history"),
        several("history, 200 pages", walk(browser, "/spid/history", DEEP)),
        several("history by RP", by_rp(&[])),
        one("history by dates", with("/spid/history", &days)),
        several("history by RP and dates", by_rp(&days)),
        one(
            "history: confirm revocation",
            with("/spid/history/revoke", &[("rp", &of_rps[0])]),
        ),
    ];
    let month = with("/spid/history.csv", &days);
    stops.push(one("history: a month as CSV", month));
    stops
}

fn overview(browser: &mut Browser, found: &Landmarks) -> Vec<Stop> {
    let mut stops: Vec<Stop> = ["day", "week", "month", "year"]
        .iter()
        .map(|range| {
            let path = with("/admin/dashboard", &[("range", range)]);
            one(&format!("desk: dashboard, {range}"), path)
        })
        .collect();
    let trail = "/admin/trail";
    let subject = format!("user {}", found.person.id);
    stops.extend([
        one("desk: keys", "/admin/keys"),
        one(
            "desk: documents",
            with("/admin/keys/documents", &[("issuer", &found.issuers[0])]),
        ),
        one("desk: federation", "/admin/federation"),
        one("desk: federation, failing", "/admin/federation?failing=1"),
        one("desk: operators", "/admin/operators"),
        one(
            "desk: operator",
            with("/admin/operators/one", &[("name", OPERATOR.0)]),
        ),
        one("desk: own password", "/admin/password"),
        several("desk: trail, 200 pages", walk(browser, trail, DEEP)),
        several(
            "desk: trail by actor, action, subject, dates",
            vec![
                with(trail, &[("actor", OPERATOR.0)]),
                with(trail, &[("actor", "nobody")]),
                with(trail, &[("action", "user.disable")]),
                with(trail, &[("subject", &subject)]),
                with(trail, &[("from", "2026-03-01"), ("to", "2026-03-31")]),
                with(trail, &[("actor", OPERATOR.0), ("action", "user.enable")]),
            ],
        ),
    ]);
    stops
}

fn of_rps(browser: &mut Browser) -> Vec<Stop> {
    let list = "/admin/rps";
    let by = |parameters: &[(&str, &str)]| with(list, parameters);
    let sorts = ["name", "client_id", "changed"];
    let mut stops = Vec::new();
    for sort in sorts {
        let first = by(&[("sort", sort)]);
        let name = format!("desk: RPs by {sort}, 200 pages");
        stops.push(several(&name, walk(browser, &first, DEEP)));
    }
    let all = |filters: &[(&str, &str)]| {
        let path = |sort: &&str| {
            let mut all = vec![("sort", *sort)];
            all.extend(filters);
            by(&all)
        };
        sorts.iter().map(path).collect::<Vec<_>>()
    };
    for (name, filters) in [
        ("state", vec![("state", "active")]),
        ("state", vec![("state", "disabled")]),
        ("state", vec![("state", "ended")]),
        ("origin", vec![("origin", "federation")]),
        ("origin", vec![("origin", "registered")]),
        ("issuer", vec![("issuer", "cie")]),
        (
            "issuer, state",
            vec![("issuer", "cie"), ("state", "disabled")],
        ),
        ("text", vec![("text", "comune")]),
        ("text", vec![("text", "rp99")]),
        ("text", vec![("text", "zzz")]),
        ("issuer, text", vec![("issuer", "cie"), ("text", "zzz")]),
    ] {
        let values: Vec<&str> = filters.iter().map(|(_, value)| *value).collect();
        let name = format!("desk: RPs by {name} = {}", values.join(", "));
        stops.push(several(&name, all(&filters)));
    }
    let text = by(&[("text", "comune"), ("sort", "name")]);
    stops.push(several(
        "desk: RPs by text = comune, all pages",
        walk(browser, &text, DEEP),
    ));
    stops
}

fn of_users(browser: &mut Browser, found: &Landmarks) -> Vec<Stop> {
    let (list, person) = ("/admin/users", &found.person);
    let attribute = |name: &str| person.attributes[name].as_str().unwrap().to_owned();
    let (number, email) = (attribute("fiscal_number"), attribute("email"));
    let bare = number.trim_start_matches("TINIT-");
    let by = |by: &str, text: &str| with(list, &[("by", by), ("text", text)]);
    let id = [("id", person.id.as_str())];
    let history = with("/admin/users/history", &id);
    let state = |state: &str| with(list, &[("state", state)]);
    vec![
        several("desk: users, 200 pages", walk(browser, list, DEEP)),
        several(
            "desk: users, disabled, all pages",
            walk(browser, &state("disabled"), DEEP),
        ),
        one("desk: users, enabled", state("enabled")),
        several(
            "desk: users by username",
            [
                "a",
                "ada.",
                "zaira.z",
                "marta.bel",
                "nobody",
                &person.username,
            ]
            .map(|text| by("username", text))
            .into(),
        ),
        several(
            "desk: users by username ada., 200 pages",
            walk(browser, &by("username", "ada."), DEEP),
        ),
        several(
            "desk: users by fiscal number",
            [number.as_str(), bare, "XXX"]
                .map(|text| by("fiscal_number", text))
                .into(),
        ),
        several(
            "desk: users by e-mail",
            ["a", email.as_str(), "nobody"]
                .map(|text| by("email", text))
                .into(),
        ),
        several(
            "desk: user",
            (0..100)
                .map(|n| with("/admin/users/one", &[("id", &format!("seed-1-a{n}"))]))
                .collect(),
        ),
        one("desk: busiest user", with("/admin/users/one", &id)),
        several(
            "desk: busiest user's history, 200 pages",
            walk(browser, &history, DEEP),
        ),
        one("desk: user, edit", with("/admin/users/edit", &id)),
        one(
            "desk: user, confirm",
            with("/admin/users/confirm", &[id[0], ("change", "end_sessions")]),
        ),
        one("desk: user, add", "/admin/users/add"),
        one("desk: imports", "/admin/users/import"),
    ]
}

fn of_sessions(browser: &mut Browser, found: &Landmarks) -> Vec<Stop> {
    let list = "/admin/sessions";
    let by = |name: &str, all: &[String]| {
        let path = |id: &String| with(list, &[(name, id)]);
        all.iter().map(path).collect::<Vec<_>>()
    };
    let busiest = [
        ("client", "https://rp0.seed1.example.it"),
        ("issuer", found.issuers[0].as_str()),
    ];
    let account = with(list, &[("account", found.person.id.as_str())]);
    let confirm =
        |what: &str, id: &str| with("/admin/sessions/revoke", &[("what", what), ("id", id)]);
    let of_login = |kind: &str| {
        let number = |id: &String| id.replace("seed-1-g", &format!("seed-1-{kind}"));
        found.grants.iter().map(number).collect::<Vec<_>>()
    };
    let find = |name: &str, all: Vec<String>| Stop {
        name: format!("desk: find by {name}"),
        requests: all.into_iter().map(|id| Request::Find(list, id)).collect(),
    };
    let confirms = [
        confirm("grant", &found.grants[0]),
        confirm("session", &found.sessions[0]),
        confirm("all", &found.sessions[0]),
    ];
    let mut stops = vec![
        several("desk: sessions, 200 pages", walk(browser, list, DEEP)),
        several(
            "desk: sessions of the busiest user",
            walk(browser, &account, DEEP),
        ),
        several(
            "desk: grants of the busiest RP, all pages",
            walk(browser, &with(list, &busiest), DEEP),
        ),
        several("desk: session", by("session", &found.sessions)),
        several("desk: grants of a subject", by("subject", &found.subjects)),
        several(
            "desk: tree of a grant",
            found
                .grants
                .iter()
                .map(|id| with("/admin/sessions/grant", &[("id", id)]))
                .collect(),
        ),
        several("desk: confirm revocation", confirms.into()),
    ];
    stops.extend([
        find("session", found.sessions.clone()),
        find("jti", of_login("t")),
        find("code", of_login("c")),
        find("subject", found.subjects.clone()),
        find("client_id", vec!["https://rp0.seed1.example.it".to_owned()]),
        find("what is unknown", vec!["nothing-of-the-kind".to_owned()]),
    ]);
    let number = found.issuers.len();
    let each = |name: &str, path: &str, more: &[(&str, &str)]| {
        let address = |(slug, rp): (&'static str, String)| {
            let mut all = vec![("issuer", slug), ("client_id", rp.as_str())];
            all.extend(more);
            with(path, &all)
        };
        several(name, rps(found).map(address).collect())
    };
    assert!(number > 0, "there are issuers");
    stops.extend([
        each("desk: RP (the busiest)", "/admin/rps/one", &[]),
        each(
            "desk: RP, confirm",
            "/admin/rps/confirm",
            &[("change", "disable")],
        ),
        each("desk: RP, check form", "/admin/rps/check", &[]),
        one("desk: RP, import form", "/admin/rps/import"),
    ]);
    stops
}
