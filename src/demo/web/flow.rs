//! What a relying party does after the browser came back, step by step, with what each step said.

use super::Outcome;
use crate::demo::relying_party::{
    AuthorizationAnswer, Form, IdTokenExpectation, PreparedRequest, ProviderMetadata, TokenAnswer,
    unverified_claims,
};
use crate::demo::{DemoError, Http, HttpAnswer, HttpRequest, RelyingParty};
use crate::ui::{ActionKind, DemoStep, StepKind};
use serde_json::{Map, Value};

/// Characters of a message that are shown.
const SHOWN_CHARACTERS: usize = 8_000;
/// Steps that a result keeps; the oldest actions make room.
const MAX_STEPS: usize = 40;
/// Claims of tokens that say nothing about the person.
const PROTOCOL_CLAIMS: [&str; 8] = ["iss", "aud", "iat", "nbf", "exp", "jti", "nonce", "at_hash"];

/// A relying party, a provider and the way between them.
pub struct Flow<'a> {
    /// Sends the requests.
    pub http: &'a dyn Http,
    /// Who asks.
    pub relying_party: &'a RelyingParty,
    /// Who answers.
    pub provider: &'a ProviderMetadata,
    /// The levels asked for.
    pub acr_values: &'a [String],
}

impl Flow<'_> {
    /// Checks the answer, exchanges the code, verifies the tokens and fetches userinfo. Stops at the first failure.
    pub async fn complete(
        &self,
        prepared: &PreparedRequest,
        answer: &AuthorizationAnswer,
        first_steps: Vec<DemoStep>,
    ) -> Outcome {
        let mut outcome = Outcome {
            steps: first_steps,
            ..Outcome::default()
        };
        if let Err(error) = self.run(prepared, answer, &mut outcome).await {
            outcome.error = Some(shown_error(&error));
        }
        outcome
    }

    async fn run(
        &self,
        prepared: &PreparedRequest,
        answer: &AuthorizationAnswer,
        outcome: &mut Outcome,
    ) -> Result<(), DemoError> {
        let code = answer.code(prepared);
        let detail = match &code {
            Ok(_) => "state and iss are those of the request; a code came".to_owned(),
            Err(error) => error.to_string(),
        };
        let body = shown_answer(answer);
        let kind = StepKind::AuthorizationResponse;
        outcome.push(kind, code.is_ok(), detail, Some(body));
        let form = self
            .relying_party
            .token_request(self.provider, prepared, code?)?;
        let tokens = self.tokens(StepKind::Token, &form, outcome).await?;
        let nonce = Some(prepared.nonce.as_str());
        let id_token = tokens.id_token.as_deref().ok_or(DemoError::Missing {
            token: "token response",
            claim: "id_token",
            expected: "there",
        })?;
        self.id_token(id_token, nonce, &tokens, outcome)?;
        show_tokens(&tokens, outcome);
        outcome.tokens = Some(tokens);
        self.userinfo(outcome).await
    }

    /// Does what a button asks for. What fails is a step like any other.
    pub async fn act(&self, action: ActionKind, outcome: &mut Outcome) {
        let result = match action {
            ActionKind::Refresh => self.refresh(outcome).await,
            ActionKind::Introspect => self.introspect(outcome).await,
            ActionKind::UserInfo => self.userinfo(outcome).await,
            ActionKind::RevokeAccess => self.revoke(outcome, false).await,
            ActionKind::RevokeRefresh => self.revoke(outcome, true).await,
            ActionKind::Logout => {
                outcome.tokens = None;
                outcome.claims = Map::new();
                let detail = "the relying party forgot the tokens and the person";
                outcome.push(StepKind::Logout, true, detail.to_owned(), None);
                Ok(())
            }
        };
        outcome.error = result.err().map(|error| shown_error(&error));
    }

    async fn refresh(&self, outcome: &mut Outcome) -> Result<(), DemoError> {
        let kind = StepKind::Refresh;
        let refresh_token = outcome
            .tokens
            .as_ref()
            .and_then(|t| t.refresh_token.clone());
        let refresh_token = refresh_token.ok_or(no_token("refresh_token"))?;
        let form = self
            .relying_party
            .refresh_request(self.provider, &refresh_token)?;
        let tokens = self.tokens(kind, &form, outcome).await?;
        if let Some(id_token) = tokens.id_token.as_deref() {
            // SPID/CIE TK-7: after a refresh the level is SpidL1, whatever was asked for.
            let expected = IdTokenExpectation {
                nonce: None,
                access_token: &tokens.access_token,
                acr_values: &[],
            };
            let verified = self
                .relying_party
                .verify_id_token(self.provider, id_token, &expected);
            let claims = outcome.checked(StepKind::IdToken, verified)?;
            same_subject(outcome, &claims)?;
        }
        show_tokens(&tokens, outcome);
        outcome.tokens = Some(tokens);
        Ok(())
    }

    async fn introspect(&self, outcome: &mut Outcome) -> Result<(), DemoError> {
        let access_token = access_token(outcome)?;
        let form = self
            .relying_party
            .introspection_request(self.provider, &access_token)?;
        let endpoint = &self.provider.introspection_endpoint;
        self.post(StepKind::Introspection, endpoint, &form, outcome)
            .await
            .map(|_| ())
    }

    async fn revoke(&self, outcome: &mut Outcome, refresh: bool) -> Result<(), DemoError> {
        let token = if refresh {
            let tokens = outcome.tokens.as_ref();
            let token = tokens.and_then(|tokens| tokens.refresh_token.clone());
            token.ok_or(no_token("refresh_token"))?
        } else {
            access_token(outcome)?
        };
        let form = self
            .relying_party
            .revocation_request(self.provider, &token)?;
        let endpoint = &self.provider.revocation_endpoint;
        self.post(StepKind::Revocation, endpoint, &form, outcome)
            .await
            .map(|_| ())
    }

    async fn userinfo(&self, outcome: &mut Outcome) -> Result<(), DemoError> {
        let kind = StepKind::UserInfo;
        let access_token = access_token(outcome)?;
        let subject = outcome.subject.clone().unwrap_or_default();
        let url = self.provider.userinfo_endpoint.as_str();
        let request = HttpRequest::Get {
            url,
            bearer: Some(&access_token),
        };
        let answer = outcome.sent(kind, self.http.send(request).await)?;
        if answer.status != 200 {
            outcome.push(
                kind,
                false,
                exchange("GET", url, &answer),
                Some(pretty(&answer)),
            );
            return Err(refusal(&answer));
        }
        let opened = self
            .relying_party
            .open_userinfo(self.provider, &answer.text(), &subject);
        let detail = match &opened {
            Ok(_) => format!(
                "{}; decrypted, and the signature, iss, aud and sub are right",
                exchange("GET", url, &answer)
            ),
            Err(error) => format!("{}; {error}", exchange("GET", url, &answer)),
        };
        let body = opened
            .as_ref()
            .map_or_else(|_| pretty(&answer), pretty_claims);
        outcome.push(kind, opened.is_ok(), detail, Some(body));
        outcome.add_claims(&opened?);
        Ok(())
    }

    async fn tokens(
        &self,
        kind: StepKind,
        form: &Form,
        outcome: &mut Outcome,
    ) -> Result<TokenAnswer, DemoError> {
        let endpoint = &self.provider.token_endpoint;
        let answer = self.post(kind, endpoint, form, outcome).await?;
        TokenAnswer::parse(&answer.body)
    }

    async fn post(
        &self,
        kind: StepKind,
        url: &str,
        fields: &Form,
        outcome: &mut Outcome,
    ) -> Result<HttpAnswer, DemoError> {
        let request = HttpRequest::PostForm { url, fields };
        let answer = outcome.sent(kind, self.http.send(request).await)?;
        let ok = answer.status == 200;
        outcome.push(
            kind,
            ok,
            exchange("POST", url, &answer),
            Some(pretty(&answer)),
        );
        if ok {
            Ok(answer)
        } else {
            Err(refusal(&answer))
        }
    }

    fn id_token(
        &self,
        id_token: &str,
        nonce: Option<&str>,
        tokens: &TokenAnswer,
        outcome: &mut Outcome,
    ) -> Result<(), DemoError> {
        let expected = IdTokenExpectation {
            nonce,
            access_token: &tokens.access_token,
            acr_values: self.acr_values,
        };
        let verified = self
            .relying_party
            .verify_id_token(self.provider, id_token, &expected);
        let claims = outcome.checked(StepKind::IdToken, verified)?;
        let subject = claims.get("sub").and_then(Value::as_str);
        outcome.subject = subject.map(str::to_owned);
        outcome.add_claims(&claims);
        Ok(())
    }
}

impl Outcome {
    /// Adds a step.
    pub(super) fn push(&mut self, kind: StepKind, ok: bool, detail: String, body: Option<String>) {
        if self.steps.len() >= MAX_STEPS {
            self.steps.remove(0);
        }
        self.steps.push(DemoStep {
            kind,
            ok,
            detail,
            body,
        });
    }

    fn sent(
        &mut self,
        kind: StepKind,
        result: Result<HttpAnswer, DemoError>,
    ) -> Result<HttpAnswer, DemoError> {
        result.inspect_err(|error| self.push(kind, false, error.to_string(), None))
    }

    fn checked(
        &mut self,
        kind: StepKind,
        verified: Result<Map<String, Value>, DemoError>,
    ) -> Result<Map<String, Value>, DemoError> {
        match &verified {
            Ok(claims) => {
                let detail = "signature, iss, aud, times, nonce, at_hash and acr are right";
                self.push(kind, true, detail.to_owned(), Some(pretty_claims(claims)));
            }
            Err(error) => self.push(kind, false, error.to_string(), None),
        }
        verified
    }

    fn add_claims(&mut self, claims: &Map<String, Value>) {
        for (name, value) in claims {
            if !PROTOCOL_CLAIMS.contains(&name.as_str()) {
                self.claims.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Tokens that are the provider's business are shown as they are, unverified.
fn show_tokens(tokens: &TokenAnswer, outcome: &mut Outcome) {
    let both = [
        (StepKind::AccessToken, Some(&tokens.access_token)),
        (StepKind::RefreshToken, tokens.refresh_token.as_ref()),
    ];
    for (kind, token) in both {
        let Some(token) = token else { continue };
        let claims = unverified_claims(token);
        let detail = match claims {
            Some(_) => "decoded, not verified: only the provider does that",
            None => "opaque",
        };
        let body = claims.as_ref().map(pretty_claims);
        outcome.push(kind, true, detail.to_owned(), body);
    }
}

fn same_subject(outcome: &Outcome, claims: &Map<String, Value>) -> Result<(), DemoError> {
    let found = claims.get("sub").and_then(Value::as_str);
    if found == outcome.subject.as_deref() {
        return Ok(());
    }
    Err(DemoError::Mismatch {
        token: "id_token",
        claim: "sub",
        expected: outcome.subject.clone().unwrap_or_default(),
        found: found.unwrap_or("absent").to_owned(),
    })
}

fn access_token(outcome: &Outcome) -> Result<String, DemoError> {
    let tokens = outcome.tokens.as_ref();
    tokens
        .map(|tokens| tokens.access_token.clone())
        .ok_or(no_token("access_token"))
}

const fn no_token(claim: &'static str) -> DemoError {
    DemoError::Missing {
        token: "this login",
        claim,
        expected: "there",
    }
}

fn exchange(method: &str, url: &str, answer: &HttpAnswer) -> String {
    let kind = answer.content_type.as_deref().unwrap_or("no content type");
    format!("{method} {url}: HTTP {}, {kind}", answer.status)
}

fn refusal(answer: &HttpAnswer) -> DemoError {
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    DemoError::Refused {
        error: text("error").unwrap_or_else(|| format!("HTTP {}", answer.status)),
        description: text("error_description").unwrap_or_default(),
    }
}

/// What the result page's alert says.
pub(super) fn shown_error(error: &DemoError) -> (String, String) {
    match error {
        DemoError::Refused { error, description } => (error.clone(), description.clone()),
        other => ("rp_check_failed".to_owned(), other.to_string()),
    }
}

fn shown_answer(answer: &AuthorizationAnswer) -> String {
    let members = [
        ("code", &answer.code),
        ("state", &answer.state),
        ("iss", &answer.iss),
        ("error", &answer.error),
        ("error_description", &answer.error_description),
    ];
    let members: Map<String, Value> = members
        .into_iter()
        .filter_map(|(name, value)| value.clone().map(|value| (name.to_owned(), value.into())))
        .collect();
    pretty_claims(&members)
}

fn pretty(answer: &HttpAnswer) -> String {
    match serde_json::from_slice::<Value>(&answer.body) {
        Ok(json) => cut(format!("{json:#}")),
        Err(_) => cut(answer.text()),
    }
}

/// Claims as indented JSON, cut when very long.
pub(super) fn pretty_claims(claims: &Map<String, Value>) -> String {
    cut(format!("{:#}", Value::Object(claims.clone())))
}

fn cut(text: String) -> String {
    if text.chars().count() <= SHOWN_CHARACTERS {
        return text;
    }
    let mut beginning: String = text.chars().take(SHOWN_CHARACTERS).collect();
    beginning.push('…');
    beginning
}
