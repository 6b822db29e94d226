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
        error: filtered.then(|| texts.of("There are more than 20,000.")),
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
        refresh: enabled.then(|| texts.of("Renew the chain now")),
        revoke_url: ask("revoke"),
        edit_url: ask("edit"),
        tolerate_url: ask("tolerate"),
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
    let tolerance = |is_own| ToleranceView {
        name: texts.of("Clock difference (seconds)"),
        value: texts.of("7200"),
        is_own,
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
        tolerances: vec![tolerance(true), tolerance(false)],
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

pub(super) fn progress(texts: Texts, is_running: bool) -> CheckProgressView {
    let step = |outcome: &str| CheckStepView {
        what: texts.of("entity configuration of https://registry.example.it"),
        url: texts.of("https://registry.example.it/.well-known/openid-federation"),
        outcome: outcome.to_owned(),
        detail: texts.of("12 ms"),
    };
    CheckProgressView {
        is_running,
        operator: texts.of("olga"),
        began_at: NOW,
        steps: ["fetched", "cached", "failed"].map(step).to_vec(),
        refresh_url: texts.of("/admin/rps/check?id=x"),
    }
}

fn check(texts: Texts, checked: bool) -> RpCheckPage {
    RpCheckPage {
        desk: view(texts, Section::Rps),
        action_url: "/admin/rps/check",
        issuers: options(texts),
        entity_id: texts.of("https://servizi.comune.esempio.bz.it"),
        progress: None,
        error: None,
        refreshed: checked,
        result: checked.then(|| serde_json::to_value(result(texts, true)).unwrap()),
        kept: (!checked).then(|| kept(texts)),
        unknown_reference: !checked,
        last: vec![kept(texts)],
        back_url: "/admin/rps",
        rp_url: checked.then(|| texts.of("/admin/rps/one?issuer=spid")),
    }
}

fn field(texts: Texts, wrong: bool) -> Field {
    Field {
        value: texts.of("https://servizi.comune.esempio.bz.it/callback"),
        error: wrong.then(|| texts.of("use https")),
    }
}

fn conflict(texts: Texts, taken_over: bool) -> ConflictView {
    ConflictView {
        name: texts.of("Name"),
        theirs: texts.of("Comune di Esempio"),
        yours: texts.of("Comune"),
        taken_over,
        by: taken_over.then(|| (texts.of("olga"), NOW)),
    }
}

fn tolerance(texts: Texts, wrong: bool) -> RpTolerancePage {
    RpTolerancePage {
        desk: view(texts, Section::Rps),
        name: texts.of("Comune di Esempio"),
        issuer_slug: texts.of("spid"),
        client_id: texts.of("https://servizi.comune.esempio.bz.it"),
        base: texts.of("{}"),
        clock_leeway_seconds: field(texts, wrong),
        configured_seconds: 30,
        most_seconds: 14_400,
        missing_exp: options(texts),
        missing_exp_error: wrong.then(|| texts.of("choose one of the entries")),
        userinfo_content_type: options(texts),
        userinfo_content_type_error: wrong.then(|| texts.of("choose one of the entries")),
        faulty: wrong,
        conflicts: match wrong {
            true => vec![conflict(texts, true), conflict(texts, false)],
            false => Vec::new(),
        },
        action_url: "/admin/rps/tolerate",
        back_url: texts.of("/admin/rps/one"),
    }
}

fn form(texts: Texts, is_new: bool, wrong: bool) -> RpFormPage {
    let conflict = |taken_over| conflict(texts, taken_over);
    let field = || field(texts, wrong);
    RpFormPage {
        desk: view(texts, Section::Rps),
        is_new,
        issuer_slug: texts.of("oidc"),
        issuer_name: texts.of("https://op.example.it/oidc/"),
        issuers: options(texts),
        client_id: field(),
        base: texts.of("{\"name\":\"Comune\"}"),
        name: field(),
        organization_name: field(),
        redirect_uris: field(),
        auth_method: field(),
        methods: options(texts),
        jwks: field(),
        jwks_uri: field(),
        scope: field(),
        scopes: ["openid", "profile", "email"]
            .map(|name| ScopeView {
                name,
                chosen: name != "email",
            })
            .to_vec(),
        access_token: field(),
        id_token: field(),
        refresh_token: field(),
        most_seconds: [3600, 3600, 2_592_000],
        logo_uri: field(),
        client_uri: field(),
        policy_uri: field(),
        faulty: wrong,
        error: None,
        conflicts: match !is_new && wrong {
            true => vec![conflict(true), conflict(false)],
            false => Vec::new(),
        },
        action_url: "/admin/rps/add",
        back_url: texts.of("/admin/rps"),
    }
}

fn rotate(texts: Texts, overlaps: Vec<OptionView>) -> RpRotatePage {
    RpRotatePage {
        desk: view(texts, Section::Rps),
        name: texts.of("Comune di Esempio"),
        issuer_slug: texts.of("oidc"),
        client_id: texts.of("comune"),
        mark: texts.of("Zm9vYmFyYmF6"),
        overlap_error: (!overlaps.is_empty()).then(|| texts.of("Choose one.")),
        overlaps,
        action_url: "/admin/rps/secret",
        back_url: texts.of("/admin/rps/one"),
    }
}

fn more(texts: Texts) -> Vec<Sample> {
    let secret = |old_until| RpSecretPage {
        desk: view(texts, Section::Rps),
        client_id: texts.of("comune"),
        secret: texts.of("c2VjcmV0"),
        old_until,
        next_url: texts.of("/admin/rps/one"),
    };
    vec![
        Sample::new("desk-rp-add", form(texts, true, false)),
        Sample::new("desk-rp-add-wrong", form(texts, true, true)),
        Sample::new("desk-rp-edit", form(texts, false, false)),
        Sample::new("desk-rp-edit-conflict", form(texts, false, true)),
        Sample::new("desk-rp-tolerance", tolerance(texts, false)),
        Sample::new("desk-rp-tolerance-wrong", tolerance(texts, true)),
        Sample::new("desk-rp-rotate", rotate(texts, options(texts))),
        Sample::new("desk-rp-rotate-first", rotate(texts, Vec::new())),
        Sample::new("desk-rp-secret", secret(Some(NOW))),
        Sample::new("desk-rp-secret-first", secret(None)),
    ]
}

pub(super) fn all(texts: Texts) -> Vec<Sample> {
    let rows = vec![
        row(texts, "active", "federation"),
        row(texts, "disabled", "registered"),
        row(texts, "ended", "explicit"),
    ];
    let mut all = vec![
        Sample::new("desk-rps", list(texts, rows, true)),
        Sample::new("desk-rps-empty", list(texts, Vec::new(), false)),
        Sample::new("desk-rps-none", list(texts, Vec::new(), true)),
        Sample::new("desk-rp", one(texts, true)),
        Sample::new("desk-rp-disabled", one(texts, false)),
        Sample::new("desk-rp-check", check(texts, false)),
        Sample::new("desk-rp-checked", check(texts, true)),
    ];
    for (name, is_running) in [
        ("desk-rp-check-running", true),
        ("desk-rp-check-interrupted", false),
    ] {
        let page = RpCheckPage {
            progress: Some(progress(texts, is_running)),
            ..check(texts, false)
        };
        all.push(Sample::new(name, page));
    }
    let failed = RpCheckPage {
        error: Some(texts.of("The check failed by a fault of this provider")),
        ..check(texts, false)
    };
    all.push(Sample::new("desk-rp-check-failed", failed));
    all.extend(more(texts));
    all
}
