//! `/admin/users`: the people of the identity registry.

mod edit;
mod fields;
mod imports;
mod one;
mod revoke;

use super::imports::Imported as _;
use super::visit::link;
use super::{Desk, Outcome, Route, Section};
use crate::accounts::fault::Fault;
use crate::endpoint::Trouble;
use crate::language::catalog::{Arguments, translate};
use crate::model::{Account, AccountId, Role};
use crate::store::account::{self, AccountFilter, AccountKey};
use crate::store::keyset::{CursorText as _, TextCursor};
use crate::ui::visit::PageFailure;
use crate::ui::{UserRowView, UsersPage, attribute_name, attribute_value};
use fluent_bundle::FluentValue;
use imports::{People, REPORT, report};

pub(super) const PATH: &str = "/admin/users";
const ADD: &str = "/admin/users/add";
const ONE: &str = "/admin/users/one";
const EDIT: &str = "/admin/users/edit";
const HISTORY: &str = "/admin/users/history";
const CONFIRM: &str = "/admin/users/confirm";
const CHANGE: &str = "/admin/users/change";
const REVOKE: &str = "/admin/users/revoke";
/// People of a page.
const PER_PAGE: u32 = 50;
/// Characters that are searched for.
const MOST_TEXT: usize = 320;

pub(super) static ROUTES: [Route; 12] = [
    Route::get(PATH, Role::Viewer, |desk| Box::pin(list(desk))),
    Route::get(ONE, Role::Viewer, |desk| Box::pin(one::show(desk))),
    Route::get(HISTORY, Role::Viewer, |desk| Box::pin(one::history(desk))),
    Route::get(ADD, Role::Operator, |desk| Box::pin(edit::show_add(desk))),
    Route::post(ADD, Role::Operator, |desk| Box::pin(edit::add(desk))),
    Route::get(EDIT, Role::Operator, |desk| Box::pin(edit::show(desk))),
    Route::post(EDIT, Role::Operator, |desk| Box::pin(edit::submit(desk))),
    Route::get(CONFIRM, Role::Operator, |desk| Box::pin(one::confirm(desk))),
    Route::post(CHANGE, Role::Operator, |desk| Box::pin(one::change(desk))),
    Route::get(REVOKE, Role::Operator, |desk| {
        Box::pin(revoke::confirm(desk))
    }),
    Route::post(REVOKE, Role::Operator, |desk| {
        Box::pin(revoke::revoke(desk))
    }),
    Route::get(REPORT, Role::Operator, |desk| Box::pin(report(desk))),
];

pub(super) static IMPORT_ROUTES: [Route; 5] = super::imports::routes::<People>();

/// The page of somebody.
pub(super) fn one_url(id: &AccountId) -> String {
    link(ONE, &[("id", id.as_str())])
}

/// Asks before everything of somebody's is ended.
pub(super) fn revoke_url(id: &AccountId) -> String {
    link(REVOKE, &[("id", id.as_str())])
}

async fn list(desk: &Desk<'_>) -> Outcome {
    let query = desk.query();
    let text: String = query
        .get("text")
        .unwrap_or_default()
        .trim()
        .chars()
        .take(MOST_TEXT)
        .collect();
    let (by, key) = match query.get("by") {
        Some("fiscal_number") => ("fiscal_number", AccountKey::FiscalNumber(text.clone())),
        Some("email") => ("email", AccountKey::Email(text.clone())),
        _ => ("username", AccountKey::Username(text.clone())),
    };
    let (state, enabled) = match query.get("state") {
        Some("enabled") => ("enabled", Some(true)),
        Some("disabled") => ("disabled", Some(false)),
        _ => ("", None),
    };
    let after = query.get("after").and_then(TextCursor::from_text);
    let is_first = after.is_none();
    let filter = AccountFilter {
        // Nobody is looked for by an empty number or address: that is everybody.
        by: if text.is_empty() {
            AccountKey::Username(String::new())
        } else {
            key
        },
        enabled,
    };
    let found = desk
        .shared()
        .store
        .read(move |conn| account::search(conn, &filter, after.as_ref(), PER_PAGE))
        .await?;
    let address = |after: &str| {
        link(
            PATH,
            &[
                ("by", by),
                ("text", &text),
                ("state", state),
                ("after", after),
            ],
        )
    };
    let may = desk.may(Role::Operator);
    let page = UsersPage {
        desk: desk.view(Section::Users),
        url: PATH,
        by,
        state,
        add_url: may.then_some(ADD),
        import_url: may.then_some(People::LIST),
        first_url: (!is_first).then(|| address("")),
        next_url: found.next.map(|next| address(&next.to_text())),
        users: found.rows.iter().map(|person| row(desk, person)).collect(),
        text,
    };
    desk.page(200, &page)
}

fn row(desk: &Desk<'_>, person: &Account) -> UserRowView {
    let shown = |claim: &str| {
        let value = person.attributes.get(claim);
        value.map_or_else(String::new, |value| {
            attribute_value(desk.locale(), claim, value)
        })
    };
    let full_name = format!("{} {}", shown("given_name"), shown("family_name"));
    UserRowView {
        username: person.username.clone(),
        full_name: full_name.trim().to_owned(),
        fiscal_number: shown("fiscal_number"),
        email: shown("email"),
        enabled: person.enabled,
        url: link(ONE, &[("id", person.id.as_str())]),
    }
}

/// The person of a key.
async fn wanted(desk: &Desk<'_>, id: &str) -> Result<Account, PageFailure> {
    let id = AccountId::new(id);
    desk.shared()
        .store
        .read(move |conn| account::find(conn, &id))
        .await?
        .ok_or(PageFailure::Refused(
            Trouble::NotFound,
            "there is no user of this key",
        ))
}

/// What is wrong, in the visitor's language.
fn fault_text(desk: &Desk<'_>, fault: &Fault) -> String {
    let locale = desk.locale();
    let field = match fault.field.as_str() {
        "" => String::new(),
        claim => attribute_name(locale, claim),
    };
    let mut arguments = Arguments::new();
    arguments.insert("field".into(), FluentValue::from(field));
    arguments.insert("detail".into(), FluentValue::from(fault.detail.clone()));
    let key = format!("desk-fault-{}", fault.kind.name());
    translate(locale, &key, &arguments).unwrap_or_else(|_| fault.to_string())
}
