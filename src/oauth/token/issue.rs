//! Rows first, signatures after the commit.

use super::code::IdTokenLevel;
use super::{TokenEndpoint, TokenError};
use crate::clock::UtcTime;
use crate::endpoint::{Decision, Note};
use crate::jose::JoseError;
use crate::model::{Grant, Token, TokenId, TokenKind, TokenState};
use crate::oauth::claims::{self, Place};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::tokens::{
    self, ACCESS_TOKEN_TYPE, IdTokenPlan, REFRESH_TOKEN_TYPE, SigningChoice,
};
use crate::provider::Provider;
use crate::store::{DbConn, account, login_event, token};

/// No refresh token lives longer (SPID/CIE TK-6).
const MAX_REFRESH_SECONDS: i64 = 30 * 86_400;

/// What to issue.
pub(super) struct Plan {
    pub(super) generation: i64,
    pub(super) id_token_level: Option<IdTokenLevel>,
}

/// Rows that are written, to be signed after the commit.
#[derive(Debug)]
pub struct Granted {
    grant: Grant,
    access: Token,
    refresh: Option<Token>,
    id_token: Option<IdTokenPlan>,
    signing: SigningChoice,
}

/// The signed tokens.
pub(super) struct Signed {
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    pub(super) id_token: Option<String>,
}

pub(super) fn issue(
    op: &Provider,
    tx: &mut DbConn,
    client: &AuthenticatedClient,
    grant: Grant,
    plan: &Plan,
) -> Result<Decision<TokenEndpoint>, TokenError> {
    let now = op.now();
    let Some(person) = account::find(tx, &grant.account)?.filter(|person| person.enabled) else {
        return Ok(Decision::Refused(TokenError::AccountDisabled));
    };
    let signing = tokens::own_signing(op)
        .ok_or(TokenError::Unserviceable("the provider has no RS256 key"))?;
    let lifetimes = &op.settings.lifetimes;
    let own = client.client().metadata().lifetimes;
    let shorter = |issuer: i64, own: Option<i64>| own.map_or(issuer, |own| own.min(issuer));
    let row = |kind, seconds: i64| Token {
        id: TokenId::random(),
        kind,
        grant: grant.id.clone(),
        generation: plan.generation,
        client_id: grant.client_id.clone(),
        issued_at: now,
        expires_at: now.plus_seconds(seconds).min(grant.expires_at),
        state: TokenState::Live,
    };
    let access = row(
        TokenKind::Access,
        shorter(lifetimes.access_token, own.access_token),
    );
    let refresh = grant.offline_access.then(|| {
        row(
            TokenKind::Refresh,
            shorter(lifetimes.refresh_token, own.refresh_token).min(MAX_REFRESH_SECONDS),
        )
    });
    let id_token = match plan.id_token_level {
        None => None,
        Some(level) => Some(IdTokenPlan {
            acr: match level {
                IdTokenLevel::OfGrant => grant.acr.clone(),
                IdTokenLevel::OfRefresh => op.settings.refresh_acr.clone(),
            },
            attributes: claims::values(
                op,
                &claims::wanted(op, &grant.request, Place::IdToken),
                &person.attributes,
            ),
            signing: SigningChoice::for_name(
                op,
                client
                    .client()
                    .metadata()
                    .id_token_signed_response_alg
                    .as_deref(),
            )
            .ok_or(TokenError::Unserviceable(
                "RP metadata: id_token_signed_response_alg is not supported",
            ))?,
            encryption: tokens::id_token_encryption(op, client.client())
                .map_err(TokenError::Unserviceable)?,
            expires_at: now.plus_seconds(shorter(lifetimes.id_token, own.id_token)),
            issued_at: now,
        }),
    };
    token::insert(tx, &access)?;
    if let Some(refresh) = &refresh {
        token::insert(tx, refresh)?;
    }
    let until = last_end(&access, refresh.as_ref());
    login_event::extend_access(tx, &grant.id, until)?;
    Ok(Decision::Granted(Granted {
        grant,
        access,
        refresh,
        id_token,
        signing,
    }))
}

fn last_end(access: &Token, refresh: Option<&Token>) -> UtcTime {
    refresh.map_or(access.expires_at, |refresh| {
        refresh.expires_at.max(access.expires_at)
    })
}

impl Granted {
    pub(super) fn expires_in(&self) -> i64 {
        self.access.expires_at.seconds_since(self.access.issued_at)
    }

    pub(super) fn scope(&self) -> String {
        self.grant.request.scope.join(" ")
    }

    pub(super) fn note(&self) -> Note {
        Note::new(log::Level::Info, "token.granted")
            .with("client_id", self.grant.client_id.as_str())
            .with("grant", self.grant.id.as_str())
            .with("generation", self.access.generation.to_string())
            .with("refresh_token", self.refresh.is_some().to_string())
    }

    pub(super) fn sign(&self, op: &Provider) -> Result<Signed, JoseError> {
        let access_token = self.signing.sign(
            Some(ACCESS_TOKEN_TYPE),
            None,
            &tokens::access_token(op, &self.grant, &self.access),
        )?;
        let refresh_token = self
            .refresh
            .as_ref()
            .map(|refresh| {
                self.signing.sign(
                    Some(REFRESH_TOKEN_TYPE),
                    None,
                    &tokens::refresh_token(op, &self.grant, refresh),
                )
            })
            .transpose()?;
        let id_token = self
            .id_token
            .as_ref()
            .map(|plan| plan.issue(op, &self.grant, &access_token))
            .transpose()?;
        Ok(Signed {
            access_token,
            refresh_token,
            id_token,
        })
    }
}
