//! The desk's section of relying parties with made-up data.

use super::check_samples::{kept, result};
use super::desk_samples::view;
use super::samples::{NOW, Sample, Texts};
use crate::ui::desk::Section;
use crate::ui::*;

fn row(texts: Texts, state: &'static str, origin: &'static str) -> RpRowView {
    RpRowView {
        name: texts.of("Comune di Esempio"),
        client_id: texts.of("https://servizi.comune.esempio.bz.it/openid/relying-party"),
        issuer: texts.of("Provincia di Esempio"),
        state,
        origin,
        changed_at: NOW,
        expires_at: (origin != "registered").then_some(NOW),
        url: texts.of("/admin/rps/one?issuer=spid&client_id=rp"),
    }
}

fn options(texts: Texts) -> Vec<OptionView> {
    [true, false]
        .into_iter()
        .map(|chosen| OptionView {
            value: texts.of(if chosen { "spid" } else { "oidc" }),
            name: texts.of("Provincia di Esempio (https://op.example.it/spid/)"),
            chosen,
        })
        .collect()
}

fn list(texts: Texts, rows: Vec<RpRowView>, filtered: bool) -> RpsPage {
    RpsPage {
        desk: view(texts, Section::Rps),
        url: "/admin/rps",
        text: texts.of("comune"),
        issuers: options(texts),
        states: options(texts),
        origins: options(texts),
        sorts: options(texts),
        filtered,
        first_url: filtered.then(|| texts.of("/admin/rps?text=comune")),
        next_url: (!rows.is_empty()).then(|| texts.of("/admin/rps?after=abc")),
        rows,
        add_url: Some("/admin/rps/add"),
        import_url: Some("/admin/rps/import"),
        export_url: texts.of("/admin/rps/export?issuer=oidc"),
    }
}

fn chain(texts: Texts, ended: bool) -> Vec<ChainNodeView> {
    let node = |entity: &str, role, statement: bool| ChainNodeView {
        entity: texts.of(entity),
        role,
        configuration: (role != "intermediate").then_some((NOW.0, ended)),
        statement: statement.then_some((NOW.0, ended)),
    };
    vec![
        node("https://registry.example.it", "anchor", false),
        node("https://aggregator.example.it", "intermediate", true),
        node("https://servizi.comune.esempio.bz.it", "rp", true),
    ]
}

fn actions(texts: Texts, enabled: bool) -> RpActionsView {
    let ask = |change: &str| Some(texts.of(&format!("/admin/rps/confirm?change={change}")));
    RpActionsView {
        change_url: "/admin/rps/change",
        disable_url: ask("disable").filter(|_| enabled),
        enable: !enabled,
        refresh: enabled,
        revoke_url: ask("revoke"),
        edit_url: ask("edit"),
        secret_url: ask("secret"),
        delete_url: ask("delete"),
        check_url: texts.of("/admin/rps/check?issuer=spid"),
        export_url: texts.of("/admin/rps/export?issuer=spid"),
        trail_url: texts.of("/admin/trail?subject=rp"),
    }
}

fn one(texts: Texts, good: bool) -> RpPage {
    let (state, origin) = if good {
        ("active", "federation")
    } else {
        ("disabled", "registered")
    };
    let login = |revoked| RpLoginView {
        at: NOW,
        level: texts.of("Livello 2"),
        access_until: NOW,
        revoked,
    };
    let mark = |ended| KeptMarkView {
        mark_type: texts.of("https://registry.example.it/marks/public"),
        issuer: texts.of("https://registry.example.it"),
        expires_at: Some(NOW),
        ended,
    };
    RpPage {
        desk: view(texts, Section::Rps),
        rp: row(texts, state, origin),
        issuer_slug: texts.of("spid"),
        error: (!good).then(|| texts.of("There is no such relying party any more.")),
        facts: vec![OutcomeView {
            name: texts.of("Client authentication"),
            value: texts.of("private_key_jwt"),
        }],
        redirect_uris: match good {
            true => vec![texts.of("https://servizi.comune.esempio.bz.it/callback")],
            false => Vec::new(),
        },
        chain: chain(texts, !good),
        renewal_failure: (!good).then(|| (NOW, texts.of("claim exp has passed"))),
        marks: vec![mark(false), mark(true)],
        logins: match good {
            true => vec![login(false), login(true)],
            false => Vec::new(),
        },
        refusals: match good {
            true => vec![kept(texts)],
            false => Vec::new(),
        },
        metadata: texts.of("{\n  \"redirect_uris\": []\n}"),
        actions: actions(texts, good),
        back_url: "/admin/rps",
    }
}

fn check(texts: Texts, checked: bool) -> RpCheckPage {
    RpCheckPage {
        desk: view(texts, Section::Rps),
        action_url: "/admin/rps/check",
        issuers: options(texts),
        entity_id: texts.of("https://servizi.comune.esempio.bz.it"),
        result: checked.then(|| result(texts, true)),
        kept: (!checked).then(|| kept(texts)),
        unknown_reference: !checked,
        last: vec![kept(texts)],
        back_url: "/admin/rps",
        rp_url: checked.then(|| texts.of("/admin/rps/one?issuer=spid")),
    }
}

pub(super) fn all(texts: Texts) -> Vec<Sample> {
    let rows = vec![
        row(texts, "active", "federation"),
        row(texts, "disabled", "registered"),
        row(texts, "ended", "explicit"),
    ];
    vec![
        Sample::new("desk-rps", list(texts, rows, true)),
        Sample::new("desk-rps-empty", list(texts, Vec::new(), false)),
        Sample::new("desk-rps-none", list(texts, Vec::new(), true)),
        Sample::new("desk-rp", one(texts, true)),
        Sample::new("desk-rp-disabled", one(texts, false)),
        Sample::new("desk-rp-check", check(texts, false)),
        Sample::new("desk-rp-checked", check(texts, true)),
    ]
}
