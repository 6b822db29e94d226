//! The dashboard.

use super::super::Page;
use super::DeskView;
use crate::clock::UtcTime;
use crate::ui::chart::Chart;
use serde::Serialize;

/// A time that can be looked at.
#[derive(Clone, Debug, Serialize)]
pub struct RangeView {
    /// `desk-dashboard-range-KEY`.
    pub key: &'static str,
    /// Where it is shown.
    pub url: String,
    /// It is the one that is shown.
    pub current: bool,
}

/// A chart with its heading.
#[derive(Clone, Debug, Serialize)]
pub struct ChartView {
    /// `desk-dashboard-chart-KEY`; unique on the page.
    pub key: &'static str,
    /// What is drawn.
    pub chart: Chart,
}

/// A busy RP.
#[derive(Clone, Debug, Serialize)]
pub struct BusyView {
    /// Its name, or its key.
    pub name: String,
    /// Its page.
    pub url: Option<String>,
    /// Its key.
    pub client_id: String,
    /// Logins granted.
    pub number: i64,
}

/// An RP whose trust chain ends.
#[derive(Clone, Debug, Serialize)]
pub struct EndingView {
    /// Its name.
    pub name: String,
    /// Its page.
    pub url: Option<String>,
    /// Its key.
    pub client_id: String,
    /// When.
    pub at: UtcTime,
}

/// A key that signs or decrypts now.
#[derive(Clone, Debug, Serialize)]
pub struct KeyAgeView {
    /// `P-256`.
    pub kind: String,
    /// Whole days since it is in use.
    pub days: i64,
}

/// Keys of an issuer that are for the same.
#[derive(Clone, Debug, Serialize)]
pub struct KeyGroupView {
    /// `protocol` or `federation`.
    pub ring: &'static str,
    /// `sig` or `enc`.
    pub usage: &'static str,
    /// The keys.
    pub keys: Vec<KeyAgeView>,
}

/// The keys of an issuer.
#[derive(Clone, Debug, Serialize)]
pub struct KeyAgesView {
    /// Its name.
    pub issuer: String,
    /// The keys, by what they are for.
    pub groups: Vec<KeyGroupView>,
}

/// A process that serves.
#[derive(Clone, Debug, Serialize)]
pub struct AliveView {
    /// Where it listens.
    pub address: String,
    /// Its version.
    pub version: String,
    /// Since when.
    pub started_at: UtcTime,
    /// When it last said so.
    pub seen_at: UtcTime,
    /// By how many seconds its clock is ahead of the database's (negative: behind), if that is worth telling.
    pub clock_off: Option<i64>,
}

/// What goes on.
#[derive(Clone, Debug, Serialize)]
pub struct DashboardPage {
    /// What every page has.
    pub desk: DeskView,
    /// The choice of the time.
    pub ranges: Vec<RangeView>,
    /// The charts.
    pub charts: Vec<ChartView>,
    /// Since when [`Self::busiest`] counts: RPs are counted by the day or by thirty days.
    pub busiest_from: UtcTime,
    /// The busiest RPs, the first one first.
    pub busiest: Vec<BusyView>,
    /// Chains that end within a day, the next one first.
    pub ending: Vec<EndingView>,
    /// Keys in use, by issuer.
    pub keys: Vec<KeyAgesView>,
    /// Nodes that are alive.
    pub nodes: Vec<AliveView>,
    /// E-mails that wait.
    pub mails_queued: i64,
    /// E-mails given up.
    pub mails_failed: i64,
}

impl Page for DashboardPage {
    const TEMPLATE: &'static str = "desk/dashboard.html";
}
