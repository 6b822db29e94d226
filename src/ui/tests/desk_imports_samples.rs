//! Imports of people and of relying parties.

use super::desk_samples::view;
use super::samples::{NOW, Sample, Texts};
use crate::ui::desk::Section;
use crate::ui::*;

const PEOPLE: Section = Section::Users;
const PARTIES: Section = Section::Rps;
const KINDS: [&str; 6] = [
    "wrong",
    "added",
    "added_secret",
    "changed",
    "unchanged",
    "not_registered",
];

fn entry(texts: Texts, section: Section, kind: &str) -> ImportEntryView {
    let is_wrong = kind == "wrong";
    ImportEntryView {
        number: 7,
        faults: Vec::from_iter(is_wrong.then(|| texts.of("It has to be a date."))),
        party: (section == PARTIES).then(|| ImportPartyView {
            issuer: texts.of("https://op.example.it/oidc/"),
            client_id: texts.of("comune"),
            kind: kind.to_owned(),
            url: (!is_wrong).then(|| texts.of("/admin/rps/one")),
        }),
    }
}

fn one(texts: Texts, section: Section, state: &'static str, kinds: &[&str]) -> ImportPage {
    let bad = kinds.contains(&"wrong");
    let entries = kinds.iter().map(|kind| entry(texts, section, kind));
    ImportPage {
        desk: view(texts, section),
        section: section.name(),
        id: texts.of("key"),
        name: texts.of("people.csv"),
        state,
        actor: texts.of("olga"),
        created_at: NOW,
        finished_at: (state == "done").then_some(NOW),
        valid: if state == "reading" { 0 } else { 1000 },
        bad: bad.into(),
        done: 500,
        added: 300,
        updated: 200,
        skips: bad,
        entries: entries.collect(),
        left_out: usize::from(bad),
        error: (state == "cancelled").then(|| texts.of("It has ended.")),
        start_url: "/admin/users/import/start",
        cancel_url: "/admin/users/import/cancel",
        report_url: (section == PEOPLE).then(|| texts.of("/admin/users/import/report?id=key")),
        refresh_url: texts.of("/admin/users/import/one?id=key"),
        trail_url: texts.of("/admin/trail?subject=import+key"),
        back_url: "/admin/users/import",
    }
}

fn list(texts: Texts, section: Section, full: bool) -> ImportsPage {
    let row = |state| ImportRowView {
        name: texts.of("people.csv"),
        state,
        actor: texts.of("olga"),
        created_at: NOW,
        done: 5,
        total: 10,
        url: texts.of("/admin/users/import/one?id=key"),
    };
    let states = ["reading", "ready", "running", "done", "cancelled"];
    ImportsPage {
        desk: view(texts, section),
        section: section.name(),
        imports: states.into_iter().filter(|_| full).map(row).collect(),
        error: (!full).then(|| texts.of("Choose a file.")),
        text: texts.of("username"),
        files: ".csv",
        action_url: "/admin/users/import",
        back_url: "/admin/users",
        next_url: full.then(|| texts.of("/admin/users/import?after=a")),
    }
}

pub(super) fn all(texts: Texts) -> Vec<Sample> {
    let people = |state, kinds: &[&str]| one(texts, PEOPLE, state, kinds);
    let parties = |state, kinds: &[&str]| one(texts, PARTIES, state, kinds);
    vec![
        Sample::new("desk-imports", list(texts, PEOPLE, true)),
        Sample::new("desk-imports-empty", list(texts, PEOPLE, false)),
        Sample::new("desk-import-reading", people("reading", &[])),
        Sample::new("desk-import-ready", people("ready", &[])),
        Sample::new("desk-import-ready-bad", people("ready", &["wrong"])),
        Sample::new("desk-import-running", people("running", &["wrong"])),
        Sample::new("desk-import-done", people("done", &[])),
        Sample::new("desk-import-cancelled", people("cancelled", &["wrong"])),
        Sample::new("desk-rp-imports", list(texts, PARTIES, true)),
        Sample::new("desk-rp-imports-none", list(texts, PARTIES, false)),
        Sample::new("desk-rp-import-wrong", parties("ready", &KINDS)),
        Sample::new("desk-rp-import-done", parties("done", &["added"])),
    ]
}
