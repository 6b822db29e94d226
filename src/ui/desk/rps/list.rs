//! The list, over all issuers.

use super::imports::Parties;
use super::{ADD, EXPORT, PATH, Wanted, form, issuer, row};
use crate::model::Role;
use crate::store::client::{
    self, ClientCursor, ClientFilter, ClientOrder, ClientOrigin, ClientSort, ClientState,
};
use crate::store::keyset::CursorText as _;
use crate::ui::desk::imports::Imported as _;
use crate::ui::desk::visit::link;
use crate::ui::desk::{Desk, Outcome, Section};
use crate::ui::{OptionView, RpsPage};

/// RPs of a page.
const PER_PAGE: u32 = 50;

const STATES: [(&str, ClientState); 3] = [
    ("active", ClientState::Active),
    ("disabled", ClientState::Disabled),
    ("ended", ClientState::Ended),
];
const ORIGINS: [(&str, ClientOrigin); 3] = [
    ("federation", ClientOrigin::Federation),
    ("explicit", ClientOrigin::Explicit),
    ("registered", ClientOrigin::Registered),
];
const SORTS: [(&str, ClientOrder); 3] = [
    (
        "name",
        ClientOrder {
            by: ClientSort::Name,
            descending: false,
        },
    ),
    (
        "client_id",
        ClientOrder {
            by: ClientSort::ClientId,
            descending: false,
        },
    ),
    (
        "changed",
        ClientOrder {
            by: ClientSort::Change,
            descending: true,
        },
    ),
];

fn chosen<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| *value)
}

/// The filter that an address describes.
pub(super) fn filter(desk: &Desk<'_>) -> ClientFilter {
    let query = desk.query();
    let own = |name: &str| query.get(name).unwrap_or_default();
    ClientFilter {
        issuer: issuer(desk, own("issuer")).map(|op| op.issuer.clone()),
        state: chosen(&STATES, own("state")).map(|state| (state, desk.now())),
        origin: chosen(&ORIGINS, own("origin")),
        text: own("text").trim().to_owned(),
    }
}

pub(super) async fn show(desk: &Desk<'_>) -> Outcome {
    page(desk, 200, None).await
}

/// The list, with what went wrong.
pub(super) async fn page(desk: &Desk<'_>, status: u16, error: Option<String>) -> Outcome {
    let query = desk.query();
    let own = |name: &str| query.get(name).unwrap_or_default().trim().to_owned();
    let wanted = filter(desk);
    let order = chosen(&SORTS, &own("sort")).unwrap_or(SORTS[0].1);
    let after = query.get("after").and_then(ClientCursor::from_text);
    let (searched, from) = (wanted.clone(), after.clone());
    let found = desk
        .shared()
        .store
        .read(move |conn| client::search(conn, &searched, order, from.as_ref(), PER_PAGE))
        .await?;
    let kept: Vec<(&str, &str)> = query.iter().filter(|(name, _)| *name != "after").collect();
    let next_url = found.next.map(|cursor| {
        let text = cursor.to_text();
        let mut all = kept.clone();
        all.push(("after", &text));
        link(PATH, &all)
    });
    let rows = found.rows.into_iter().filter_map(|party| {
        let mut providers = desk.state.providers.iter();
        // An issuer that is not configured any more has no pages either.
        let op = providers.find(|op| op.issuer == party.issuer)?.clone();
        Some(row(desk, &Wanted { op, party }))
    });
    let menu = |prefix: &str, names: &[&str], now: &str| {
        let option = |name: &&str| OptionView {
            value: (*name).to_owned(),
            name: desk.text(&format!("{prefix}{name}")),
            chosen: *name == now,
        };
        names.iter().map(option).collect::<Vec<_>>()
    };
    let may = desk.may(Role::Operator) && form::can_register(desk);
    let page = RpsPage {
        desk: desk.view(Section::Rps),
        url: PATH,
        issuers: issuers(desk, &own("issuer"), |_| true),
        states: menu(
            "desk-rp-state-",
            &STATES.map(|(name, _)| name),
            &own("state"),
        ),
        origins: menu(
            "desk-rp-origin-",
            &ORIGINS.map(|(name, _)| name),
            &own("origin"),
        ),
        sorts: menu("desk-rp-sort-", &SORTS.map(|(name, _)| name), &own("sort")),
        filtered: wanted != ClientFilter::default(),
        text: wanted.text,
        rows: rows.collect(),
        first_url: after.is_some().then(|| link(PATH, &kept)),
        next_url,
        add_url: may.then_some(ADD),
        import_url: may.then_some(Parties::LIST),
        export_url: link(EXPORT, &kept),
        error,
    };
    desk.page(status, &page)
}

/// The issuers of a menu.
pub(super) fn issuers(
    desk: &Desk<'_>,
    chosen: &str,
    wanted: impl Fn(&crate::provider::Provider) -> bool,
) -> Vec<OptionView> {
    let providers = desk.state.providers.iter().filter(|op| wanted(op));
    let option = |op: &std::sync::Arc<crate::provider::Provider>| OptionView {
        value: op.settings.slug().to_owned(),
        name: format!("{} ({})", op.display_name(), op.settings.id),
        chosen: op.settings.slug() == chosen,
    };
    providers.map(option).collect()
}
