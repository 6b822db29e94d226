//! `varco rp check`: why an RP is accepted or refused, without a running server.

use super::arguments::parties::CheckParty;
use super::output::{Output, one_line};
use super::{Done, Failure, World, refusals};
use crate::accounts::PasswordHasher;
use crate::clock::{ManualClock, UtcTime};
use crate::config::IssuerSettings;
use crate::federation::evaluation::Recheck;
use crate::federation::{FetchLimits, HttpFetcher, ResolutionLimits, Resolver};
use crate::keys;
use crate::model::ClientId;
use crate::provider::{OverviewSums, Provider, Refusals, Shared};
use crate::ui::check::{CheckDocument, view};
use crate::ui::{CheckView, DocumentView, KnownView, Locale, PathView, StateView};
use std::sync::Arc;

/// Examines and prints; refused is status 1.
pub(super) fn run(world: &World, party: &CheckParty, output: &mut Output) -> Done {
    let settings = world.issuer(&party.issuer)?.clone();
    let issuer = settings.id.clone();
    if let Some(reference) = &party.reference {
        return refusals::show(world, &issuer, reference, output);
    }
    let Some(client_id) = &party.client_id else {
        return Err(Failure::UsedWrongly("no relying party is named".to_owned()));
    };
    let recheck = match party.cached {
        true => Recheck::Cached,
        false => Recheck::Fresh,
    };
    let client_id = ClientId::new(client_id.clone());
    let op = provider(world, settings)?;
    let examination = runtime()?.block_on(op.examine(&client_id, recheck))?;
    tell(&view(&examination, Locale::En), output);
    let last = refusals::last(world, &issuer, &client_id)?;
    refusals::list(&last, output);
    let document = CheckDocument::of(&issuer, &examination, &last);
    output.json(serde_json::to_value(document)?);
    if examination.refusal.is_some() {
        output.failed(format!("issuer {issuer} refuses {client_id}"));
    }
    Ok(())
}

/// What fetches run on.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// The issuer as a server would have it, at one moment and with empty caches.
pub(super) fn provider(world: &World, settings: IssuerSettings) -> Result<Provider, Failure> {
    let server = world.settings.clone();
    if server.development {
        // As `serve` does it.
        keys::init(&world.store, &server, world.now)?;
    }
    let clock = Arc::new(ManualClock::starting_at(world.now));
    let fetcher = HttpFetcher::new(FetchLimits::default(), server.development, None)?;
    let shared = Shared {
        resolver: Resolver::new(
            Arc::new(fetcher),
            clock.clone(),
            ResolutionLimits::default(),
        ),
        passwords: PasswordHasher::default(),
        store: world.store.clone(),
        clock,
        key_encryption_key: keys::load_key(&server)?,
        refusals: Refusals::default(),
        overview: OverviewSums::default(),
        server,
    };
    Ok(Provider::open(Arc::new(shared), settings)?)
}

/// The sentence, then everything from the fetches to the report.
fn tell(check: &CheckView, output: &mut Output) {
    let word = if check.accepted {
        "ACCEPTED"
    } else {
        "REFUSED"
    };
    output.text(&format!("{word}  {}", check.what));
    for more in [&check.renewal, &check.change, &check.others]
        .into_iter()
        .flatten()
    {
        output.text(&format!("         {more}"));
    }
    if let Some(reason) = &check.reason {
        output.text(&format!("         ({})", one_line(reason)));
    }
    if let Some(known) = &check.known {
        output.text(&format!("         {}", kept(known)));
    }
    if let Some(until) = check.expires_at {
        output.text(&format!(
            "         The chain looked at holds until {}.",
            time(until)
        ));
    }
    output.text(&format!("         Checked at {}.", time(check.checked_at)));
    if check.left_out > 0 {
        output.text(&format!(
            "         {} records were left out: too many, or too large.",
            check.left_out
        ));
    }
    if let Some((since, until)) = check.remembered {
        output.text(&format!(
            "         This failure is remembered since {} and answers until {}; without --cached everything is asked anew.",
            time(since),
            time(until)
        ));
    }
    fetches(check, output);
    for path in &check.paths {
        chain(path, output);
    }
    documents("Statements", &check.statements, output);
    documents("Trust marks", &check.marks, output);
    policies(check, output);
    if let Some(metadata) = &check.metadata {
        heading("Final metadata", output);
        output.text(metadata);
    }
    report(check, output);
}

/// What is kept of it, in one line.
fn kept(known: &KnownView) -> String {
    let enabled = if known.enabled { "enabled" } else { "disabled" };
    match (known.resolved_at, known.expires_at) {
        (Some(resolved), Some(expires)) => format!(
            "Known ({}, {enabled}): resolved {}, logins go on with that until {}.",
            known.origin,
            time(resolved),
            time(expires)
        ),
        _ => format!("Known ({}, {enabled}).", known.origin),
    }
}

pub(super) fn heading(text: &str, output: &mut Output) {
    output.text("");
    output.text(text);
}

fn fetches(check: &CheckView, output: &mut Output) {
    if check.fetches.is_empty() {
        return;
    }
    heading("Fetches", output);
    for fetch in &check.fetches {
        let since = fetch
            .since
            .map(|since| format!("cached since {}", time(since)));
        let detail = since.unwrap_or_else(|| format!("{}, {}", fetch.outcome, fetch.detail));
        output.text(&format!("  {}", one_line(&fetch.what)));
        output.text(&format!("    {}", one_line(&fetch.url)));
        output.text(&format!("    {}", one_line(&detail)));
    }
}

/// The anchor at the top, the RP at the bottom.
fn chain(path: &PathView, output: &mut Output) {
    let state = match (path.chosen, path.holds) {
        (true, _) => "used",
        (false, true) => "holds",
        (false, false) => "does not hold",
    };
    heading(&format!("Path ({state})"), output);
    for node in &path.nodes {
        if let Some(statement) = &node.statement {
            output.text("    |");
            output.text(&format!("    | subordinate statement {}", said(statement)));
            output.text("    v");
        }
        output.text(&format!("  [{}] {}", node.role, one_line(&node.entity)));
        if let Some(configuration) = &node.configuration {
            output.text(&format!("    entity configuration {}", said(configuration)));
        }
    }
    if let Some(error) = &path.error {
        output.text(&format!("  FAIL {}", one_line(error)));
    }
}

fn said(state: &StateView) -> String {
    let until = state
        .expires_at
        .map(time)
        .unwrap_or_else(|| "unknown".to_owned());
    match &state.fault {
        None => format!("ok, until {until}"),
        Some(fault) => format!("FAIL {}", one_line(fault)),
    }
}

fn documents(title: &str, all: &[DocumentView], output: &mut Output) {
    if all.is_empty() {
        return;
    }
    heading(title, output);
    for document in all {
        let required = if document.required { " (required)" } else { "" };
        output.text(&format!("  {}{required}", one_line(&document.title)));
        for (check, holds, says) in &document.verdicts {
            let word = if *holds { "ok  " } else { "FAIL" };
            output.text(&format!("    {word} {check}: {}", one_line(says)));
        }
    }
}

fn policies(check: &CheckView, output: &mut Output) {
    if check.policies.is_empty() {
        return;
    }
    heading("Metadata policies", output);
    for policy in &check.policies {
        output.text(&format!(
            "  {} {} (by {})",
            one_line(&policy.path),
            one_line(&policy.operator),
            one_line(&policy.issuers)
        ));
        match &policy.error {
            Some(error) => output.text(&format!("    FAIL {}", one_line(error))),
            None if policy.changed => output.text(&format!(
                "    {} -> {}",
                one_line(&policy.before),
                one_line(&policy.after)
            )),
            None => output.text("    ok, nothing changed"),
        }
    }
}

fn report(check: &CheckView, output: &mut Output) {
    if check.report.is_empty() {
        return;
    }
    let counts = check.counts.iter();
    let counts: Vec<String> = counts
        .map(|(verdict, count)| format!("{count} {verdict}"))
        .collect();
    heading(
        &format!("Conformance report: {}", counts.join(", ")),
        output,
    );
    for row in check
        .report
        .iter()
        .filter(|row| row.verdict != "not_applicable")
    {
        let refuses = if row.refuses_logins && row.verdict == "fail" {
            ", logins are refused"
        } else {
            ""
        };
        output.text(&format!(
            "  {:<7} {} ({}{refuses})",
            row.verdict, row.asks, row.rule
        ));
        let Some(change) = &row.change else { continue };
        output.text(&format!("          found: {}", row.found));
        output.text(&format!("          change {}: {change}", row.place));
        if let Some(before) = &row.before_policies {
            output.text(&format!(
                "          a policy changed it: declared was {}",
                one_line(before)
            ));
        }
    }
}

fn time(seconds: i64) -> String {
    UtcTime(seconds).to_rfc3339()
}
