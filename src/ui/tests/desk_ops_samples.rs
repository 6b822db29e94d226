//! The desk's pages of sessions, keys and the federation.

use super::desk_rps_samples::progress;
use super::desk_samples::view;
use super::samples::{NOW, Sample, Texts};
use crate::ui::desk::Section;
use crate::ui::*;

fn person(texts: Texts) -> Link {
    Link {
        url: texts.of("/admin/users/one?id=acc0unt"),
        text: texts.of("anna"),
    }
}

fn holder(texts: Texts) -> HolderView {
    HolderView {
        person: person(texts),
        grants_url: texts.of("/admin/sessions?account=acc0unt"),
        sessions_url: texts.of("/admin/sessions?sessions_of=acc0unt"),
        revoke_url: Some(texts.of("/admin/users/revoke?id=acc0unt")),
    }
}

fn session(texts: Texts, state: &'static str) -> DeskSessionView {
    DeskSessionView {
        id: texts.of("s3ss10n"),
        issuer: texts.of("https://login.example.it/spid/"),
        person: person(texts),
        level: texts.of("Level 2"),
        methods: texts.of("password totp"),
        at: NOW,
        until: NOW,
        browser: texts.of("Mozilla/5.0 (X11; Linux x86_64)"),
        address: texts.of("192.0.2.7"),
        state,
        url: texts.of("/admin/sessions?session=s3ss10n"),
    }
}

fn grant(texts: Texts, state: &'static str) -> GrantView {
    GrantView {
        id: texts.of("gr4nt"),
        person: person(texts),
        client_id: texts.of("https://rp.example.it/"),
        issuer: texts.of("https://login.example.it/spid/"),
        subject: texts.of("pairwise"),
        level: texts.of("Level 2"),
        offline: state == "live",
        at: NOW,
        until: NOW,
        state,
        url: texts.of("/admin/sessions/grant?id=gr4nt"),
    }
}

fn revoked() -> Vec<RevokedView> {
    let names = [
        "sessions",
        "grants",
        "codes",
        "access_tokens",
        "refresh_tokens",
    ];
    names
        .into_iter()
        .map(|name| RevokedView { name, count: 2 })
        .collect()
}

fn list(texts: Texts, of: Option<&'static str>) -> SessionsPage {
    let is_session = of == Some("session");
    let sessions = match of {
        None | Some("sessions_of") => vec![
            session(texts, "live"),
            session(texts, "ended"),
            session(texts, "expired"),
        ],
        Some(_) => Vec::new(),
    };
    let grants = match of {
        Some("session" | "client" | "account") => ["live", "revoked", "expired"]
            .map(|state| grant(texts, state))
            .into(),
        _ => Vec::new(),
    };
    SessionsPage {
        desk: view(texts, Section::Sessions),
        url: "/admin/sessions",
        sought: Field {
            value: texts.of("s3ss10n"),
            error: of.is_none().then(|| texts.of("Nothing was found.")),
        },
        of,
        of_value: texts.of("s3ss10n"),
        holder: matches!(of, Some("account" | "sessions_of")).then(|| holder(texts)),
        others: vec![Link {
            url: texts.of("/admin/sessions?client=a"),
            text: texts.of("https://login.example.it/cie/"),
        }],
        session: is_session.then(|| session(texts, "live")),
        end_url: is_session.then(|| texts.of("/admin/sessions/revoke?what=session")),
        end_all_url: is_session.then(|| texts.of("/admin/sessions/revoke?what=all")),
        revoked: revoked(),
        sessions,
        grants,
        first_url: Some(texts.of("/admin/sessions")),
        next_url: Some(texts.of("/admin/sessions?after=x")),
    }
}

fn node(
    texts: Texts,
    kind: &'static str,
    state: &'static str,
    number: Option<i64>,
) -> TreeNodeView {
    TreeNodeView {
        kind,
        key: texts.of("4f6f8a52-1d2b-4c3e-9f10-2b7c5d6e7f80"),
        generation: number,
        state,
        from: (kind != "code").then_some(NOW),
        until: (kind != "session").then_some(NOW),
        sought: state == "live" && kind == "access",
        leaf: kind == "access",
        url: (kind == "session").then(|| texts.of("/admin/sessions?session=s3ss10n")),
        revoke_url: (state == "live").then(|| texts.of("/admin/sessions/revoke?what=token")),
    }
}

fn tree(texts: Texts) -> TreePage {
    TreePage {
        desk: view(texts, Section::Sessions),
        grant: grant(texts, "live"),
        person: person(texts),
        account_url: texts.of("/admin/sessions?account=acc0unt"),
        refreshes: 2,
        subject_url: texts.of("/admin/sessions?subject=pairwise"),
        client_url: texts.of("/admin/sessions?client=a"),
        trail_url: texts.of("/admin/trail?subject=grant+gr4nt"),
        back_url: "/admin/sessions",
        revoked: revoked(),
        roots: vec![
            node(texts, "session", "removed", None),
            node(texts, "grant", "live", None),
            node(texts, "code", "redeemed", None),
        ],
        older_url: Some(texts.of("/admin/sessions/grant?id=gr4nt&before=x")),
        nodes: vec![
            node(texts, "access", "revoked", Some(0)),
            node(texts, "refresh", "rotated", Some(0)),
            node(texts, "access", "live", Some(1)),
            node(texts, "refresh", "live", Some(1)),
        ],
        newest_url: Some(texts.of("/admin/sessions/grant?id=gr4nt")),
    }
}

pub(super) fn reasoned(texts: Texts, section: Section, wrong: bool) -> ReasonedPage {
    let error = |text: &str| wrong.then(|| texts.of(text));
    ReasonedPage {
        desk: view(texts, section),
        title: texts.of("Revoke the grant"),
        error: error("Nothing was left to revoke."),
        explanations: vec![texts.of("This cannot be undone.")],
        facts: vec![OutcomeView {
            name: texts.of("Relying party"),
            value: texts.of("https://rp.example.it/"),
        }],
        reason: Field {
            value: texts.of("Asked for by the relying party"),
            error: error("At most 500 characters."),
        },
        reason_required: wrong,
        sure: wrong.then(|| Field {
            value: texts.of("I am sure"),
            error: error("Tick it."),
        }),
        button: texts.of("Revoke"),
        action_url: texts.of("/admin/sessions/revoke?what=grant"),
        back_url: texts.of("/admin/sessions/grant"),
    }
}

fn key(texts: Texts, state: &'static str) -> KeyView {
    KeyView {
        kid: texts.of("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        kind: texts.of("RSA-2048"),
        usage: if state == "next" { "enc" } else { "sig" },
        state,
        created_at: NOW,
        signs_from: (state != "next").then_some(NOW),
        retired_at: (state == "retired").then_some(NOW),
        ends_at: (state == "retired").then_some(NOW),
        retire_url: Some(texts.of("/admin/keys/retire?kid=a")),
    }
}

fn keys(texts: Texts) -> KeysPage {
    let ring = |name, keys: Vec<KeyView>| RingView {
        name,
        keys,
        rotate_url: Some(texts.of("/admin/keys/rotate?ring=protocol")),
    };
    let states = ["next", "current", "retired", "ended"];
    KeysPage {
        desk: view(texts, Section::Keys),
        issuers: vec![IssuerKeysView {
            id: texts.of("https://login.example.it/spid/"),
            rings: vec![
                ring("protocol", states.map(|state| key(texts, state)).into()),
                ring("federation", Vec::new()),
            ],
            documents_url: texts.of("/admin/keys/documents"),
            trail_url: texts.of("/admin/trail?subject=keys"),
        }],
    }
}

fn rotate(texts: Texts, wrong: bool, ring: &'static str) -> RotatePage {
    let error = |text: &str| wrong.then(|| texts.of(text));
    let field = |value: &str, error: Option<String>| Field {
        value: texts.of(value),
        error,
    };
    RotatePage {
        desk: view(texts, Section::Keys),
        issuer: texts.of("https://login.example.it/spid/"),
        ring,
        waiting: wrong,
        planned: wrong.then_some(NOW),
        earliest: (ring == "protocol").then_some(NOW),
        at: wrong,
        day: field("2026-12-31", error("Write a day.")),
        hour: field("03:00", None),
        reason: field("Once a year", error("Too long.")),
        error: error("Somebody else changed keys."),
        action_url: texts.of("/admin/keys/rotate"),
        emergency_url: texts.of("/admin/keys/emergency"),
        back_url: "/admin/keys",
    }
}

pub(super) fn published(texts: Texts, name: &'static str, missing: bool) -> PublishedView {
    PublishedView {
        name,
        url: texts.of("https://login.example.it/spid/.well-known/openid-federation"),
        missing,
        kid: Some(texts.of("NzbLsXh8")),
        issued_at: Some(NOW),
        expires_at: Some(NOW),
        kids: vec![texts.of("NzbLsXh8")],
        json: texts.of("{ \"iss\": \"https://login.example.it/spid/\" }"),
    }
}

fn documents(texts: Texts) -> PublishedPage {
    PublishedPage {
        desk: view(texts, Section::Keys),
        issuer: texts.of("https://login.example.it/spid/"),
        documents: vec![
            published(texts, "entity", false),
            published(texts, "discovery", false),
            published(texts, "jwks", false),
            published(texts, "signed_jwks", false),
            published(texts, "historical", true),
        ],
        back_url: "/admin/keys",
    }
}

fn asked(texts: Texts, verdict: AskedVerdict) -> AskedView {
    let key = |attested| AttestedView {
        kid: texts.of("NzbLsXh8"),
        state: "current".to_owned(),
        attested,
    };
    let said = |says, is_right: bool| AttestationView {
        superior: texts.of("https://ta.example.it"),
        says,
        expires_at: (says == SuperiorSays::Statement).then_some(NOW),
        fault: (!is_right).then(|| texts.of("expired 3 hours ago")),
        keys: match says {
            SuperiorSays::Statement => vec![key(is_right), key(false)],
            SuperiorSays::Nothing | SuperiorSays::NotAsked => Vec::new(),
        },
    };
    AskedView {
        verdict,
        attestations: vec![
            said(SuperiorSays::Statement, true),
            said(SuperiorSays::Statement, false),
            said(SuperiorSays::Nothing, false),
            said(SuperiorSays::NotAsked, true),
        ],
        problem: Some(texts.of("it could not be fetched")),
    }
}

fn asked_page(texts: Texts, asked: Option<AskedView>) -> AskedPage {
    AskedPage {
        desk: view(texts, Section::Federation),
        issuer: texts.of("https://login.example.it/spid/"),
        back_url: texts.of("/admin/federation?issuer=a"),
        progress: None,
        operator: texts.of("olga"),
        ended_at: Some(NOW),
        failed: asked.is_none(),
        steps: match asked {
            Some(_) => progress(texts, false).steps,
            None => Vec::new(),
        },
        asked,
        ask_url: Some(texts.of("/admin/federation?issuer=a")),
    }
}

fn asked_samples(texts: Texts) -> Vec<Sample> {
    let of = |verdict| asked_page(texts, Some(asked(texts, verdict)));
    let under_way = |is_running: bool| AskedPage {
        progress: Some(progress(texts, is_running)),
        ended_at: None,
        failed: false,
        ask_url: (!is_running).then(|| texts.of("/admin/federation?issuer=a")),
        ..asked_page(texts, None)
    };
    vec![
        Sample::new("desk-asked-running", under_way(true)),
        Sample::new("desk-asked-interrupted", under_way(false)),
        Sample::new("desk-asked-failed", asked_page(texts, None)),
        Sample::new("desk-asked-own", of(AskedVerdict::Own)),
        Sample::new("desk-asked-nobody", of(AskedVerdict::Nobody)),
        Sample::new("desk-asked-fault", of(AskedVerdict::Fault)),
        Sample::new("desk-asked-missing", of(AskedVerdict::Missing)),
        Sample::new("desk-asked-silent", of(AskedVerdict::Silent)),
        Sample::new("desk-asked-chain", of(AskedVerdict::Chain)),
        Sample::new("desk-asked-attested", of(AskedVerdict::Attested)),
    ]
}

fn renewal(texts: Texts, failures: i64) -> RenewalView {
    RenewalView {
        client_id: texts.of("https://rp.example.it/"),
        superior: texts.of("https://ta.example.it"),
        due_at: NOW,
        failures,
        failure: (failures > 0).then(|| texts.of("no answer")),
        failing_since: (failures > 0).then_some(NOW),
    }
}

fn federation(texts: Texts, full: bool) -> FederationPage {
    let issuer = texts.of("https://login.example.it/spid/");
    FederationPage {
        desk: view(texts, Section::Federation),
        issuers: vec![
            (issuer.clone(), None),
            (issuer.clone(), Some(texts.of("/admin/federation?issuer=a"))),
        ],
        issuer: Some(issuer),
        configuration: full.then(|| published(texts, "entity", false)),
        anchors: vec![AnchorView {
            id: texts.of("https://ta.example.it"),
            kids: if full {
                vec![texts.of("NzbLsXh8")]
            } else {
                Vec::new()
            },
        }],
        hints: if full {
            vec![texts.of("https://ta.example.it")]
        } else {
            Vec::new()
        },
        ask_url: full.then(|| texts.of("/admin/federation?issuer=a")),
        marks: [Some(NOW), None]
            .into_iter()
            .filter(|_| full)
            .map(|expires_at| OwnMarkView {
                mark_type: texts.of("https://ta.example.it/op"),
                issuer: texts.of("https://ta.example.it"),
                issued_at: NOW,
                expires_at,
            })
            .collect(),
        renewals: if full {
            vec![renewal(texts, 0), renewal(texts, 3)]
        } else {
            Vec::new()
        },
        failing: full,
        switch_url: texts.of("/admin/federation?failing=1"),
        next_url: full.then(|| texts.of("/admin/federation?after=x")),
    }
}

fn mails(texts: Texts, state: &'static str, full: bool) -> DeskMailsPage {
    let is_failed = state == "failed";
    let mail = |can_be_retried: bool| DeskMailView {
        id: texts.of("m4il"),
        about: texts.of("New second factor registered"),
        person: person(texts),
        created_at: NOW,
        attempts: 3,
        at: NOW,
        reason: can_be_retried.then(|| texts.of("the server answered 550")),
        can_be_retried: can_be_retried && is_failed,
    };
    DeskMailsPage {
        desk: view(texts, Section::Dashboard),
        url: "/admin/mails",
        state,
        other_url: texts.of("/admin/mails?state=queued"),
        error: (!full).then(|| texts.of("There is nothing to try again.")),
        mails: [true, false]
            .into_iter()
            .filter(|_| full)
            .map(mail)
            .collect(),
        may_retry_all: full && is_failed,
        first_url: Some(texts.of("/admin/mails")),
        next_url: full.then(|| texts.of("/admin/mails?after=x")),
        back_url: "/admin/dashboard",
    }
}

pub(super) fn all(texts: Texts) -> Vec<Sample> {
    let mut all = sections(texts);
    all.extend([
        Sample::new("desk-mails", mails(texts, "failed", true)),
        Sample::new("desk-mails-queued", mails(texts, "queued", true)),
        Sample::new("desk-mails-none", mails(texts, "failed", false)),
        Sample::new("desk-mails-idle", mails(texts, "queued", false)),
    ]);
    all.extend(asked_samples(texts));
    all
}

fn sections(texts: Texts) -> Vec<Sample> {
    vec![
        Sample::new("desk-sessions", list(texts, None)),
        Sample::new("desk-sessions-session", list(texts, Some("session"))),
        Sample::new("desk-sessions-client", list(texts, Some("client"))),
        Sample::new("desk-sessions-subject", list(texts, Some("subject"))),
        Sample::new("desk-sessions-account", list(texts, Some("account"))),
        Sample::new("desk-sessions-of", list(texts, Some("sessions_of"))),
        Sample::new(
            "desk-sessions-nobody",
            SessionsPage {
                holder: None,
                grants: Vec::new(),
                ..list(texts, Some("account"))
            },
        ),
        Sample::new("desk-tree", tree(texts)),
        Sample::new("desk-federation", federation(texts, true)),
        Sample::new("desk-federation-bare", federation(texts, false)),
        Sample::new(
            "desk-federation-none",
            FederationPage {
                issuer: None,
                ..federation(texts, false)
            },
        ),
        Sample::new("desk-keys", keys(texts)),
        Sample::new("desk-rotate", rotate(texts, false, "protocol")),
        Sample::new("desk-rotate-wrong", rotate(texts, true, "protocol")),
        Sample::new("desk-rotate-attest", rotate(texts, false, "federation")),
        Sample::new("desk-rotate-waiting", rotate(texts, true, "federation")),
        Sample::new("desk-published", documents(texts)),
        Sample::new("desk-revoke", reasoned(texts, Section::Sessions, false)),
        Sample::new(
            "desk-revoke-wrong",
            reasoned(texts, Section::Sessions, true),
        ),
    ]
}
