//! The account's pages, and those that ask for a second factor.

use super::samples::{NOW, Sample, Texts, rp};
use crate::ui::*;

const ERRORS: [ProofError; 25] = [
    ProofError::Missing,
    ProofError::WrongPassword,
    ProofError::WrongCode,
    ProofError::UsedBefore,
    ProofError::ClockAhead { minutes: 12 },
    ProofError::ClockBehind { minutes: 1 },
    ProofError::ServerBehind { until: NOW },
    ProofError::OfTheFuture,
    ProofError::Throttled { seconds: 30 },
    ProofError::Throttled { seconds: 600 },
    ProofError::Locked { until: NOW },
    ProofError::Expired,
    ProofError::Busy,
    ProofError::PasswordLength,
    ProofError::PasswordsDiffer,
    ProofError::SamePassword,
    ProofError::TooMany,
    ProofError::WrongKey,
    ProofError::KeyNotVerified,
    ProofError::KeyCopied,
    ProofError::KeyKnown,
    ProofError::NoCard,
    ProofError::CardUnreadable,
    ProofError::CardNotTrusted,
    ProofError::CardUnknown,
];

pub fn step(texts: Texts) -> StepView {
    StepView {
        rp: rp(texts),
        level: Some(Level::L2),
        may_restart: true,
        other_ways: [
            "totp",
            "recovery",
            "security_key",
            "verified_key",
            "password",
        ]
        .into_iter()
        .map(|method| OtherWay {
            method,
            url: texts.of("/spid/login?with=recovery"),
        })
        .collect(),
        csrf_token: texts.of("csrf-6"),
        action_url: texts.of("/spid/login?interaction=1"),
    }
}

fn second_factor(texts: Texts, kind: CodeKind, error: Option<ProofError>) -> SecondFactorPage {
    SecondFactorPage {
        step: step(texts),
        kind,
        error,
    }
}

pub fn enrol(texts: Texts, error: Option<ProofError>) -> EnrolPage {
    EnrolPage {
        secret: texts.of("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"),
        uri: texts.of("otpauth://totp/Varco:anna?secret=GEZD&issuer=Varco"),
        qr: error.is_none().then(|| QrView {
            size: 15,
            path: texts.of("M4 4h7v1h-7z"),
        }),
        error,
        csrf_token: texts.of("csrf-7"),
        action_url: texts.of("/spid/account/factor/new"),
        in_login: error.is_none(),
        desk_url: None,
    }
}

fn factor(texts: Texts, name: &str, used: bool) -> FactorView {
    FactorView {
        name: if name.is_empty() {
            String::new()
        } else {
            texts.of(name)
        },
        is_key: used,
        for_host: used.then(|| texts.of("login.example.it")),
        created_at: NOW,
        last_used_at: used.then_some(NOW),
        remove_url: Some(texts.of("/spid/account/factor/remove?id=1")),
        id: texts.of("factor-1"),
        renaming: used.then(|| RenamingView {
            name: texts.of("telefono"),
            missing: true,
        }),
    }
}

fn session(texts: Texts, current: bool) -> SessionView {
    SessionView {
        key: texts.of("abc"),
        issuer: texts.of("https://login.example.it/spid/"),
        browser: texts.of("Firefox 140, Linux"),
        address: texts.of("2001:db8:85a3::8a2e:370:7334"),
        since: NOW,
        level: current.then_some(Level::L2),
        current,
    }
}

pub fn account(texts: Texts) -> AccountPage {
    AccountPage {
        username: texts.of("anna.rossi"),
        factors: vec![factor(texts, "telefono", true), factor(texts, "", false)],
        add_url: Some(texts.of("/spid/account/factor/add")),
        add_key_url: Some(texts.of("/spid/account/key/add")),
        no_keys_at: Some(texts.of("http://127.0.0.1:8000/spid/")),
        ask_operator: false,
        cannot_prove: false,
        recovery: Some(RecoveryView {
            left: 1,
            renew_url: Some(texts.of("/spid/account/recovery")),
        }),
        password_url: Some(texts.of("/spid/account/password")),
        sessions: vec![session(texts, true), session(texts, false)],
        more_sessions: true,
        sessions_url: texts.of("/spid/account/sessions"),
        consents_url: texts.of("/spid/account/consents"),
        mail_address: Some(texts.of("anna.rossi@example.it")),
        languages: Locale::ALL
            .into_iter()
            .map(|locale| LanguageChoice {
                code: locale.code(),
                name: locale.own_name(),
                chosen: locale == Locale::De,
            })
            .collect(),
        rename_url: texts.of("/spid/account/factor/rename"),
        language_url: texts.of("/spid/account/language"),
        data_url: Some(texts.of("/spid/account/data")),
        history_url: texts.of("/spid/history"),
        logout_url: texts.of("/spid/logout"),
        logout_csrf_token: texts.of("csrf-8"),
        csrf_token: texts.of("csrf-9"),
        notice: None,
    }
}

fn confirm(texts: Texts, change: AccountChange, error: Option<ProofError>) -> ConfirmChangePage {
    ConfirmChangePage {
        change,
        needs_password: true,
        needs_code: true,
        key_options: error
            .is_none()
            .then(|| texts.of("{\"challenge\": \"AAAA\"}")),
        username: texts.of("anna.rossi"),
        restored: error.is_none(),
        error,
        csrf_token: texts.of("csrf-10"),
        action_url: texts.of("/spid/account/password"),
        back_url: texts.of("/spid/account"),
    }
}

/// Of somebody who logs in with a card.
fn cannot_prove(texts: Texts) -> AccountPage {
    AccountPage {
        factors: vec![FactorView {
            remove_url: None,
            ..factor(texts, "telefono", false)
        }],
        add_url: None,
        add_key_url: None,
        no_keys_at: None,
        cannot_prove: true,
        recovery: Some(RecoveryView {
            left: 3,
            renew_url: None,
        }),
        password_url: None,
        data_url: None,
        ..account(texts)
    }
}

fn accounts(texts: Texts) -> Vec<Sample> {
    let empty = AccountPage {
        factors: Vec::new(),
        add_url: None,
        add_key_url: None,
        no_keys_at: None,
        ask_operator: true,
        recovery: None,
        password_url: None,
        mail_address: None,
        data_url: None,
        sessions: vec![session(texts, true)],
        more_sessions: false,
        ..account(texts)
    };
    let mut samples = vec![
        Sample::new("account", account(texts)),
        Sample::new("account-empty", empty),
        Sample::new("account-cannot-prove", cannot_prove(texts)),
    ];
    for name in [
        "added", "removed", "password", "session", "others", "language",
    ] {
        let page = AccountPage {
            notice: AccountNotice::from_name(name),
            recovery: Some(RecoveryView {
                left: if name == "added" { 10 } else { 0 },
                renew_url: Some(texts.of("/spid/account/recovery")),
            }),
            ..account(texts)
        };
        assert!(page.notice.is_some());
        samples.push(Sample::new(&format!("account-{name}"), page));
    }
    samples
}

fn consents(texts: Texts) -> Vec<Sample> {
    let consent = |offline_access| ConsentView {
        rp_name: texts.of("Comune di Esempio"),
        entity_id: texts.of("https://rp.example.it/"),
        attributes: if offline_access {
            vec![texts.of("given_name"), texts.of("email")]
        } else {
            Vec::new()
        },
        since: NOW,
        until: NOW,
        offline_access,
    };
    let page = ConsentsPage {
        consents: vec![consent(true), consent(false)],
        revoke_url: texts.of("/spid/history/revoke"),
        next_url: Some(texts.of("/spid/account/consents?after=x")),
        first_url: Some(texts.of("/spid/account/consents")),
        account_url: texts.of("/spid/account"),
        withdrawn: false,
    };
    let empty = ConsentsPage {
        consents: Vec::new(),
        next_url: None,
        first_url: None,
        withdrawn: true,
        ..page.clone()
    };
    vec![
        Sample::new("account-consents", page),
        Sample::new("account-consents-empty", empty),
    ]
}

fn changes(texts: Texts) -> Vec<Sample> {
    let name = || texts.of("telefono");
    let all = [
        AccountChange::AddFactor { name: name() },
        AccountChange::RemoveFactor {
            name: name(),
            last: true,
            allowed: true,
        },
        AccountChange::RemoveFactor {
            name: name(),
            last: true,
            allowed: false,
        },
        AccountChange::AddKey,
        AccountChange::RemoveFactor {
            name: String::new(),
            last: false,
            allowed: true,
        },
        AccountChange::RenewCodes,
        AccountChange::ChangePassword,
        AccountChange::DownloadData,
    ];
    let mut samples = Vec::new();
    for (number, change) in all.into_iter().enumerate() {
        let page = confirm(texts, change, None);
        samples.push(Sample::new(&format!("account-change-{number}"), page));
    }
    let with_a_key = ConfirmChangePage {
        needs_password: false,
        needs_code: false,
        ..confirm(texts, AccountChange::RenewCodes, None)
    };
    samples.push(Sample::new("account-change-with-a-key", with_a_key));
    for error in ERRORS {
        let page = confirm(texts, AccountChange::ChangePassword, Some(error));
        samples.push(Sample::new(&name_of("account-change", error), page));
    }
    samples
}

fn name_of(page: &str, error: ProofError) -> String {
    format!("{page}-{error:?}").replace([' ', '{', '}', ':', '(', ')'], "")
}

pub fn all(texts: Texts) -> Vec<Sample> {
    let mut samples = accounts(texts);
    samples.extend(changes(texts));
    samples.extend(consents(texts));
    for error in ERRORS {
        let page = second_factor(texts, CodeKind::Totp, Some(error));
        samples.push(Sample::new(&name_of("second-factor", error), page));
    }
    samples.extend([
        Sample::new("second-factor", second_factor(texts, CodeKind::Totp, None)),
        Sample::new(
            "second-factor-recovery",
            second_factor(texts, CodeKind::Recovery, None),
        ),
        Sample::new("enrol", enrol(texts, None)),
        Sample::new("enrol-wrong", enrol(texts, Some(ProofError::WrongCode))),
    ]);
    for error in [None, Some(ProofError::CardUnknown)] {
        let page = CertificatePage {
            step: step(texts),
            is_read: error.is_some(),
            error,
        };
        let suffix = if error.is_some() { "-unknown" } else { "" };
        samples.push(Sample::new(&format!("certificate{suffix}"), page));
    }
    for error in [None, Some(ProofError::KeyCopied)] {
        let page = KeyPage {
            step: step(texts),
            options: texts.of("{\"challenge\": \"AAAA\"}"),
            verify: error.is_none(),
            error,
        };
        let suffix = if error.is_some() { "-copied" } else { "" };
        samples.push(Sample::new(&format!("security-key{suffix}"), page));
        let page = NewKeyPage {
            options: texts.of("{\"challenge\": \"AAAA\"}"),
            name: texts.of("chiave blu"),
            error,
            csrf_token: texts.of("csrf-12"),
            action_url: texts.of("/spid/account/key/new"),
        };
        samples.push(Sample::new(&format!("account-key{suffix}"), page));
    }
    for may_enrol in [true, false] {
        let page = NoSecondFactorPage {
            step: step(texts),
            may_enrol,
            strong: !may_enrol,
        };
        samples.push(Sample::new(&format!("no-second-factor-{may_enrol}"), page));
        let codes = RecoveryCodesPage {
            codes: vec![texts.of("ABCD EFGH IJKL MNOP"); 10],
            enrolled: may_enrol,
            continue_url: texts.of("/spid/account"),
        };
        samples.push(Sample::new(&format!("account-codes-{may_enrol}"), codes));
    }
    samples
}
