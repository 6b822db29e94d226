//! What is tolerated of one RP, shown with where it comes from, and changed with what it weakens.

use super::{ONE, TOLERATE, Wanted, change, form, of_form, of_query};
use crate::administration::parties::{
    self, MOST_LEEWAY_SECONDS, ToleranceField, Tolerated, read_tolerance,
};
use crate::model::RpToleranceOverride;
use crate::ui::desk::{Desk, Outcome, Section};
use crate::ui::{ConflictView, Field, OptionView, RpTolerancePage, ToleranceView};

/// The tolerances that count, for the RP's page.
pub(super) fn views(desk: &Desk<'_>, wanted: &Wanted) -> Vec<ToleranceView> {
    let own = &wanted.party.tolerance;
    let counts = wanted.op.tolerance(&wanted.party.client_id, own);
    let all = RpToleranceOverride {
        clock_leeway_seconds: Some(counts.clock_leeway_seconds),
        missing_exp: Some(counts.missing_exp),
        userinfo_content_type: Some(counts.userinfo_content_type),
    };
    ToleranceField::ALL
        .map(|field| ToleranceView {
            name: label(desk, field),
            value: value_name(desk, field, &field.text_of(&all)),
            is_own: !field.text_of(own).is_empty(),
        })
        .to_vec()
}

fn label(desk: &Desk<'_>, field: ToleranceField) -> String {
    desk.text(&format!("desk-rp-tolerance-{}", field.name()))
}

/// A value for people; the configuration's where it is empty.
fn value_name(desk: &Desk<'_>, field: ToleranceField, text: &str) -> String {
    match (field, text) {
        (_, "") => desk.text("desk-rp-tolerance-as-configured"),
        (ToleranceField::MissingExp, "true") => desk.text("desk-rp-tolerance-yes"),
        (ToleranceField::MissingExp, "false") => desk.text("desk-rp-tolerance-no"),
        (_, text) => text.to_owned(),
    }
}

/// Everything that the form shows.
struct Shown {
    texts: [String; 3],
    seen: RpToleranceOverride,
    wrong: Vec<ToleranceField>,
    conflicts: Vec<ConflictView>,
}

pub(super) async fn show(desk: &Desk<'_>) -> Outcome {
    let wanted = of_query(desk).await?;
    let mut seen = wanted.party.tolerance;
    let mut texts = ToleranceField::ALL.map(|field| field.text_of(&seen));
    // What was typed before the session ended, with what was seen then.
    if let Some(base) = desk.form().get("base") {
        seen = serde_json::from_str(base).unwrap_or_default();
        texts = ToleranceField::ALL.map(|field| desk.field(field.name()).to_owned());
    }
    let shown = Shown {
        texts,
        seen,
        wrong: Vec::new(),
        conflicts: Vec::new(),
    };
    page(desk, &wanted, (200, shown))
}

pub(super) async fn set(desk: &Desk<'_>) -> Outcome {
    let wanted = of_form(desk).await?;
    let base = desk.form().get("base").unwrap_or_default();
    let mut shown = Shown {
        texts: ToleranceField::ALL.map(|field| desk.field(field.name()).to_owned()),
        seen: serde_json::from_str(base).unwrap_or_default(),
        wrong: Vec::new(),
        conflicts: Vec::new(),
    };
    let tolerance = match read_tolerance(|field| desk.field(field.name())) {
        Ok(tolerance) => tolerance,
        Err(wrong) => {
            shown.wrong = wrong;
            return page(desk, &wanted, (422, shown));
        }
    };
    let (actor, key, now, seen) = (desk.actor(), wanted.key(), desk.now(), shown.seen);
    let tolerated = desk
        .shared()
        .store
        .write(move |tx| parties::tolerate(tx, &actor, (&key, &seen, &tolerance), now))
        .await;
    wanted.op.forget_client(&wanted.party.client_id).await;
    let current = match tolerated {
        Ok(Tolerated::Saved) => return Ok(change::done(desk, &wanted, "rp_tolerated")),
        Ok(Tolerated::Changed(current)) => current,
        Err(error) => return change::failed(desk, &wanted, error).await,
    };
    let changes = form::last_changes(desk, &wanted).await?;
    for (field, text) in ToleranceField::ALL.into_iter().zip(&mut shown.texts) {
        let (was, theirs) = (field.text_of(&shown.seen), field.text_of(&current));
        if was == theirs {
            continue;
        }
        let taken_over = *text == was;
        shown.conflicts.push(ConflictView {
            name: label(desk, field),
            theirs: value_name(desk, field, &theirs),
            yours: value_name(desk, field, text),
            taken_over,
            by: changes.of(field.name()),
        });
        if taken_over {
            *text = theirs;
        }
    }
    shown.seen = current;
    page(desk, &wanted, (409, shown))
}

fn page(desk: &Desk<'_>, wanted: &Wanted, (status, shown): (u16, Shown)) -> Outcome {
    let [clock, missing_exp, content_type] = &shown.texts;
    let error = |field: ToleranceField| {
        let says = || desk.text(&format!("desk-rp-tolerance-wrong-{}", field.name()));
        shown.wrong.contains(&field).then(says)
    };
    let configured = wanted
        .op
        .settings
        .tolerance_for(wanted.party.client_id.as_str());
    let options = |field: ToleranceField, chosen: &str, values: [&str; 3]| {
        let option = |value: &str| OptionView {
            value: value.to_owned(),
            name: value_name(desk, field, value),
            chosen: value == chosen,
        };
        values.map(option).to_vec()
    };
    let base = serde_json::to_string(&shown.seen);
    let page = RpTolerancePage {
        desk: desk.view(Section::Rps),
        name: super::row(desk, wanted).name,
        issuer_slug: wanted.op.settings.slug().to_owned(),
        client_id: wanted.party.client_id.to_string(),
        base: base.unwrap_or_default(),
        clock_leeway_seconds: Field {
            value: clock.clone(),
            error: error(ToleranceField::ClockLeeway),
        },
        configured_seconds: configured.clock_leeway_seconds,
        most_seconds: MOST_LEEWAY_SECONDS,
        missing_exp: options(
            ToleranceField::MissingExp,
            missing_exp,
            ["", "true", "false"],
        ),
        missing_exp_error: error(ToleranceField::MissingExp),
        userinfo_content_type: options(
            ToleranceField::UserinfoContentType,
            content_type,
            ["", "application/jwt", "application/jose"],
        ),
        userinfo_content_type_error: error(ToleranceField::UserinfoContentType),
        faulty: !shown.wrong.is_empty(),
        conflicts: shown.conflicts,
        action_url: TOLERATE,
        back_url: wanted.link(ONE, &[]),
    };
    desk.page(status, &page)
}
