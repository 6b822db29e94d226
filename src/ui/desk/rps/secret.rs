//! The secret of an RP: a new one beside the old one for a while. It is shown once, in the answer to the form.

use super::{ONE, SECRET, Wanted, change, of_form, of_query};
use crate::administration::parties::{self, PartyError, has_secret, secret_mark};
use crate::clock::UtcTime;
use crate::endpoint::Reply;
use crate::model::{ClientId, Origin};
use crate::provider::Provider;
use crate::secret::Secret;
use crate::ui::desk::visit::link;
use crate::ui::desk::{Desk, Outcome, Section};
use crate::ui::{OptionView, RpRotatePage, RpSecretPage};
use std::sync::Arc;

/// For how long the old secret counts: name in message keys, seconds.
const OVERLAPS: [(&str, i64); 5] = [
    ("none", 0),
    ("hour", 3_600),
    ("day", 86_400),
    ("week", 7 * 86_400),
    ("month", 30 * 86_400),
];

pub(super) async fn ask(desk: &Desk<'_>) -> Outcome {
    let wanted = of_query(desk).await?;
    page(desk, &wanted, 200, None).await
}

async fn page(
    desk: &Desk<'_>,
    wanted: &Wanted,
    status: u16,
    overlap_error: Option<String>,
) -> Outcome {
    if !matches!(wanted.party.origin, Origin::Registered) {
        return change::failed(desk, wanted, PartyError::NotRegistered).await;
    }
    if !has_secret(&wanted.party.metadata) {
        return change::failed(desk, wanted, PartyError::NoSecret).await;
    }
    let has_old = wanted.party.metadata.client_secret_sha256.is_some();
    let option = |(name, _): &(&str, i64)| OptionView {
        value: (*name).to_owned(),
        name: desk.text(&format!("desk-rp-overlap-{name}")),
        chosen: *name == "day",
    };
    let page = RpRotatePage {
        desk: desk.view(Section::Rps),
        name: super::row(desk, wanted).name,
        issuer_slug: wanted.op.settings.slug().to_owned(),
        client_id: wanted.party.client_id.to_string(),
        mark: secret_mark(&wanted.party.metadata),
        overlaps: match has_old {
            true => OVERLAPS.iter().map(option).collect(),
            false => Vec::new(),
        },
        overlap_error,
        action_url: SECRET,
        back_url: wanted.link(ONE, &[]),
    };
    desk.page(status, &page)
}

pub(super) async fn rotate(desk: &Desk<'_>) -> Outcome {
    let wanted = of_form(desk).await?;
    let chosen = OVERLAPS
        .iter()
        .find(|(name, _)| *name == desk.field("overlap"));
    let has_old = wanted.party.metadata.client_secret_sha256.is_some();
    // What was not chosen would end the old secret at once.
    let overlap = match (chosen, has_old) {
        (Some((_, seconds)), _) => *seconds,
        (None, false) => 0,
        (None, true) => {
            let error = Some(desk.text("desk-rp-overlap-missing"));
            return page(desk, &wanted, 422, error).await;
        }
    };
    let (actor, key, now) = (desk.actor(), wanted.key(), desk.now());
    let seen = desk.field("mark").to_owned();
    let rotated = desk
        .shared()
        .store
        .write(move |tx| parties::rotate_secret(tx, &actor, (&key, overlap, Some(&seen)), now))
        .await;
    wanted.op.forget_client(&wanted.party.client_id).await;
    let until = (overlap > 0 && has_old).then(|| now.plus_seconds(overlap));
    match rotated {
        Ok(new) => shown(desk, (&wanted.op, &wanted.party.client_id), &new, until),
        Err(error) => change::failed(desk, &wanted, error).await,
    }
}

/// The page with the secret, which nobody may store and which is not asked for again.
pub(super) fn shown(
    desk: &Desk<'_>,
    (op, client_id): (&Arc<Provider>, &ClientId),
    new: &Secret<String>,
    old_until: Option<UtcTime>,
) -> Result<Reply, crate::ui::visit::PageFailure> {
    let about = [
        ("issuer", op.settings.slug()),
        ("client_id", client_id.as_str()),
    ];
    let page = RpSecretPage {
        desk: desk.view(Section::Rps),
        client_id: client_id.to_string(),
        secret: new.expose().clone(),
        old_until,
        next_url: link(ONE, &about),
    };
    desk.page(200, &page)
}
