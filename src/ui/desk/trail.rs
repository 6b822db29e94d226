//! `/admin/trail`: who did what, when, before and after.

use super::super::dates::day_bounds;
use super::super::{TrailPage, TrailRowView};
use super::visit::link;
use super::{Desk, Outcome, Route, Section};
use crate::model::{Role, TrailEntry, TrailFilter, Via};
use crate::store::trail;

pub(super) const PATH: &str = "/admin/trail";
/// Entries of a page.
const PER_PAGE: u32 = 50;

pub(super) static ROUTES: [Route; 1] =
    [Route::get(PATH, Role::Viewer, |desk| Box::pin(show(desk)))];

async fn show(desk: &Desk<'_>) -> Outcome {
    let query = desk.query();
    let text = |name: &str| query.get(name).unwrap_or_default().trim().to_owned();
    let (since, until) = (text("from"), text("to"));
    let wanted = |name: &str| Some(text(name)).filter(|value| !value.is_empty());
    let filter = TrailFilter {
        actor: wanted("actor"),
        action: wanted("action"),
        subject: wanted("subject"),
        since: day_bounds(&since).map(|(start, _)| start),
        until: day_bounds(&until).map(|(_, end)| end),
    };
    let before = query.get("before").and_then(|number| number.parse().ok());
    let mut entries = desk
        .shared()
        .store
        .read(move |conn| trail::search(conn, &filter, before, PER_PAGE + 1))
        .await?;
    let more = entries.len() > usize::try_from(PER_PAGE).unwrap_or_default();
    entries.truncate(usize::try_from(PER_PAGE).unwrap_or_default());
    let next_url = entries.last().filter(|_| more).map(|last| {
        let number = last.number.to_string();
        let mut kept: Vec<(&str, &str)> =
            query.iter().filter(|(name, _)| *name != "before").collect();
        kept.push(("before", &number));
        link(PATH, &kept)
    });
    let page = TrailPage {
        desk: desk.view(Section::Trail),
        url: PATH,
        actor: text("actor"),
        action: text("action"),
        subject: text("subject"),
        from_invalid: !since.is_empty() && day_bounds(&since).is_none(),
        to_invalid: !until.is_empty() && day_bounds(&until).is_none(),
        from: since,
        to: until,
        entries: entries.into_iter().map(view).collect(),
        first_url: before.map(|_: i64| {
            let kept: Vec<(&str, &str)> =
                query.iter().filter(|(name, _)| *name != "before").collect();
            link(PATH, &kept)
        }),
        next_url,
    };
    desk.page(200, &page)
}

fn view(entry: TrailEntry) -> TrailRowView {
    TrailRowView {
        number: entry.number,
        at: entry.happened_at,
        by_command: entry.actor.via == Via::CommandLine,
        actor: entry.actor.name,
        address: entry.actor.address,
        action: entry.action,
        subject: entry.subject,
        before: entry.before,
        after: entry.after,
    }
}
