//! What a citizen does beside a login for an RP, and worlds on both databases.

use super::{Answer, Browser, Issuer, World, WorldBuilder};
use diesel::{Connection, PgConnection, RunQueryDsl};
use varco::demo::relying_party::{AuthorizationAnswer, TokenAnswer};
use varco::demo::{LoginOptions, PreparedRequest, RelyingParty};
use varco::secret::Secret;

/// A schema of one world on the PostgreSQL of `VARCO_TEST_POSTGRES`; gone with the world.
pub struct Schema {
    server: String,
    name: String,
}

impl Schema {
    /// A new one, where there is a server.
    pub fn create() -> Option<Self> {
        let server = std::env::var("VARCO_TEST_POSTGRES").ok()?;
        let name = format!("world_{}", varco::random::uuid4().replace('-', ""));
        let schema = Self { server, name };
        schema.run("CREATE SCHEMA");
        Some(schema)
    }

    /// The URL of a database that sees this schema only.
    pub fn url(&self) -> String {
        format!(
            "{}?options=-csearch_path%3D{}&application_name={}",
            self.server, self.name, self.name
        )
    }

    fn run(&self, what: &str) {
        #[expect(
            clippy::disallowed_methods,
            reason = "an operator's connection, beside the program's"
        )]
        let mut connection = PgConnection::establish(&self.server).unwrap();
        let cascade = if what.starts_with("DROP") {
            "CASCADE"
        } else {
            ""
        };
        diesel::sql_query(format!("{what} {} {cascade}", self.name))
            .execute(&mut connection)
            .unwrap();
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // A test that failed must not fail twice.
        if !std::thread::panicking() {
            self.run("DROP SCHEMA");
        }
    }
}

impl World {
    /// A builder on SQLite, and one on PostgreSQL where `VARCO_TEST_POSTGRES` names a server. The schema has to outlive the
    /// world.
    pub fn on_each_database() -> Vec<(WorldBuilder, Option<Schema>)> {
        let mut all = vec![(Self::builder(), None)];
        if let Some(schema) = Schema::create() {
            let url = schema.url();
            let builder = Self::builder().server(move |settings| {
                settings.database_url = Secret::new(url);
                settings.database_pool_size = 4;
            });
            all.push((builder, Some(schema)));
        }
        all
    }

    /// Logs in at an issuer without an RP; the answer is the history page, or the login page again.
    pub async fn enter(
        &self,
        browser: &mut Browser,
        profile: &str,
        credentials: (&str, &str),
    ) -> Answer {
        let page = browser.get(&self.url(&format!("/{profile}/login"))).await;
        assert_eq!(page.status, 200, "{}", page.body);
        self.type_password(browser, &page, credentials).await
    }

    /// The history page, or the redirect to the login page.
    pub async fn history(&self, browser: &mut Browser, profile: &str) -> Answer {
        browser.get(&self.url(&format!("/{profile}/history"))).await
    }

    /// A code for whoever types these credentials, if the login page asks for any.
    pub async fn code_of(
        &self,
        browser: &mut Browser,
        (rp, issuer): (&RelyingParty, &Issuer),
        credentials: (&str, &str),
        options: &LoginOptions,
    ) -> (PreparedRequest, String) {
        let prepared = rp.authorization_request(&issuer.metadata, options).unwrap();
        let mut page = self.authorize(browser, &prepared).await;
        if page.body.contains("name=\"password\"") {
            page = self.type_password(browser, &page, credentials).await;
        }
        let answer = self.allow(browser, &page).await;
        let location = answer
            .location()
            .unwrap_or_else(|| panic!("no redirect ({}): {}", answer.status, answer.body));
        let code = AuthorizationAnswer::parse_address(&location)
            .code(&prepared)
            .unwrap()
            .to_owned();
        (prepared, code)
    }

    /// A complete login of `ada` in a browser; what the token endpoint gave.
    pub async fn tokens_of(
        &self,
        browser: &mut Browser,
        rp: &RelyingParty,
        issuer: &Issuer,
        options: &LoginOptions,
    ) -> TokenAnswer {
        let (prepared, code) = self
            .code_of(browser, (rp, issuer), ("ada", "ada-demo"), options)
            .await;
        self.redeem(rp, issuer, prepared, &code).await.answer
    }

    /// POSTs the refresh grant.
    pub async fn refresh(&self, rp: &RelyingParty, issuer: &Issuer, refresh_token: &str) -> Answer {
        let form = rp.refresh_request(&issuer.metadata, refresh_token).unwrap();
        self.post(&issuer.metadata.token_endpoint, &form).await
    }

    /// Whether introspection calls a token active.
    pub async fn is_active(&self, rp: &RelyingParty, issuer: &Issuer, token: &str) -> bool {
        let form = rp.introspection_request(&issuer.metadata, token).unwrap();
        let answer = self
            .post(&issuer.metadata.introspection_endpoint, &form)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["active"].as_bool().unwrap()
    }
}

impl Answer {
    /// The text of the page's rows of accesses, in their order.
    pub fn accesses(&self) -> Vec<String> {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
            .split("<tr role=\"row\" id=\"access-")
            .skip(1)
            .map(|row| plain(row.split("</tr>").next().unwrap()))
            .collect()
    }

    /// The page's text without tags.
    pub fn text(&self) -> String {
        plain(&self.body)
    }

    /// The addresses of the page's links that contain a text.
    pub fn links(&self, part: &str) -> Vec<String> {
        self.body
            .split("href=\"")
            .skip(1)
            .map(|rest| unescaped(rest.split('"').next().unwrap()))
            .filter(|link| link.contains(part))
            .map(|link| self.url.join(&link).unwrap().to_string())
            .collect()
    }

    /// The language of the page.
    pub fn language(&self) -> String {
        let rest = self.body.split("<html lang=\"").nth(1);
        let rest = rest.unwrap_or_else(|| panic!("no page ({}): {}", self.status, self.body));
        rest.split('"').next().unwrap().to_owned()
    }

    /// The `Set-Cookie` headers that set this cookie.
    pub fn set_cookies(&self, name: &str) -> Vec<String> {
        let start = format!("{name}=");
        self.headers
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .filter(|value| value.starts_with(&start))
            .collect()
    }
}

fn plain(html: &str) -> String {
    let text: String = html
        .split('<')
        .map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text))
        .collect::<Vec<_>>()
        .join(" ");
    let text = unescaped(&text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&#x2F;", "/")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
