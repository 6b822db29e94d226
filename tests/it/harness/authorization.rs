use super::{Answer, Browser, Issuer, World};
use varco::clock::Clock as _;
use varco::demo::relying_party::unverified_claims;
use varco::demo::{LoginOptions, PreparedRequest, RelyingParty};

/// The levels, weakest first.
pub const LEVELS: [&str; 3] = [
    "https://www.spid.gov.it/SpidL1",
    "https://www.spid.gov.it/SpidL2",
    "https://www.spid.gov.it/SpidL3",
];

/// The test user's credentials.
pub const ADA: (&str, &str) = ("ada", "ada-demo");

impl World {
    /// The world's time, as NumericDate.
    pub fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// A request of the RP below the trust anchor.
    pub fn request(&self, issuer: &Issuer, options: &LoginOptions) -> PreparedRequest {
        self.request_of(self.rp(), issuer, options)
    }

    /// A request of any RP.
    pub fn request_of(
        &self,
        rp: &RelyingParty,
        issuer: &Issuer,
        options: &LoginOptions,
    ) -> PreparedRequest {
        rp.authorization_request(&issuer.metadata, options).unwrap()
    }

    /// The request is accepted: a new browser comes to the login page.
    pub async fn accepted(&self, prepared: &PreparedRequest) -> (Browser, Answer) {
        let mut browser = self.browser();
        let page = self.authorize(&mut browser, prepared).await;
        assert!(
            page.status == 200 && page.body.contains("name=\"password\""),
            "not accepted ({} {:?}): {}",
            page.status,
            page.location(),
            page.body
        );
        (browser, page)
    }

    /// The refusal travels to the RP: code, a description that names `fact`, `state` and `iss` (SPID/CIE AZ-12).
    pub async fn told(&self, prepared: &PreparedRequest, error: &str, fact: &str) -> Answer {
        let mut browser = self.browser();
        let answer = browser.get(&prepared.url).await;
        assert!(
            browser.cookies.is_empty(),
            "a refused request started something"
        );
        assert_told(&answer, prepared, error, fact);
        answer
    }

    /// The refusal stays here: a page with HTTP 400, the same as JSON when `Accept` asks for it, and no redirect
    /// (SPID/CIE FE-6, AZ-12).
    pub async fn shown(&self, prepared: &PreparedRequest, error: &str, fact: &str) {
        let page = self.browser().get(&prepared.url).await;
        assert_shown(&page, error, fact);
        let mut program = self.browser();
        program
            .headers
            .push(("accept", "application/json".to_owned()));
        let json = program.get(&prepared.url).await;
        assert_eq!(json.status, 400, "SPID/CIE FE-6: {}", json.body);
        assert_eq!(json.location(), None);
        assert!(
            json.header("content-type").starts_with("application/json"),
            "SPID/CIE FE-6"
        );
        assert_eq!(json.error(), error, "{}", json.body);
        assert_description(&json.description(), fact);
    }

    /// Types ada's password, allows, and answers the redirect to the RP.
    pub async fn log_in_and_allow(&self, browser: &mut Browser, login_page: &Answer) -> Answer {
        let consent = self.type_password(browser, login_page, ADA).await;
        assert!(
            consent.body.contains("name=\"decision\""),
            "no consent page ({}): {}",
            consent.status,
            consent.body
        );
        self.allow(browser, &consent).await
    }

    /// Redeems a code as the RP would; the answer of the token endpoint.
    pub async fn redeem_raw(
        &self,
        rp: &RelyingParty,
        issuer: &Issuer,
        prepared: &PreparedRequest,
        code: &str,
    ) -> Answer {
        let fields = rp.token_request(&issuer.metadata, prepared, code).unwrap();
        self.post(&issuer.metadata.token_endpoint, &fields).await
    }
}

/// See [`World::told`].
pub fn assert_told(answer: &Answer, prepared: &PreparedRequest, error: &str, fact: &str) {
    let location = answer.location().unwrap_or_else(|| {
        panic!(
            "SPID/CIE AZ-12: no redirect ({}): {}",
            answer.status, answer.body
        )
    });
    let start = format!("{}?", prepared.redirect_uri);
    assert!(location.starts_with(&start), "redirected to {location}");
    assert_eq!(answer.redirected("code"), None);
    assert_eq!(
        answer.redirected("error").as_deref(),
        Some(error),
        "SPID/CIE AZ-12: {location}"
    );
    assert_description(&answer.redirected("error_description").unwrap(), fact);
    let state = unverified_claims(&prepared.request_object)
        .and_then(|claims| claims.get("state")?.as_str().map(str::to_owned));
    assert_eq!(answer.redirected("state"), state, "SPID/CIE AZ-12: state");
    assert_eq!(
        answer.redirected("iss").as_deref(),
        Some(prepared.issuer.as_str()),
        "SPID/CIE AZ-12, RFC 9207: iss"
    );
}

/// A refusal page: HTTP 400, error and description on it, no redirect.
pub fn assert_shown(page: &Answer, error: &str, fact: &str) {
    assert_eq!(
        page.status,
        400,
        "SPID/CIE FE-6 ({:?}): {}",
        page.location(),
        page.body
    );
    assert_eq!(page.location(), None, "SPID/CIE AZ-12: no redirect");
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.body.contains(error), "{error}: {}", page.body);
    assert!(page.body.contains(fact), "{fact}: {}", page.body);
    assert!(
        page.body.contains(page.header("x-request-id")),
        "the page quotes the reference of the log line"
    );
}

/// RFC 6749 §4.1.2.1: printable ASCII without quotes and backslashes; and it names the fact.
fn assert_description(description: &str, fact: &str) {
    assert!(
        description
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\'),
        "{description}"
    );
    assert!(description.contains(fact), "{description:?} lacks {fact:?}");
}
