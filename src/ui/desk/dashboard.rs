//! `/admin/dashboard`: what goes on, over a day, a week, a month or a year. It reads counters and short lists only.

use super::super::chart::{self, Buckets, draw};
use super::super::{
    AliveView, BusyView, ChartView, DashboardPage, EndingView, KeyAgeView, KeyAgesView,
    KeyGroupView, Level, RangeView,
};
use super::visit::link;
use super::{Desk, Outcome, Route, Section, rps};
use crate::clock::{CLOCK_OFF_SECONDS, UtcTime};
use crate::jose::RingName;
use crate::model::{ClientId, ClientMetadata, IssuerId, MailCounts, Role, StoredKey};
use crate::provider::{Past, Shared};
use crate::store::client::{self, EndingChain};
use crate::store::login_count::{self, BusyClient, LoginSum, RefusalSum, Span};
use crate::store::node::{self, Node};
use crate::store::{DbConn, StoreError, mail_message, signing_key};
use std::collections::BTreeMap;
use std::sync::Arc;

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

/// RPs that are drawn over time: as many as there are colours.
const DRAWN: usize = chart::MAX_SERIES;

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
        buckets(number, self.bar_seconds, now)
    }

    /// From the first bar to the one of now, and from there on.
    fn times(&self, now: UtcTime) -> [(UtcTime, UtcTime); 2] {
        let bars = self.buckets(now);
        let turn = bars.from.plus_seconds((bars.number - 1) * bars.seconds);
        [(bars.from, turn), (turn, now.plus_seconds(1))]
    }

    /// The bars of RPs, which are counted less finely: they begin with the day (or month) of the others' first.
    fn buckets_of_rps(&self, now: UtcTime) -> Buckets {
        let seconds = self.span_of_rps.seconds();
        let first = self.span_of_rps.bucket_of(self.buckets(now).from);
        let last = self.span_of_rps.bucket_of(now);
        buckets(last.seconds_since(first) / seconds + 1, seconds, now)
    }

    /// What is read of RPs.
    fn times_of_rps(&self, now: UtcTime) -> (UtcTime, UtcTime) {
        (self.buckets_of_rps(now).from, now.plus_seconds(1))
    }
}

fn buckets(number: i64, seconds: i64, now: UtcTime) -> Buckets {
    let last = now.0 - now.0.rem_euclid(seconds);
    Buckets {
        from: UtcTime(last - (number - 1) * seconds),
        seconds,
        number,
    }
}

/// Sums up the busiest RPs of every time that can be looked at, and the bars that have ended, for those who look at it in the
/// next minutes. Blocks.
///
/// # Errors
/// The database's.
pub fn sum_up(shared: &Shared) -> Result<(), StoreError> {
    for range in &RANGES {
        let now = shared.clock.now();
        let [times, _current] = range.times(now);
        let (busiest, past) = shared.store.read_blocking(|conn| {
            let of_rps = (range.span_of_rps, range.times_of_rps(now));
            let busiest = login_count::busiest(conn, of_rps.0, of_rps.1, SHORT)?;
            Ok::<_, StoreError>((busiest, sums(conn, range, times)?))
        })?;
        shared.overview.keep_busiest(range.key, busiest, now);
        shared.overview.keep_past(range.key, &Arc::new(past), now);
    }
    Ok(())
}

/// A busy RP with its name and its logins over time.
struct BusyRp {
    busy: BusyClient,
    name: Option<String>,
    granted: Vec<(UtcTime, i64)>,
}

/// What the page shows.
struct Found {
    past: Arc<Past>,
    /// The bar of now.
    current: Past,
    busiest: Vec<BusyRp>,
    /// With the RPs' names.
    ending: Vec<(EndingChain, Option<String>)>,
    keys: Vec<StoredKey>,
    nodes: Vec<Node>,
    mails: MailCounts,
}

impl Found {
    fn logins(&self) -> impl Iterator<Item = &LoginSum> {
        self.past.logins.iter().chain(&self.current.logins)
    }

    fn refusals(&self) -> impl Iterator<Item = &RefusalSum> {
        self.past.refusals.iter().chain(&self.current.refusals)
    }
}

fn find(
    conn: &mut DbConn,
    shared: &Shared,
    (range, now): (&Range, UtcTime),
    issuers: &[IssuerId],
    language: &str,
) -> Result<Found, StoreError> {
    let [times, current] = range.times(now);
    let past = match shared.overview.past(range.key, times, now) {
        Some(past) => past,
        None => {
            let past = Arc::new(sums(conn, range, times)?);
            shared.overview.keep_past(range.key, &past, now);
            past
        }
    };
    let of_rps = (range.span_of_rps, range.times_of_rps(now));
    let clients = match shared.overview.busiest(range.key, now) {
        Some(clients) => clients,
        None => login_count::busiest(conn, of_rps.0, of_rps.1, SHORT)?.0,
    };
    let mut keys = Vec::new();
    for issuer in issuers {
        keys.extend(signing_key::search(conn, issuer)?);
    }
    Ok(Found {
        past,
        current: sums(conn, range, current)?,
        busiest: busy_rps(conn, clients, of_rps, language)?,
        ending: ending_chains(conn, now, language)?,
        keys,
        nodes: node::search(conn, now.plus_seconds(-NODE_SILENCE_SECONDS))?,
        mails: mail_message::counts(conn)?,
    })
}

fn sums(conn: &mut DbConn, range: &Range, times: (UtcTime, UtcTime)) -> Result<Past, StoreError> {
    Ok(Past {
        times,
        logins: login_count::series(conn, (range.span, range.bar_seconds), times)?,
        refusals: login_count::refusals(conn, range.span, times)?,
    })
}

/// The names of busy RPs, and the logins over time of those that are drawn.
fn busy_rps(
    conn: &mut DbConn,
    clients: Vec<BusyClient>,
    (span, times): (Span, (UtcTime, UtcTime)),
    language: &str,
) -> Result<Vec<BusyRp>, StoreError> {
    let key = |busy: &BusyClient| (IssuerId::new(&busy.issuer), ClientId::new(&busy.client_id));
    let keys: Vec<_> = clients.iter().map(key).collect();
    let names = names(conn, &keys, language)?;
    let drawn = keys.iter().take(DRAWN).map(|(_, id)| id.clone());
    let granted = login_count::granted_of(conn, &drawn.collect::<Vec<_>>(), span, times)?;
    let rps = clients.into_iter().zip(names).enumerate();
    let rps = rps.map(|(place, (busy, name))| {
        let own = granted.iter().filter(|sum| {
            place < DRAWN && sum.issuer == busy.issuer && sum.client_id == busy.client_id
        });
        BusyRp {
            granted: own.map(|sum| (sum.bucket_at, sum.number)).collect(),
            busy,
            name,
        }
    });
    Ok(rps.collect())
}

fn ending_chains(
    conn: &mut DbConn,
    now: UtcTime,
    language: &str,
) -> Result<Vec<(EndingChain, Option<String>)>, StoreError> {
    let ending = client::search_ending(conn, (now, now.plus_seconds(DAY)), SHORT)?;
    let key = |end: &EndingChain| (end.issuer.clone(), end.client_id.clone());
    let keys: Vec<_> = ending.iter().map(key).collect();
    let names = names(conn, &keys, language)?;
    Ok(ending.into_iter().zip(names).collect())
}

/// The names of RPs, in their order; none of those that are not known, or say none.
fn names(
    conn: &mut DbConn,
    keys: &[(IssuerId, ClientId)],
    language: &str,
) -> Result<Vec<Option<String>>, StoreError> {
    let known = client::metadata_of(conn, keys)?;
    let name = |key| {
        let metadata: Option<&ClientMetadata> = known.get(key);
        metadata.and_then(|one| one.name_in(language).map(str::to_owned))
    };
    Ok(keys.iter().map(name).collect())
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
    let (language, now) = (desk.locale().code(), desk.now());
    let shared = Arc::clone(desk.shared());
    let found = desk
        .shared()
        .store
        .read(move |conn| find(conn, &shared, (range, now), &issuers, language))
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
        charts: charts(desk, &found, range, now),
        busiest_from: range.buckets_of_rps(now).from,
        busiest: found
            .busiest
            .into_iter()
            .map(|rp| BusyView {
                url: rp_url(desk, &rp.busy.issuer, &rp.busy.client_id),
                name: rp.name.unwrap_or_else(|| rp.busy.client_id.clone()),
                client_id: rp.busy.client_id,
                number: rp.busy.number,
            })
            .collect(),
        ending: found
            .ending
            .into_iter()
            .map(|(end, name)| EndingView {
                url: rp_url(desk, end.issuer.as_str(), end.client_id.as_str()),
                name: name.unwrap_or_else(|| end.client_id.to_string()),
                client_id: end.client_id.to_string(),
                at: end.expires_at,
            })
            .collect(),
        keys: key_views(desk, &found.keys, now),
        nodes: found.nodes.into_iter().map(node_view).collect(),
        mails_queued: found.mails.queued,
        mails_failed: found.mails.failed,
    };
    desk.page(200, &page)
}

/// The page of an RP; none when its issuer is not served any more.
fn rp_url(desk: &Desk<'_>, issuer: &str, client_id: &str) -> Option<String> {
    let mut providers = desk.state.providers.iter();
    let op = providers.find(|op| op.issuer.as_str() == issuer)?;
    Some(rps::link_to(op, client_id))
}

/// Logins of the busiest RPs; their names, or their keys where two are called the same.
fn chart_of_rps(desk: &Desk<'_>, found: &Found, buckets: Buckets) -> ChartView {
    let drawn = || found.busiest.iter().take(DRAWN);
    let mut numbers = Vec::new();
    for rp in drawn() {
        let alike = drawn().filter(|other| other.name == rp.name).count();
        let label = match &rp.name {
            Some(name) if alike == 1 => name.clone(),
            _ => format!(
                "{} ({})",
                rp.busy.client_id,
                desk.issuer_name(&rp.busy.issuer)
            ),
        };
        numbers.extend(
            rp.granted
                .iter()
                .map(|(at, number)| (*at, label.clone(), *number)),
        );
    }
    ChartView {
        key: "rp",
        chart: draw(buckets, &numbers),
    }
}

/// What is drawn as one, added up before anything is named.
fn by_bar<'a>(
    buckets: Buckets,
    sums: impl Iterator<Item = (UtcTime, &'a str, i64)>,
) -> BTreeMap<(UtcTime, &'a str), i64> {
    let mut added = BTreeMap::new();
    for (at, key, number) in sums {
        let into = at.seconds_since(buckets.from).rem_euclid(buckets.seconds);
        *added.entry((at.plus_seconds(-into), key)).or_default() += number;
    }
    added
}

/// Logins by how they ended, by level, by issuer and by RP; refusals by reason.
fn charts(desk: &Desk<'_>, found: &Found, range: &Range, now: UtcTime) -> Vec<ChartView> {
    let buckets = range.buckets(now);
    let by = |key: fn(&LoginSum) -> &str, name: &dyn Fn(&str) -> String| {
        let sums = found.logins();
        let added = by_bar(
            buckets,
            sums.map(|sum| (sum.bucket_at, key(sum), sum.number)),
        );
        let named = added
            .into_iter()
            .map(|((at, key), number)| (at, name(key), number));
        draw(buckets, &named.collect::<Vec<_>>())
    };
    let refusals: Vec<_> = found
        .refusals()
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
            chart: by(|sum| &sum.result, &|result| {
                desk.text(&format!("desk-dashboard-result-{result}"))
            }),
        },
        ChartView {
            key: "level",
            chart: by(|sum| &sum.acr, &|acr| match Level::from_acr(acr) {
                Some(level) => desk.text(&format!("{}-short", level.key())),
                None => acr.to_owned(),
            }),
        },
        ChartView {
            key: "issuer",
            chart: by(|sum| &sum.issuer, &|issuer| desk.issuer_name(issuer)),
        },
        chart_of_rps(desk, found, range.buckets_of_rps(now)),
        ChartView {
            key: "refusals",
            chart: draw(buckets, &refusals),
        },
    ]
}

/// What issuers sign and decrypt with at a time: those of one ring and use together.
fn key_views(desk: &Desk<'_>, keys: &[StoredKey], now: UtcTime) -> Vec<KeyAgesView> {
    let rings = [RingName::Protocol, RingName::Federation];
    let uses = ["sig", "enc"];
    let groups_of = |issuer: &IssuerId| {
        let mut groups = Vec::new();
        for (ring, usage) in rings.iter().flat_map(|ring| uses.map(|one| (*ring, one))) {
            let in_use = keys.iter().filter(|key| {
                key.issuer == *issuer
                    && key.ring == ring
                    && key.usage == usage
                    && key.activates_at <= now
                    && key.retired_at.is_none_or(|at| at > now)
            });
            let keys: Vec<_> = in_use
                .map(|key| KeyAgeView {
                    kind: key.kind.clone(),
                    days: now.seconds_since(key.activates_at) / DAY,
                })
                .collect();
            if !keys.is_empty() {
                groups.push(KeyGroupView {
                    ring: match ring {
                        RingName::Protocol => "protocol",
                        RingName::Federation => "federation",
                    },
                    usage,
                    keys,
                });
            }
        }
        groups
    };
    let providers = desk.state.providers.iter();
    providers
        .map(|op| KeyAgesView {
            issuer: op.display_name().to_owned(),
            groups: groups_of(&op.issuer),
        })
        .collect()
}

fn node_view(node: Node) -> AliveView {
    AliveView {
        address: node.address,
        version: node.version,
        started_at: node.started_at,
        seen_at: node.seen_at,
        clock_off: node
            .clock_off
            .filter(|off| off.saturating_abs() > CLOCK_OFF_SECONDS),
    }
}
