//! The desk's section "users".

use super::desk_samples::view;
use super::samples::{NOW, Sample, Texts};
use crate::ui::desk::Section;
use crate::ui::*;

fn row(texts: Texts, enabled: bool) -> UserRowView {
    UserRowView {
        username: texts.of("anna"),
        full_name: if enabled {
            texts.of("Anna Rossi")
        } else {
            String::new()
        },
        fiscal_number: texts.of("RSSNNA80A41H501Z"),
        email: texts.of("anna@example.it"),
        enabled,
        url: texts.of("/admin/users/one?id=1"),
    }
}

fn list(texts: Texts, users: Vec<UserRowView>, text: &str) -> UsersPage {
    UsersPage {
        desk: view(texts, Section::Users),
        url: "/admin/users",
        by: "email",
        text: texts.of(text),
        state: if text.is_empty() { "" } else { "disabled" },
        add_url: Some("/admin/users/add"),
        import_url: Some("/admin/users/import"),
        first_url: Some(texts.of("/admin/users")),
        next_url: (!users.is_empty()).then(|| texts.of("/admin/users?after=a")),
        users,
    }
}

fn access(texts: Texts, id: &str, state: TokenState) -> HistoryEntry {
    HistoryEntry {
        id: id.to_owned(),
        when: NOW,
        rp_name: texts.of("Comune di Esempio"),
        entity_id: texts.of("https://rp.example.it"),
        level: (id == "1").then_some(Level::L2),
        attributes: Vec::new(),
        browser: if id == "1" {
            texts.of("Firefox")
        } else {
            String::new()
        },
        address: if id == "1" {
            texts.of("192.0.2.7")
        } else {
            String::new()
        },
        state,
        can_revoke: false,
    }
}

fn accesses(texts: Texts) -> Vec<HistoryEntry> {
    vec![
        access(texts, "1", TokenState::Active { until: NOW }),
        access(texts, "2", TokenState::Revoked { at: NOW }),
        access(texts, "3", TokenState::Expired),
    ]
}

fn one(texts: Texts, full: bool) -> UserPage {
    UserPage {
        desk: view(texts, Section::Users),
        id: texts.of("key"),
        username: texts.of("anna"),
        enabled: full,
        has_password: full,
        created_at: NOW,
        updated_at: NOW,
        attributes: vec![OutcomeView {
            name: texts.of("Given name"),
            value: texts.of("Anna"),
        }],
        factors: [true, false]
            .into_iter()
            .filter(|_| full)
            .map(|used| UserFactorView {
                method: texts.of("Authenticator app"),
                name: if used {
                    texts.of("Phone")
                } else {
                    String::new()
                },
                created_at: NOW,
                last_used_at: used.then_some(NOW),
                remove_url: texts.of("/admin/users/confirm?change=remove_factor"),
            })
            .collect(),
        recovery_left: 7,
        sessions: [true, false]
            .into_iter()
            .filter(|_| full)
            .map(|known| UserSessionView {
                issuer: texts.of("https://op.example.it/spid/"),
                browser: if known {
                    texts.of("Firefox")
                } else {
                    String::new()
                },
                address: if known {
                    texts.of("192.0.2.7")
                } else {
                    String::new()
                },
                since: NOW,
                level: known.then_some(Level::L2),
                end_url: texts.of("/admin/users/confirm?change=end_session"),
            })
            .collect(),
        more_sessions: full,
        accesses: if full { accesses(texts) } else { Vec::new() },
        history_url: texts.of("/admin/users/history?id=key"),
        holdings_url: texts.of("/admin/sessions?account=key"),
        trail_url: texts.of("/admin/trail?subject=user+key"),
        back_url: "/admin/users",
        actions: Some(UserActions {
            edit_url: texts.of("/admin/users/edit?id=key"),
            disable_url: texts.of("/admin/users/confirm?change=disable"),
            reset_url: texts.of("/admin/users/confirm?change=reset_factors"),
            end_sessions_url: texts.of("/admin/users/confirm?change=end_sessions"),
            revoke_url: texts.of("/admin/users/revoke?id=key"),
            no_password_url: texts.of("/admin/users/confirm?change=no_password"),
            action_url: "/admin/users/change",
        }),
        error: None,
        password_error: None,
    }
}

fn field(texts: Texts, name: &str, kind: &'static str, wrong: bool) -> AttributeField {
    AttributeField {
        name: name.to_owned(),
        label: texts.of("Sex"),
        kind,
        choices: vec![
            (texts.of("female"), texts.of("female")),
            (texts.of("male"), texts.of("male")),
        ],
        field: Field {
            value: texts.of("female"),
            error: wrong.then(|| texts.of("It has to be something else.")),
        },
    }
}

fn edit(texts: Texts, adds: bool, wrong: bool) -> UserEditPage {
    UserEditPage {
        desk: view(texts, Section::Users),
        user: (!adds).then(|| EditedUser {
            id: texts.of("key"),
            username: texts.of("anna"),
            version: texts.of("abc"),
        }),
        username: Field {
            value: texts.of("anna"),
            error: wrong.then(|| texts.of("There is such a user.")),
        },
        password_error: wrong.then(|| texts.of("Too long.")),
        fields: vec![
            field(texts, "a-given_name", "text", wrong),
            field(texts, "a-birthdate", "date", false),
            field(texts, "a-gender", "choice", wrong),
            field(texts, "a-address", "json", false),
        ],
        changed: [texts.of("email")]
            .into_iter()
            .filter(|_| wrong && !adds)
            .map(|name| OutcomeView {
                name,
                value: texts.of("anna@example.it"),
            })
            .collect(),
        invalid: wrong,
        action_url: "/admin/users/edit",
        back_url: texts.of("/admin/users"),
    }
}

pub(super) fn all(texts: Texts) -> Vec<Sample> {
    let mut refused = one(texts, false);
    refused.error = Some(texts.of("It is not there any more."));
    refused.password_error = Some(texts.of("Too long."));
    let mut looked_at = one(texts, true);
    looked_at.actions = None;
    let history = |accesses: Vec<HistoryEntry>| UserHistoryPage {
        desk: view(texts, Section::Users),
        username: texts.of("anna"),
        back_url: texts.of("/admin/users/one?id=key"),
        first_url: accesses
            .is_empty()
            .then(|| texts.of("/admin/users/history")),
        next_url: (!accesses.is_empty()).then(|| texts.of("/admin/users/history?after=a")),
        accesses,
    };
    vec![
        Sample::new(
            "desk-users",
            list(texts, vec![row(texts, true), row(texts, false)], "a"),
        ),
        Sample::new("desk-users-none", list(texts, Vec::new(), "a")),
        Sample::new("desk-users-empty", list(texts, Vec::new(), "")),
        Sample::new("desk-user", one(texts, true)),
        Sample::new("desk-user-refused", refused),
        Sample::new("desk-user-looked-at", looked_at),
        Sample::new("desk-user-history", history(accesses(texts))),
        Sample::new("desk-user-history-empty", history(Vec::new())),
        Sample::new("desk-user-add", edit(texts, true, false)),
        Sample::new("desk-user-add-wrong", edit(texts, true, true)),
        Sample::new("desk-user-edit", edit(texts, false, false)),
        Sample::new("desk-user-edit-wrong", edit(texts, false, true)),
    ]
}
