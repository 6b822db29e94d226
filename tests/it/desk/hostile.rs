//! Hostile requests at every address of the desk, by somebody who is logged in: whatever a browser was made to send,
//! nothing breaks, nothing comes back as markup, and nobody is led elsewhere.
//!
//! What the desk's own pages link to and ask for is taken as it is, so that the requests come far; then every field of it
//! is made hostile, and one to three at random. Always the same requests: the generator has a seed.

use crate::harness::{Answer, Browser, World};
use std::collections::{BTreeMap, BTreeSet};
use url::form_urlencoded::{byte_serialize, parse};
use varco::demo::LoginOptions;
use varco::endpoint::Method;
use varco::model::MailState;
use varco::ui::desk::routes;

const SEED: u64 = 20_260_115;
/// Requests of each address with more than one hostile part.
const CASES: usize = 10;
/// What every field of every address is once; breaks out of text, and of attributes of either kind.
const EVERYWHERE: [&str; 5] = [
    "%3Cscript%3Ehostile()%3C/script%3E%22%20onfocus=%22hostile()%20%27%20onfocus=%27hostile()%27%3E",
    "%00",
    "%FF",
    "-9223372036854775808",
    "javascript:hostile()",
];
/// Pages of one address, with other parameters, that are taken as they are.
const SEEDS: usize = 3;

/// Names and values, percent-encoded.
type Fields = Vec<(String, String)>;
/// An address and how it is asked.
type Address = (&'static str, bool);

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// What no browser sends by itself.
fn hostile() -> Vec<String> {
    let cursor = |json: &str| data_encoding::BASE64URL_NOPAD.encode(json.as_bytes());
    let mut all: Vec<String> = [
        "",
        " ",
        "\0",
        "ada\0",
        "\u{202e}\u{feff}",
        "\u{1f600}'; --",
        "-1",
        "0",
        "9223372036854775807",
        "-9223372036854775808",
        "99999999999999999999999",
        "1e400",
        "NaN",
        "2026-02-30",
        "9999-12-31",
        "0000-00-00",
        "-262143-01-01",
        "' OR 1=1--",
        "%_\\",
        "<script>hostile()</script>",
        "\"><img src=x onerror=hostile()>",
        "\" onfocus=\"hostile()",
        "' onfocus='hostile()",
        "{{ 7 * 7 }}{% hostile %}",
        "{ $name }",
        "javascript:hostile()",
        "//evil.invalid/admin/",
        "https://evil.invalid/admin/",
        "/\\evil.invalid/",
        "/admin/dashboard\r\nX-Hostile: 1",
        "{\"a\":",
        "{\"base\": 1e999, \"version\": -1}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}]}",
        "username,password\n=hostile(),x\n",
        "../../../etc/passwd",
    ]
    .iter()
    .map(|text| encoded(text))
    .collect();
    // Cursors of other lists, and of none.
    for json in [
        "{\"key\":9223372036854775807,\"id\":\"x\"}",
        "{\"key\":-9223372036854775808,\"id\":\"\"}",
        "{\"key\":\"<script>hostile()</script>\",\"id\":\"x\"}",
        "{\"key\":\"\\u0000\",\"id\":\"\\u0000\"}",
        "{\"key\":{\"Name\":1},\"id\":[]}",
        "-9223372036854775808",
        "null",
    ] {
        all.push(cursor(json));
    }
    // The encoded ones are thrice as long, and an address has an end.
    all.push("a".repeat(10_000));
    for unit in ["<", "\u{1f600}", "[", "{\"a\":"] {
        all.push(encoded(&unit.repeat(3_333 / unit.len())));
    }
    // No UTF-8, and no percent-encoding.
    for raw in ["%FF%FE", "%C0%AF", "%ED%A0%80", "%", "%zz", "%00%00"] {
        all.push(raw.to_owned());
    }
    all
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag
        .split_once(&format!(" {name}=\""))?
        .1
        .split('"')
        .next()?;
    let plain = value.replace("&#x27;", "'").replace("&#x2F;", "/");
    let plain = plain.replace("&quot;", "\"").replace("&lt;", "<");
    Some(plain.replace("&gt;", ">").replace("&amp;", "&"))
}

/// Everything that a form asks for, with what stands in it; of a choice the first that says something.
fn fields_of(form: &str) -> Fields {
    let mut fields: Fields = Vec::new();
    let mut choice = None;
    for tag in form.split('<') {
        let value = attribute(tag, "value").unwrap_or_default();
        if let (true, Some(name)) = (tag.starts_with("option"), &choice) {
            fields.retain(|(known, old)| known != name || !old.is_empty());
            if !fields.iter().any(|(known, _)| known == name) {
                fields.push((String::clone(name), encoded(&value)));
            }
        }
        let Some(name) = attribute(tag, "name").filter(|name| name != "csrf_token") else {
            continue;
        };
        choice = tag.starts_with("select").then(|| name.clone());
        let value = match tag.starts_with("textarea") {
            true => encoded(tag.split_once('>').unwrap().1.trim()),
            false => encoded(&value),
        };
        if !fields.iter().any(|(known, _)| *known == name) {
            fields.push((name, value));
        }
    }
    fields
}

fn query_of(url: &str) -> Fields {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = parse(query.as_bytes()).into_owned();
    pairs.map(|(name, value)| (name, encoded(&value))).collect()
}

fn joined(fields: &Fields) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

struct Walk<'a> {
    world: &'a World,
    browser: Browser,
    /// What only a form leads to.
    begun: Vec<String>,
    token: String,
    random: Random,
    hostile: Vec<String>,
    /// What the pages link to and ask for: query and form.
    seeds: BTreeMap<Address, Vec<(Fields, Fields)>>,
    /// Every name and value of them.
    names: Vec<String>,
    known: Vec<String>,
    /// Addresses that did not refuse everything.
    reached: BTreeSet<Address>,
}

impl<'a> Walk<'a> {
    async fn start(world: &'a World, begun: Vec<String>) -> Self {
        let mut walk = Self {
            world,
            browser: world.browser(),
            begun,
            token: String::new(),
            random: Random(SEED),
            hostile: hostile(),
            seeds: BTreeMap::new(),
            names: vec!["after".to_owned(), "lang".to_owned(), "draft".to_owned()],
            known: Vec::new(),
            reached: BTreeSet::new(),
        };
        walk.log_in().await;
        walk
    }

    async fn log_in(&mut self) {
        self.browser = self.world.desk().await;
        let page = self.browser.get(&self.world.url("/admin/password")).await;
        self.token = page.form("/admin/logout").fields[0].1.clone();
    }

    /// Opens the pages from link to link.
    async fn collect(&mut self) {
        let mut open: Vec<String> = routes()
            .filter(|route| route.method == Method::Get)
            .map(|route| route.path.to_owned())
            .chain(self.begun.iter().cloned())
            .collect();
        let mut seen: BTreeSet<String> = open.iter().cloned().collect();
        while let Some(address) = open.pop() {
            let page = self.browser.get(&self.world.url(&address)).await;
            judge(self.world, &page, &address);
            for link in page.links("/admin") {
                self.keep(&page, &link, None);
                let link = link.replacen(&self.world.base, "", 1);
                let path = link.split('?').next().unwrap_or_default().to_owned();
                let alike = seen
                    .iter()
                    .filter(|known| known.split('?').next() == Some(&path));
                if alike.count() < 3 * SEEDS && seen.insert(link.clone()) {
                    open.push(link);
                }
            }
            for form in page.body.split("<form").skip(1) {
                let form = form.split("</form>").next().unwrap();
                let action = attribute(form.split('>').next().unwrap(), "action");
                let action = action.unwrap_or_default();
                let is_post = form.contains("csrf_token");
                self.keep(&page, &action, Some((is_post, fields_of(form))));
            }
        }
    }

    fn keep(&mut self, page: &Answer, to: &str, form: Option<(bool, Fields)>) {
        let url = page.url.join(to).unwrap();
        let (is_post, body) = form.unwrap_or_default();
        let mut row = routes()
            .filter(|route| route.path == url.path() && (route.method == Method::Post) == is_post);
        let Some(route) = row.next() else { return };
        let mut query = query_of(to);
        // The choice of a language, which every page has.
        query.retain(|(name, _)| name != "lang");
        let body = match is_post {
            true => body,
            false => {
                query.extend(body);
                Vec::new()
            }
        };
        for (name, value) in query.iter().chain(&body) {
            if !self.names.contains(name) {
                self.names.push(name.clone());
            }
            if !self.known.contains(value) && self.known.len() < 500 {
                self.known.push(value.clone());
            }
        }
        let seeds = self.seeds.entry((route.path, is_post)).or_default();
        if seeds.len() < SEEDS && !seeds.contains(&(query.clone(), body.clone())) {
            seeds.push((query, body));
        }
    }

    /// One to three parts are made hostile; in every third request all that was there stays.
    fn spoilt(&mut self, mut fields: Fields, number: usize) -> Fields {
        let random = &mut self.random;
        for _ in 0..=random.below(3) {
            let value = match random.below(6) {
                0 => random.of(&self.known).clone(),
                _ => random.of(&self.hostile).clone(),
            };
            if fields.is_empty() || number.is_multiple_of(3) || random.below(4) == 0 {
                let name = random.of(&self.names).clone();
                if !fields.iter().any(|(known, _)| *known == name) {
                    fields.push((name, value));
                }
                continue;
            }
            let place = random.below(fields.len());
            match random.below(8) {
                0 => fields.push(fields[place].clone()),
                1 => {
                    fields.remove(place);
                }
                _ => fields[place].1 = value,
            }
        }
        fields
    }

    async fn attack(&mut self, address: Address) {
        let seeds = self.seeds.get(&address).cloned();
        let seeds = seeds.unwrap_or_else(|| vec![Default::default()]);
        // A rotation makes keys, which takes longer than everything else together.
        let (most, cases) = match address {
            ("/admin/keys/rotate", true) => (1, 3),
            _ => (SEEDS, CASES),
        };
        for (query, form) in seeds.iter().take(most) {
            self.send(address, (query, form)).await;
            for place in 0..query.len() + form.len() {
                for value in EVERYWHERE {
                    let (mut query, mut form) = (query.clone(), form.clone());
                    let mut all = query.iter_mut().chain(&mut form);
                    value.clone_into(&mut all.nth(place).unwrap().1);
                    self.send(address, (&query, &form)).await;
                }
            }
        }
        for number in 0..cases {
            let (query, form) = seeds[(number / 3) % seeds.len()].clone();
            let (query, form) = match (address.1, number % 4) {
                (true, 0) => (self.spoilt(query, number), self.spoilt(form, number)),
                (true, _) => (query, self.spoilt(form, number)),
                (false, _) => (self.spoilt(query, number), form),
            };
            self.send(address, (&query, &form)).await;
        }
    }

    async fn send(&mut self, (path, is_post): Address, (query, form): (&Fields, &Fields)) {
        let url = format!("{}?{}", self.world.url(path), joined(query));
        let answer = match is_post {
            false => self.browser.get(&url).await,
            true => {
                let body = format!("csrf_token={}&{}", encoded(&self.token), joined(form));
                let kind = "application/x-www-form-urlencoded";
                self.browser.post_text(&url, kind, body).await
            }
        };
        let what = format!("{url} {}", joined(form));
        judge(self.world, &answer, &what);
        if [200, 303, 409, 422].contains(&answer.status) {
            self.reached.insert((path, is_post));
        }
        let to = answer.location().unwrap_or_default();
        if to.contains("/admin/login") {
            self.log_in().await;
        }
    }

    /// Files, whose names and contents are the attacker's.
    async fn send_files(&mut self, path: &'static str) {
        let names = [
            "\\\"><img src=x onerror=hostile()>",
            "../../x\u{202e}.csv",
            "",
        ];
        let deep = "[".repeat(10_000);
        let contents = [
            "username,password,<script>hostile()</script>\n=hostile(),x,y\n",
            "{\"username\": \"<script>hostile()</script>\", \"email\": [{}]}\n{",
            "\u{feff}username\0,\r\r\n\"",
            "{\"rps\": [{\"client_id\": \"<script>hostile()</script>\"}, 7, null]}",
            deep.as_str(),
        ];
        for (number, content) in contents.iter().enumerate() {
            let (token, name) = (&self.token, names[number % names.len()]);
            let body = format!(
                "--XYZ\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n\
                 --XYZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: text/plain\r\n\r\n{content}\r\n--XYZ--\r\n"
            );
            let kind = "multipart/form-data; boundary=XYZ";
            let answer = self
                .browser
                .post_text(&self.world.url(path), kind, body)
                .await;
            judge(self.world, &answer, &format!("file {number} to {path}"));
            let answer = self.browser.follow(answer, &self.world.base).await;
            judge(self.world, &answer, &format!("file {number} of {path}"));
        }
    }
}

/// What holds of every answer.
fn judge(world: &World, answer: &Answer, what: &str) {
    let shown = || format!("{what:.600}\n{} {}", answer.status, answer.body);
    // Too much at once is said so; nothing else may fail.
    let is_busy = answer.status == 503 && !answer.header("retry-after").is_empty();
    assert!(answer.status < 500 || is_busy, "{}", shown());
    assert!(answer.headers.get("x-hostile").is_none(), "{}", shown());
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    let policy = answer.header("content-security-policy");
    assert!(
        !policy.contains("evil") && !policy.contains("hostile"),
        "{what}"
    );
    if let Some(to) = answer.location() {
        let (to, here) = (url::Url::parse(&to).unwrap(), &world.base);
        assert_eq!(
            to.origin(),
            url::Url::parse(here).unwrap().origin(),
            "{what}"
        );
        assert!(to.path().starts_with("/admin/"), "{what}: {to}");
    }
    if !answer.header("content-type").starts_with("text/html") {
        return;
    }
    for markup in [
        "<script>hostile",
        "<img src=x",
        " onfocus=\"hostile",
        "' onfocus='hostile",
        "href=\"javascript:",
        "src=\"javascript:",
        "action=\"javascript:",
        "action=\"https://evil",
        "action=\"//evil",
        "href=\"https://evil",
        "href=\"//evil",
        "href=\"/\\evil",
        "src=\"https://evil",
    ] {
        assert!(!answer.body.contains(markup), "{markup}: {}", shown());
    }
}

/// Something of everything that the pages are about; what only a form leads to.
async fn furnish(world: &World) -> Vec<String> {
    let issuer = world.issuer("spid").await;
    world
        .login(world.rp(), &issuer, &LoginOptions::default())
        .await;
    world.add_operator("vera", varco::model::Role::Viewer);
    super::mails::letter(world, "given-up", "new_device", MailState::Failed);
    let mut olga = world.desk().await;
    super::rps_forms::add(world, &mut olga, &[]).await;
    let mut parties = super::rps_imports::exported(world, &mut olga).await;
    parties["relying_parties"][0]["client_id"] = "kiosk".into();
    let people = "username,password\nzoe,a secret\n,\n".to_owned();
    for (path, text) in [
        ("/admin/users/import", people),
        ("/admin/rps/import", parties.to_string()),
    ] {
        let page = olga.get(&world.url(path)).await;
        let form = page.form(path).with("text", &text);
        let sent = olga.submit(&page, &form).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
    }
    let asked = super::asking::press(&mut olga, &world.url("/admin/federation")).await;
    super::looking::finished(world, &mut olga, &asked).await;
    vec![asked.leads_to()]
}

#[actix_web::test]
async fn hostile_requests_break_no_page_of_the_desk_and_lead_nowhere() {
    for (world, _schema) in World::on_each_database() {
        let world = world.start();
        let begun = furnish(&world).await;
        let mut walk = Walk::start(&world, begun).await;
        walk.collect().await;
        let all: BTreeSet<Address> = routes()
            .map(|route| (route.path, route.method == Method::Post))
            .collect();
        let unknown: Vec<_> = all
            .iter()
            .filter(|of| !walk.seeds.contains_key(of))
            .collect();
        assert!(unknown.is_empty(), "no page leads to {unknown:?}");
        // Those that change something last, what they leave behind is looked at in the end; and those that end something
        // after everything that it is needed for.
        let mut ordered: Vec<_> = all.iter().collect();
        ordered.sort_by_key(|(path, is_post)| (*is_post, path.ends_with("/change")));
        for address in ordered {
            walk.attack(*address).await;
        }
        for route in routes().filter(|route| route.takes_file) {
            walk.send_files(route.path).await;
        }
        let refused: Vec<_> = all.difference(&walk.reached).collect();
        assert!(refused.is_empty(), "refused everything: {refused:?}");
        walk.log_in().await;
        walk.collect().await;
    }
}
