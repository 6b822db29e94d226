//! `/introspection` (RFC 7662, SPID/CIE IN-1).

use super::token_query::{TokenQuery, TokenQueryEndpoint};
use crate::clock::UtcTime;
use crate::endpoint::Reply;
use crate::model::{TokenKind, TokenStatus};
use crate::profile::Path;
use crate::provider::Provider;
use crate::store::{DbConn, StoreError};
use serde::Serialize;

/// The endpoint.
pub type IntrospectionEndpoint = TokenQueryEndpoint<Introspection>;

/// Is my token alive?
pub struct Introspection;

/// RFC 7662 §2.2.
#[derive(Serialize)]
struct IntrospectionResponse<'a> {
    active: bool,
    #[serde(flatten)]
    details: Option<Details<'a>>,
}

#[derive(Serialize)]
struct Details<'a> {
    scope: String,
    exp: UtcTime,
    sub: &'a str,
    client_id: &'a str,
    iss: &'a str,
    aud: String,
}

impl TokenQuery for Introspection {
    const PATH: Path = Path::Introspection;
    const ANSWERED: &'static str = "introspection.answered";
    const REFUSED: &'static str = "introspection.refused";
    /// The token, when it is active.
    type Found = Option<Box<TokenStatus>>;

    fn process(
        op: &Provider,
        _tx: &mut DbConn,
        token: Option<TokenStatus>,
    ) -> Result<Self::Found, StoreError> {
        Ok(token
            .filter(|status| status.is_active(op.now()))
            .map(Box::new))
    }

    fn answer(op: &Provider, found: &Self::Found) -> (Reply, (&'static str, &'static str)) {
        let details = found
            .as_ref()
            .filter(|_| op.profile.introspection_details)
            .map(|status| Details {
                scope: status.grant.request.scope.join(" "),
                exp: status.token.expires_at,
                sub: &status.grant.subject,
                client_id: status.grant.client_id.as_str(),
                iss: &op.settings.id,
                aud: op.url(match status.token.kind {
                    TokenKind::Access => Path::Userinfo,
                    TokenKind::Refresh => Path::Token,
                }),
            });
        let active = found.is_some();
        let reply = Reply::json(200, &IntrospectionResponse { active, details });
        (reply, ("active", if active { "true" } else { "false" }))
    }
}
