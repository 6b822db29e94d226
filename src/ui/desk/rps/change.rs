//! What is done to an RP with one button: the switch, its tokens, its chain, its removal.

use super::{CHANGE, ONE, PATH, Wanted, look, of_form, of_query, one};
use crate::administration::parties::{self, PartyError, REVOKED_AT_ONCE};
use crate::endpoint::{Note, Trouble};
use crate::model::CheckKind;
use crate::store::client_desk;
use crate::ui::desk::{Desk, Outcome, Section};
use crate::ui::visit::PageFailure;
use crate::ui::{ConfirmPage, OutcomeView};

/// Grants are counted up to here; beyond, the page says "more than": each has a row to be read.
const COUNTED: u32 = 1_000;
/// What asks before it is done.
const CONFIRMED: [&str; 3] = ["disable", "revoke", "delete"];

fn no_such_change() -> PageFailure {
    PageFailure::Refused(Trouble::InvalidRequest, "there is no such change")
}

/// Asks once more before what hurts when it is done by mistake.
pub(super) async fn confirm(desk: &Desk<'_>) -> Outcome {
    let change = desk.query().get("change").unwrap_or_default().to_owned();
    if !CONFIRMED.contains(&change.as_str()) {
        return Err(no_such_change());
    }
    let wanted = of_query(desk).await?;
    let (key, now) = (wanted.key(), desk.now());
    let live = desk
        .shared()
        .store
        .read(move |conn| {
            let party = (&key.issuer, &key.client_id);
            client_desk::count_grants(conn, party, now, COUNTED)
        })
        .await?;
    let most = usize::try_from(COUNTED).unwrap_or(usize::MAX);
    let fact = |name: &str, value: String| OutcomeView {
        name: desk.text(name),
        value,
    };
    let counted = live.to_string();
    let page = ConfirmPage {
        desk: desk.view(Section::Rps),
        title: desk.text(&format!("desk-rp-confirm-{change}")),
        explanations: vec![desk.text(&format!("desk-rp-explain-{change}"))],
        facts: vec![
            fact("desk-rp-field-name", super::row(desk, &wanted).name),
            fact("desk-rp-client-id", wanted.party.client_id.to_string()),
            fact("desk-rp-issuer", wanted.op.settings.id.clone()),
            fact(
                "desk-rp-live-grants",
                if live < most {
                    counted
                } else {
                    format!("≥ {counted}")
                },
            ),
        ],
        fields: vec![
            ("issuer".to_owned(), wanted.op.settings.slug().to_owned()),
            ("client_id".to_owned(), wanted.party.client_id.to_string()),
            ("change".to_owned(), change.clone()),
        ],
        button: desk.text(&format!("desk-rp-confirm-{change}")),
        action_url: CHANGE.to_owned(),
        back_url: wanted.link(ONE, &[]),
    };
    desk.page(200, &page)
}

pub(super) async fn change(desk: &Desk<'_>) -> Outcome {
    let change = desk.field("change").to_owned();
    let wanted = of_form(desk).await?;
    match change.as_str() {
        "disable" => switch(desk, &wanted, false).await,
        "enable" => switch(desk, &wanted, true).await,
        "refresh" => refresh(desk, &wanted).await,
        "revoke" => match revoke(desk, &wanted).await {
            Ok(_) => Ok(done(desk, &wanted, "rp_revoked")),
            Err(error) => failed(desk, &wanted, error).await,
        },
        "delete" => delete(desk, &wanted).await,
        _ => Err(no_such_change()),
    }
}

pub(super) fn done(desk: &Desk<'_>, wanted: &Wanted, notice: &str) -> crate::endpoint::Reply {
    let slug = wanted.op.settings.slug();
    let parameters = [
        ("issuer", slug),
        ("client_id", wanted.party.client_id.as_str()),
    ];
    desk.done(ONE, &parameters, notice)
}

/// Why nothing was done, on the RP's page.
pub(super) async fn failed(desk: &Desk<'_>, wanted: &Wanted, error: PartyError) -> Outcome {
    let name = match error {
        PartyError::Store(error) => return Err(error.into()),
        PartyError::Unknown => "unknown",
        PartyError::Exists => "exists",
        PartyError::NotRegistered => "not_registered",
        PartyError::NoSecret => "no_secret",
        PartyError::Overlap => "overlap",
        PartyError::Changed => "changed",
        PartyError::NothingToAsk => "nothing_to_ask",
        PartyError::Busy => "busy",
    };
    let text = desk.text(&format!("desk-rp-error-{name}"));
    one::page(desk, wanted, (409, Some(text))).await
}

async fn switch(desk: &Desk<'_>, wanted: &Wanted, enabled: bool) -> Outcome {
    let (actor, key, now) = (desk.actor(), wanted.key(), desk.now());
    let switched = desk
        .shared()
        .store
        .write(move |tx| parties::set_enabled(tx, &actor, (&key, enabled), now))
        .await;
    // Other nodes see the change when they next ask for it; this one knows already.
    wanted.op.forget_client(&wanted.party.client_id).await;
    match switched {
        Ok(()) => {
            let (event, notice) = match enabled {
                true => ("rp.enabled", "rp_enabled"),
                false => ("rp.disabled", "rp_disabled"),
            };
            let note = Note::new(log::Level::Warn, event)
                .with("issuer", wanted.op.settings.id.clone())
                .with("client_id", wanted.party.client_id.as_str());
            Ok(done(desk, wanted, notice).noted(note))
        }
        Err(error) => failed(desk, wanted, error).await,
    }
}

/// In batches, so that logins get through; what was revoked before an interruption stays so.
async fn revoke(desk: &Desk<'_>, wanted: &Wanted) -> Result<usize, PartyError> {
    let mut total = 0_usize;
    let full = usize::try_from(REVOKED_AT_ONCE).unwrap_or(usize::MAX);
    loop {
        let (actor, key, now) = (desk.actor(), wanted.key(), desk.now());
        let revoked = desk
            .shared()
            .store
            .write(move |tx| parties::revoke_tokens(tx, &actor, &key, now))
            .await?;
        total = total.saturating_add(revoked);
        if revoked < full {
            return Ok(total);
        }
    }
}

async fn delete(desk: &Desk<'_>, wanted: &Wanted) -> Outcome {
    let (actor, key, now) = (desk.actor(), wanted.key(), desk.now());
    // Refused before anything is revoked, where it cannot be removed.
    if !matches!(wanted.party.origin, crate::model::Origin::Registered) {
        return failed(desk, wanted, PartyError::NotRegistered).await;
    }
    if let Err(error) = revoke(desk, wanted).await {
        return failed(desk, wanted, error).await;
    }
    let deleted = desk
        .shared()
        .store
        .write(move |tx| parties::delete(tx, &actor, &key, now))
        .await;
    wanted.op.forget_client(&wanted.party.client_id).await;
    match deleted {
        Ok(()) => Ok(desk.done(PATH, &[], "rp_deleted")),
        Err(error) => failed(desk, wanted, error).await,
    }
}

/// Has the chain resolved now. When that fails the old one counts until it ends.
async fn refresh(desk: &Desk<'_>, wanted: &Wanted) -> Outcome {
    if !parties::can_refresh(&wanted.op, &wanted.party) {
        return failed(desk, wanted, PartyError::NothingToAsk).await;
    }
    let what = (&wanted.party.client_id, CheckKind::Refresh);
    look::begin(desk, &wanted.op, what).await
}
