//! What surrounds the page of every step of a login for an RP.

use super::super::interaction::OpenInteraction;
use super::super::visit::{self, Visit, csrf_token};
use super::super::{Layout, Level, OtherWay, RpView, StepView};
use super::Login;
use crate::endpoint::Reply;
use crate::federation::Source;
use crate::model::Method;
use crate::provider::{Discovery, KnownClient};
use std::sync::Arc;

/// What surrounds it.
pub(super) struct Around {
    pub(super) view: StepView,
    pub(super) layout: Layout,
    client: Option<Arc<KnownClient>>,
}

/// The address of a login's page, asking for a method; the password is asked for where nothing else is.
pub(super) fn url(visit: &Visit<'_>, open: &OpenInteraction, method: Option<Method>) -> String {
    let with = method
        .filter(|method| *method != Method::Password)
        .map_or("", Method::name);
    visit.link("/login", &[("interaction", open.id()), ("with", with)])
}

impl Around {
    /// For the page that asks for `method`, of somebody who may choose `others` instead.
    pub(super) async fn of(
        visit: &Visit<'_>,
        (login, open): (&Login, &OpenInteraction),
        (method, others): (Option<Method>, Vec<Method>),
    ) -> Self {
        let request = &open.interaction.request;
        let locale = visit.locale(&request.ui_locales);
        let client = visit.op.find_client(
            &request.client_id,
            Discovery::Renew(Source::of(visit.inbound.address)),
        );
        // Following a trust chain is a large future, and this is the end of a long row of them.
        let client = Box::pin(client).await.ok();
        let rp = client.as_ref().map_or_else(
            || RpView {
                name: request.client_id.to_string(),
                entity_id: request.client_id.to_string(),
                logo_url: None,
                policy_url: None,
            },
            |client| visit::rp_view(client, locale),
        );
        let view = StepView {
            rp,
            level: Level::from_acr(&login.level),
            other_ways: ways(visit, open, others),
            may_restart: false,
            csrf_token: csrf_token(&login.secret, &login.purpose()),
            action_url: url(visit, open, method),
        };
        Self {
            view,
            layout: visit.layout(locale, None, false),
            client,
        }
    }

    /// The page, allowed to show the RP's logo and to lead to the RP.
    pub(super) fn html(
        &self,
        visit: &Visit<'_>,
        open: &OpenInteraction,
        (status, html): (u16, String),
    ) -> Reply {
        let mut reply = visit.html(status, html);
        // Cancelling answers this form with a redirect to the RP, which browsers hold against form-action.
        let destination = &open.interaction.request.destination;
        reply
            .form_actions
            .extend(visit::origin_of(&destination.redirect_uri));
        reply.images.extend(
            self.client
                .as_ref()
                .and_then(|client| client.metadata().logo_uri.as_deref())
                .and_then(visit::origin_of),
        );
        reply
    }
}

/// The links to the pages of other methods.
pub(super) fn ways(
    visit: &Visit<'_>,
    open: &OpenInteraction,
    methods: Vec<Method>,
) -> Vec<OtherWay> {
    methods
        .into_iter()
        .map(|method| OtherWay {
            method: method.name(),
            url: url(visit, open, Some(method)),
        })
        .collect()
}
