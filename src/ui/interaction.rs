//! The interaction that a page belongs to, proven by the browser's cookie.

use super::visit::{PageFailure, Visit};
use crate::endpoint::{Reply, Trouble};
use crate::model::{ErrorCode, Interaction, InteractionId, InteractionState, SecretHash};
use crate::oauth::authorization::answer::{self, Answer};
use crate::provider::Provider;
use crate::store::login_count::{self, EndedLogin, LoginResult};
use crate::store::{StoreError, interaction};

/// An interaction that is open and belongs to this browser.
pub struct OpenInteraction {
    /// The row.
    pub interaction: Interaction,
    /// The value of its cookie: what form tokens are made of.
    pub secret: String,
}

/// Finds the interaction that the page's address names.
///
/// # Errors
/// There is none, it has ended or was answered, or the browser has not its cookie.
pub async fn find(visit: &Visit<'_>, id: &str) -> Result<OpenInteraction, PageFailure> {
    let refused = |trouble, reason| Err(PageFailure::Refused(trouble, reason));
    let id = InteractionId::new(id);
    let name = visit.op.interaction_cookie_name(&id);
    let found = visit
        .op
        .shared
        .store
        .read(move |connection| interaction::find(connection, &id))
        .await?
        .filter(|found| found.issuer == visit.op.issuer);
    let Some(found) = found else {
        return refused(
            Trouble::InteractionExpired,
            "the login is not known any more",
        );
    };
    let _first = visit.ui_locales.set(found.request.ui_locales.clone());
    if found.state == InteractionState::Answered {
        return refused(Trouble::AlreadyAnswered, "the login was answered already");
    }
    if visit.now() >= found.expires_at {
        return refused(Trouble::InteractionExpired, "the login took too long");
    }
    match visit.inbound.cookie(&name) {
        Some(secret) if SecretHash::of(secret) == found.browser => Ok(OpenInteraction {
            secret: secret.to_owned(),
            interaction: found,
        }),
        _ => refused(
            Trouble::LostCookie,
            "the browser has not the cookie of this login",
        ),
    }
}

impl OpenInteraction {
    /// Its key as text.
    #[must_use]
    pub fn id(&self) -> &str {
        self.interaction.id.as_str()
    }

    /// A login for it that ends now without access, at the level that was asked for.
    fn ended(&self, visit: &Visit<'_>, result: LoginResult) -> EndedLogin {
        let request = &self.interaction.request;
        let level = visit.op.level_for(&request.acr_values);
        EndedLogin {
            issuer: visit.op.issuer.clone(),
            client_id: request.client_id.clone(),
            acr: level.unwrap_or_default().to_owned(),
            result,
            at: visit.now(),
        }
    }

    /// A password, code or key was wrong.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_failure(&self, visit: &Visit<'_>) -> Result<(), StoreError> {
        let login = self.ended(visit, LoginResult::Failed);
        visit
            .op
            .shared
            .store
            .write(move |tx| login_count::count(tx, &login))
            .await
    }

    /// Ends it with `access_denied` for the RP (SPID/CIE AZ-12).
    ///
    /// # Errors
    /// It was answered meanwhile, or the database failed.
    pub async fn deny(
        &self,
        visit: &Visit<'_>,
        description: &'static str,
    ) -> Result<Reply, PageFailure> {
        let id = self.interaction.id.clone();
        let browser = self.interaction.browser;
        let now = visit.now();
        let login = self.ended(visit, LoginResult::Denied);
        let ended = visit
            .op
            .shared
            .store
            .write(move |tx| -> Result<bool, StoreError> {
                let ended = interaction::abandon(tx, &id, &browser, now)?;
                if ended {
                    login_count::count(tx, &login)?;
                }
                Ok(ended)
            })
            .await?;
        if !ended {
            return Err(PageFailure::Refused(
                Trouble::AlreadyAnswered,
                "the login was answered already",
            ));
        }
        Ok(self.answer(
            visit.op,
            Answer::Error(ErrorCode::AccessDenied, description.to_owned()),
        ))
    }

    /// Sends the browser to the RP; the interaction's cookie is not needed any more.
    #[must_use]
    pub fn answer(&self, op: &Provider, answer: Answer) -> Reply {
        answer::send(op, &self.interaction.request.destination, answer).cookie(
            crate::endpoint::CookieChange::Remove(op.interaction_cookie_name(&self.interaction.id)),
        )
    }
}
