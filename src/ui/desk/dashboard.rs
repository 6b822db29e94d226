//! `/admin/dashboard`: what goes on, over a day, a week, a month or a year. It reads counters and short lists only.

use super::super::chart::{Buckets, draw};
use super::super::{
    AliveView, BusyView, ChartView, DashboardPage, EndingView, KeyAgeView, Level, RangeView,
};
use super::visit::link;
use super::{Desk, Outcome, Route, Section};
use crate::clock::UtcTime;
use crate::jose::RingName;
use crate::model::{ClientId, IssuerId, MailCounts, Role, StoredKey};
use crate::store::client::{self, EndingChain};
use crate::store::login_count::{self, BusyClient, LoginSum, RefusalSum, Span};

use crate::store::node::{self, Node};
use crate::store::{DbConn, StoreError, mail_message, signing_key};

pub(super) const PATH: &str = "/admin/dashboard";
const DAY: i64 = 86_400;
/// Rows of the short lists.
const SHORT: u32 = 10;
/// A node that was silent for so long is not shown as alive.
const NODE_SILENCE_SECONDS: i64 = 30;

pub(super) static ROUTES: [Route; 1] =
    [Route::get(PATH, Role::Viewer, |desk| Box::pin(show(desk)))];

/// A time that can be looked at.
struct Range {
    key: &'static str,
    days: i64,
    /// What is read.
    span: Span,
    /// What is read of each RP.
    span_of_rps: Span,
    /// What is drawn as one bar.
    bar_seconds: i64,
}

static RANGES: [Range; 4] = [
    Range {
        key: "day",
        days: 1,
        span: Span::Hour,
        span_of_rps: Span::Day,
        bar_seconds: 3_600,
    },
    Range {
        key: "week",
        days: 7,
        span: Span::Hour,
        span_of_rps: Span::Day,
        bar_seconds: 6 * 3_600,
    },
    Range {
        key: "month",
        days: 30,
        span: Span::Day,
        span_of_rps: Span::Day,
        bar_seconds: DAY,
    },
    Range {
        key: "year",
        days: 365,
        span: Span::Day,
        span_of_rps: Span::Month,
        bar_seconds: 7 * DAY,
    },
];

impl Range {
    /// The bars up to now: the last one has only begun.
    fn buckets(&self, now: UtcTime) -> Buckets {
        let number = (self.days * DAY + self.bar_seconds - 1) / self.bar_seconds;
        let last = now.0 - now.0.rem_euclid(self.bar_seconds);
        Buckets {
            from: UtcTime(last - (number - 1) * self.bar_seconds),
            seconds: self.bar_seconds,
            number,
        }
    }
}

/// What the page shows.
struct Found {
    logins: Vec<LoginSum>,
    refusals: Vec<RefusalSum>,
    busiest: Vec<(BusyClient, Option<String>)>,
    ending: Vec<EndingChain>,
    keys: Vec<StoredKey>,
    nodes: Vec<Node>,
    mails: MailCounts,
}

fn find(
    conn: &mut DbConn,
    range: &Range,
    issuers: &[IssuerId],
    now: UtcTime,
) -> Result<Found, StoreError> {
    let times = (range.buckets(now).from, now.plus_seconds(1));
    let mut busiest = Vec::new();
    for busy in login_count::busiest(conn, range.span_of_rps, times, SHORT)? {
        let (issuer, client_id) = (IssuerId::new(&busy.issuer), ClientId::new(&busy.client_id));
        let known = client::find(conn, &issuer, &client_id)?;
        let name = known.and_then(|party| party.metadata.name_in("it").map(str::to_owned));
        busiest.push((busy, name));
    }
    let mut keys = Vec::new();
    for issuer in issuers {
        keys.extend(signing_key::search(conn, issuer)?);
    }
    Ok(Found {
        logins: login_count::series(conn, None, range.span, times)?,
        refusals: login_count::refusals(conn, range.span, times)?,
        busiest,
        ending: client::search_ending(conn, (now, now.plus_seconds(DAY)), SHORT)?,
        keys,
        nodes: node::search(conn, now.plus_seconds(-NODE_SILENCE_SECONDS))?,
        mails: mail_message::counts(conn)?,
    })
}

async fn show(desk: &Desk<'_>) -> Outcome {
    let wanted = desk.query().get("range").unwrap_or_default().to_owned();
    let range = RANGES.iter().find(|range| range.key == wanted);
    let [first, ..] = &RANGES;
    let range = range.unwrap_or(first);
    let issuers: Vec<IssuerId> = desk
        .state
        .providers
        .iter()
        .map(|op| op.issuer.clone())
        .collect();
    let now = desk.now();
    let found = desk
        .shared()
        .store
        .read(move |conn| find(conn, range, &issuers, now))
        .await?;
    let page = DashboardPage {
        desk: desk.view(Section::Dashboard),
        ranges: RANGES
            .iter()
            .map(|known| RangeView {
                key: known.key,
                url: link(PATH, &[("range", known.key)]),
                current: known.key == range.key,
            })
            .collect(),
        charts: charts(desk, &found, range.buckets(now)),
        busiest: found
            .busiest
            .into_iter()
            .map(|(busy, name)| BusyView {
                name: name.unwrap_or_else(|| busy.client_id.clone()),
                client_id: busy.client_id,
                number: busy.number,
            })
            .collect(),
        ending: found
            .ending
            .into_iter()
            .map(|end| EndingView {
                name: end.name,
                client_id: end.client_id.to_string(),
                at: end.expires_at,
            })
            .collect(),
        keys: found
            .keys
            .into_iter()
            .filter(|key| key.activates_at <= now && key.retired_at.is_none_or(|at| at > now))
            .map(|key| key_view(key, now))
            .collect(),
        nodes: found.nodes.into_iter().map(node_view).collect(),
        mails_queued: found.mails.queued,
        mails_failed: found.mails.failed,
    };
    desk.page(200, &page)
}

/// Logins by how they ended, by level and by issuer; refusals by reason.
fn charts(desk: &Desk<'_>, found: &Found, buckets: Buckets) -> Vec<ChartView> {
    let by = |name: &dyn Fn(&LoginSum) -> String| {
        let numbers: Vec<_> = found
            .logins
            .iter()
            .map(|sum| (sum.bucket_at, name(sum), sum.number))
            .collect();
        draw(buckets, &numbers)
    };
    let refusals: Vec<_> = found
        .refusals
        .iter()
        .map(|sum| {
            let endpoint = sum.event.strip_suffix(".refused").unwrap_or(&sum.event);
            (
                sum.bucket_at,
                format!("{} ({endpoint})", sum.code),
                sum.number,
            )
        })
        .collect();
    vec![
        ChartView {
            key: "result",
            chart: by(&|sum| desk.text(&format!("desk-dashboard-result-{}", sum.result))),
        },
        ChartView {
            key: "level",
            chart: by(&|sum| match Level::from_acr(&sum.acr) {
                Some(level) => desk.text(&format!("{}-short", level.key())),
                None => sum.acr.clone(),
            }),
        },
        ChartView {
            key: "issuer",
            chart: by(&|sum| sum.issuer.clone()),
        },
        ChartView {
            key: "refusals",
            chart: draw(buckets, &refusals),
        },
    ]
}

fn key_view(key: StoredKey, now: UtcTime) -> KeyAgeView {
    KeyAgeView {
        issuer: key.issuer.to_string(),
        ring: match key.ring {
            RingName::Protocol => "protocol",
            RingName::Federation => "federation",
        },
        usage: key.usage,
        kind: key.kind,
        days: now.seconds_since(key.activates_at) / DAY,
    }
}

fn node_view(node: Node) -> AliveView {
    AliveView {
        address: node.address,
        version: node.version,
        started_at: node.started_at,
        seen_at: node.seen_at,
    }
}
