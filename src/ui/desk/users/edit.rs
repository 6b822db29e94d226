//! Adding somebody, and changing attributes.

use super::super::visit::link;
use super::super::{Desk, Outcome, Section};
use super::{ADD, EDIT, ONE, PATH, fault_text, fields, wanted};
use crate::accounts::fault::{Fault, FaultKind};
use crate::administration::Office;
use crate::administration::users::{self, Edit, NewUser, UserError};
use crate::endpoint::Trouble;
use crate::model::Account;
use crate::secret::Secret;
use crate::ui::visit::PageFailure;
use crate::ui::{EditedUser, Field, OutcomeView, UserEditPage, attribute_name, attribute_value};
use serde_json::Map;

pub(super) const BUSY: PageFailure =
    PageFailure::Refused(Trouble::Busy, "too many passwords are being checked");

/// What is said beside the fields.
#[derive(Default)]
struct Told<'a> {
    faults: &'a [Fault],
    name_taken: bool,
    changed: Vec<String>,
    /// The form shows what was typed.
    again: bool,
}

pub(super) async fn show_add(desk: &Desk<'_>) -> Outcome {
    page(desk, 200, None, Told::default())
}

pub(super) async fn add(desk: &Desk<'_>) -> Outcome {
    let username = desk.field("username").to_owned();
    let password = desk.form().get("password").unwrap_or_default().to_owned();
    let mut faults = Vec::new();
    if let Err(UserError::Wrong(wrong)) = users::check_username(&username) {
        faults.extend(wrong);
    }
    if !password.is_empty()
        && let Err(UserError::Wrong(wrong)) = users::check_password(&password)
    {
        faults.extend(wrong);
    }
    let attributes = read(desk, None).unwrap_or_else(|wrong| {
        faults.extend(wrong);
        Map::new()
    });
    if !faults.is_empty() {
        return refuse(desk, None, &faults);
    }
    let shared = desk.shared();
    let password_hash = match password.is_empty() {
        true => None,
        false => Some(
            shared
                .passwords
                .hash(Secret::new(password))
                .await
                .map_err(|_| BUSY)?,
        ),
    };
    let (actor, now) = (desk.actor(), desk.now());
    let new = NewUser {
        username,
        password_hash,
        attributes,
    };
    let added = shared
        .store
        .write(move |tx| users::add(tx, &actor, new, now))
        .await;
    match added {
        Ok(person) => Ok(desk.done(ONE, &[("id", person.id.as_str())], "user_added")),
        Err(UserError::Store(error)) => Err(error.into()),
        Err(UserError::Wrong(wrong)) => refuse(desk, None, &wrong),
        Err(_) => {
            let told = Told {
                name_taken: true,
                again: true,
                ..Told::default()
            };
            page(desk, 422, None, told)
        }
    }
}

pub(super) async fn show(desk: &Desk<'_>) -> Outcome {
    let person = wanted(desk, desk.query().get("id").unwrap_or_default()).await?;
    page(desk, 200, Some(&person), Told::default())
}

pub(super) async fn submit(desk: &Desk<'_>) -> Outcome {
    let person = wanted(desk, desk.field("id")).await?;
    let new = match read(desk, Some(&person)) {
        Ok(new) => new,
        Err(faults) => return refuse(desk, Some(&person), &faults),
    };
    let edit = Edit {
        new,
        version: Some(desk.field("version").to_owned()),
        // The form repeats what was known.
        vouches: false,
    };
    let (actor, now, id) = (desk.actor(), desk.now(), person.id.clone());
    let shared = desk.shared();
    let office = Office::of(&shared.server, &shared.key_encryption_key);
    let done = shared
        .store
        .write(move |tx| users::edit(tx, (&actor, &office), (&id, &edit), now))
        .await;
    match done {
        Ok(edited) => {
            let notice = match edited.unverified {
                true => "user_unverified",
                false => "user_changed",
            };
            Ok(desk.done(ONE, &[("id", person.id.as_str())], notice))
        }
        Err(UserError::Store(error)) => Err(error.into()),
        Err(UserError::ChangedMeanwhile(changed)) => {
            let person = wanted(desk, person.id.as_str()).await?;
            let told = Told {
                changed,
                again: true,
                ..Told::default()
            };
            page(desk, 409, Some(&person), told)
        }
        Err(_) => Err(PageFailure::Refused(
            Trouble::NotFound,
            "there is no user of this key",
        )),
    }
}

/// The attributes that the form says.
fn read(
    desk: &Desk<'_>,
    person: Option<&Account>,
) -> Result<Map<String, serde_json::Value>, Vec<Fault>> {
    let settings = &desk.shared().server;
    let nothing = Map::new();
    let known = person.map_or(&nothing, |person| &person.attributes);
    // What somebody has that no issuer refers to any more stays.
    let mut custom = users::custom_attributes(settings);
    custom.extend(known.keys().cloned());
    let claims = fields::claims(known, &custom, desk.form())?;
    let mut faults = Vec::new();
    let attributes = crate::accounts::import::read_attributes(&claims, &custom, &mut faults);
    if faults.is_empty() {
        Ok(attributes)
    } else {
        Err(faults)
    }
}

fn refuse(desk: &Desk<'_>, person: Option<&Account>, faults: &[Fault]) -> Outcome {
    let told = Told {
        faults,
        again: true,
        ..Told::default()
    };
    page(desk, 422, person, told)
}

fn page(desk: &Desk<'_>, status: u16, person: Option<&Account>, told: Told<'_>) -> Outcome {
    let (locale, form) = (desk.locale(), desk.form());
    let nothing = Map::new();
    let known = person.map_or(&nothing, |person| &person.attributes);
    let custom = users::custom_attributes(&desk.shared().server);
    let say = |fault: &Fault| fault_text(desk, fault);
    let of = |kind: FaultKind| told.faults.iter().find(|fault| fault.kind == kind);
    // A form that was typed before the session ended is shown again too.
    let fields = if told.again || form.iter().next().is_some() {
        fields::of_form(locale, (known, &custom), form, (told.faults, &say))
    } else {
        fields::of_person(locale, known, &custom)
    };
    let username_error = match told.name_taken {
        true => Some(desk.text("desk-user-error-taken")),
        false => of(FaultKind::Username).map(say),
    };
    let changed = told.changed.iter().map(|claim| OutcomeView {
        name: attribute_name(locale, claim),
        value: known.get(claim).map_or_else(
            || "–".to_owned(),
            |value| attribute_value(locale, claim, value),
        ),
    });
    let page = UserEditPage {
        desk: desk.view(Section::Users),
        invalid: !told.faults.is_empty() || told.name_taken,
        username: Field {
            value: desk.field("username").to_owned(),
            error: username_error,
        },
        password_error: of(FaultKind::NewPassword).map(say),
        fields,
        changed: changed.collect(),
        action_url: if person.is_some() { EDIT } else { ADD },
        back_url: person.map_or_else(
            || PATH.to_owned(),
            |person| link(ONE, &[("id", person.id.as_str())]),
        ),
        user: person.map(|person| EditedUser {
            id: person.id.to_string(),
            username: person.username.clone(),
            version: users::version(&person.attributes),
        }),
    };
    desk.page(status, &page)
}
