//! The desk's pages; each section's samples stand in a file of their own.

use super::samples::{NOW, Sample, Texts};
use crate::ui::desk::Section;
use crate::ui::*;

/// What every page of the desk has.
pub(super) fn view(texts: Texts, section: Section) -> DeskView {
    DeskView {
        operator: texts.of("olga"),
        role: "administrator",
        sections: Section::ALL
            .iter()
            .copied()
            .map(|known| SectionView {
                name: known.name(),
                url: known.path(),
                current: known == section,
            })
            .collect(),
        own_url: "/admin/password",
        logout_url: "/admin/logout",
        csrf_token: texts.of("csrf-20"),
        done: None,
    }
}

const ERRORS: [ProofError; 13] = [
    ProofError::Missing,
    ProofError::WrongPassword,
    ProofError::WrongCode,
    ProofError::UsedBefore,
    ProofError::ClockAhead { minutes: 1 },
    ProofError::ClockBehind { minutes: 12 },
    ProofError::ServerBehind { until: NOW },
    ProofError::Throttled { seconds: 30 },
    ProofError::Throttled { seconds: 600 },
    ProofError::Locked { until: NOW },
    ProofError::Busy,
    ProofError::PasswordLength,
    ProofError::PasswordsDiffer,
];

fn operator(texts: Texts, enabled: bool) -> OperatorView {
    OperatorView {
        name: texts.of("olga"),
        role: "viewer",
        enabled,
        has_factor: enabled,
        created_at: NOW,
        last_login_at: enabled.then_some(NOW),
        url: texts.of("/admin/operators/one?name=olga"),
    }
}

fn one(texts: Texts, enabled: bool) -> OperatorPage {
    OperatorPage {
        desk: view(texts, Section::Operators),
        operator: operator(texts, enabled),
        error: (!enabled).then(|| texts.of("There is no such operator.")),
        roles: ["viewer", "operator", "administrator"],
        action_url: "/admin/operators/change",
        back_url: "/admin/operators",
        trail_url: texts.of("/admin/trail?subject=operator+olga"),
        disable_url: texts.of("/admin/operators/confirm?change=disable"),
        reset_url: texts.of("/admin/operators/confirm?change=reset_factor"),
        unlock_url: texts.of("/admin/operators/confirm?change=unlock"),
        own_url: (!enabled).then_some("/admin/password"),
        end_sessions_url: texts.of("/admin/operators/confirm?change=end_sessions"),
    }
}

fn dashboard(texts: Texts, busy: bool) -> DashboardPage {
    let buckets = chart::Buckets {
        from: NOW,
        seconds: 3_600,
        number: 24,
    };
    let numbers = [
        (NOW, texts.of("granted"), 7),
        (NOW.plus_seconds(3_600), texts.of("failed"), 2),
    ];
    let drawn = |key| ChartView {
        key,
        chart: chart::draw(buckets, if busy { &numbers } else { &[] }),
    };
    let ranges = ["day", "week", "month", "year"].map(|key| RangeView {
        key,
        url: texts.of("/admin/dashboard?range=day"),
        current: key == "day",
    });
    DashboardPage {
        desk: view(texts, Section::Dashboard),
        ranges: ranges.into(),
        charts: ["result", "level", "issuer", "rp", "refusals"]
            .map(drawn)
            .into(),
        busiest_from: NOW,
        busiest: if busy {
            vec![BusyView {
                name: texts.of("Comune di Esempio"),
                url: Some(texts.of("/admin/rps/one?issuer=spid")),
                client_id: texts.of("https://rp.example.it"),
                number: 7,
            }]
        } else {
            Vec::new()
        },
        ending: if busy {
            vec![EndingView {
                name: texts.of("comune di esempio"),
                url: None,
                client_id: texts.of("https://rp.example.it"),
                at: NOW,
            }]
        } else {
            Vec::new()
        },
        keys: vec![KeyAgesView {
            issuer: texts.of("https://op.example.it/spid"),
            groups: vec![KeyGroupView {
                ring: "protocol",
                usage: "sig",
                keys: vec![KeyAgeView {
                    kind: texts.of("P-256"),
                    days: 12,
                }],
            }],
        }],
        nodes: if busy {
            vec![AliveView {
                address: texts.of("127.0.0.1:8000"),
                version: texts.of("0.1.0"),
                started_at: NOW,
                seen_at: NOW,
                clock_off: Some(-42),
            }]
        } else {
            Vec::new()
        },
        mails_queued: 1,
        mails_failed: 0,
    }
}

fn trail(texts: Texts, entries: Vec<TrailRowView>) -> TrailPage {
    let empty = entries.is_empty();
    TrailPage {
        desk: view(texts, Section::Trail),
        url: "/admin/trail",
        actor: texts.of("olga"),
        action: texts.of("operator.add"),
        subject: texts.of("operator olga"),
        from: texts.of("2026-01-01"),
        from_invalid: empty,
        to: texts.of("2026-01-31"),
        to_invalid: empty,
        entries,
        first_url: empty.then(|| texts.of("/admin/trail")),
        next_url: (!empty).then(|| texts.of("/admin/trail?before=1")),
    }
}

fn entry(texts: Texts, by_command: bool) -> TrailRowView {
    TrailRowView {
        number: if by_command { 1 } else { 2 },
        at: NOW,
        actor: texts.of("olga"),
        by_command,
        address: texts.of("192.0.2.7"),
        action: texts.of("operator.add"),
        subject: texts.of("operator olga"),
        before: by_command.then(|| texts.of("{\"role\":\"viewer\"}")),
        after: Some(texts.of("{\"role\":\"operator\"}")),
    }
}

fn enrol(texts: Texts, error: Option<ProofError>) -> EnrolPage {
    EnrolPage {
        in_login: false,
        desk_url: Some(texts.of("/admin/login")),
        ..super::account_samples::enrol(texts, error)
    }
}

fn code(texts: Texts, error: Option<ProofError>) -> DeskCodePage {
    DeskCodePage {
        error,
        csrf_token: texts.of("csrf-22"),
        action_url: texts.of("/admin/login/code"),
        restart_url: texts.of("/admin/login"),
    }
}

fn own(texts: Texts, error: Option<ProofError>) -> OwnPasswordPage {
    OwnPasswordPage {
        desk: view(texts, Section::Own),
        needs_code: true,
        error,
        action_url: "/admin/password",
    }
}

fn login(texts: Texts, error: Option<LoginError>) -> DeskLoginPage {
    DeskLoginPage {
        username: texts.of("olga"),
        error,
        csrf_token: texts.of("csrf-23"),
        action_url: texts.of("/admin/login"),
    }
}

fn add(texts: Texts, wrong: bool) -> OperatorAddPage {
    OperatorAddPage {
        desk: view(texts, Section::Operators),
        name: Field {
            value: texts.of("olga"),
            error: wrong.then(|| texts.of("There is an operator of this name.")),
        },
        password_error: wrong.then(|| texts.of("At least 12 characters.")),
        role: "operator",
        roles: ["viewer", "operator", "administrator"],
        action_url: "/admin/operators/add",
        back_url: "/admin/operators",
    }
}

fn confirm(texts: Texts) -> ConfirmPage {
    ConfirmPage {
        desk: view(texts, Section::Operators),
        title: texts.of("Disable the operator"),
        explanations: vec![texts.of("They can no longer log in.")],
        facts: vec![OutcomeView {
            name: texts.of("Name"),
            value: texts.of("olga"),
        }],
        fields: vec![("name".to_owned(), texts.of("olga"))],
        button: texts.of("Disable"),
        action_url: texts.of("/admin/operators/change"),
        back_url: texts.of("/admin/operators"),
    }
}

pub(super) fn all(texts: Texts) -> Vec<Sample> {
    let list = |operators: Vec<OperatorView>| OperatorsPage {
        desk: view(texts, Section::Operators),
        next_url: (!operators.is_empty()).then(|| texts.of("/admin/operators?after=olga")),
        operators,
        add_url: "/admin/operators/add",
    };
    let mut done = list(vec![operator(texts, true)]);
    done.desk.done = Some("operator_added".to_owned());
    let mut all = vec![
        Sample::new("desk-login", login(texts, None)),
        Sample::new(
            "desk-login-wrong",
            login(texts, Some(LoginError::WrongCredentials)),
        ),
        Sample::new(
            "desk-login-missing",
            login(texts, Some(LoginError::MissingBoth)),
        ),
        Sample::new("desk-login-busy", login(texts, Some(LoginError::Busy))),
        Sample::new(
            "desk-login-throttled",
            login(texts, Some(LoginError::Throttled { seconds: 700 })),
        ),
        Sample::new("desk-code", code(texts, None)),
        Sample::new("desk-enrol", enrol(texts, None)),
        Sample::new("desk-own", own(texts, None)),
        Sample::new(
            "desk-operators",
            list(vec![operator(texts, true), operator(texts, false)]),
        ),
        Sample::new("desk-operators-empty", list(Vec::new())),
        Sample::new("desk-operators-done", done),
        Sample::new("desk-operator", one(texts, true)),
        Sample::new("desk-operator-refused", one(texts, false)),
        Sample::new("desk-operator-add", add(texts, false)),
        Sample::new("desk-operator-add-wrong", add(texts, true)),
        Sample::new("desk-confirm", confirm(texts)),
        Sample::new(
            "desk-trail",
            trail(texts, vec![entry(texts, false), entry(texts, true)]),
        ),
        Sample::new("desk-dashboard", dashboard(texts, true)),
        Sample::new("desk-dashboard-empty", dashboard(texts, false)),
        Sample::new("desk-trail-empty", trail(texts, Vec::new())),
    ];
    for (number, error) in ERRORS.into_iter().enumerate() {
        all.push(Sample::new(
            &format!("desk-code-{number}"),
            code(texts, Some(error)),
        ));
        all.push(Sample::new(
            &format!("desk-enrol-{number}"),
            enrol(texts, Some(error)),
        ));
        all.push(Sample::new(
            &format!("desk-own-{number}"),
            own(texts, Some(error)),
        ));
    }
    all
}
