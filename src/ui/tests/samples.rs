//! Every page with made-up data, in every variant that looks different.

use super::{
    account_samples, check_samples, demo_samples, desk_imports_samples, desk_ops_samples,
    desk_rps_samples, desk_samples, desk_users_samples, other_channel_samples,
};
use crate::clock::UtcTime;
use crate::ui::*;

/// 2026-01-15T09:30:00Z.
pub(super) const NOW: UtcTime = UtcTime(1_768_469_400);

type Renderer = Box<dyn Fn(&Pages, &Layout) -> Result<String, PageError>>;

/// A page to render.
pub struct Sample {
    pub name: String,
    render: Renderer,
}

impl Sample {
    pub fn new<P: Page + 'static>(name: &str, page: P) -> Self {
        Self {
            name: name.to_owned(),
            render: Box::new(move |pages, layout| page.render(pages, layout)),
        }
    }

    pub fn render(&self, pages: &Pages, layout: &Layout) -> String {
        (self.render)(pages, layout).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// Where a page's texts come from: as they are, or hostile.
#[derive(Clone, Copy)]
pub enum Texts {
    Plain,
    Hostile,
}

pub const HOSTILE: &str = "q7z\"'><xss onload=1>{{ 7919 * 7919 }}&amp;";

impl Texts {
    pub fn of(self, plain: &str) -> String {
        match self {
            Self::Plain => plain.to_owned(),
            Self::Hostile => HOSTILE.to_owned(),
        }
    }
}

pub fn layout(locale: Locale, texts: Texts, brand: Brand) -> Layout {
    Layout {
        locale,
        issuer_path: texts.of("/spid"),
        organization_name: texts.of("Provincia di Esempio"),
        logo_url: None,
        style_url: Some(texts.of("/spid/brand.css?v=1")),
        policy_url: Some("https://example.it/privacy".to_owned()),
        attribute_names: Default::default(),
        profile_brand: brand,
        language_links: Locale::ALL
            .into_iter()
            .map(|locale| (locale, texts.of(&format!("?lang={}", locale.code()))))
            .collect(),
        request_id: texts.of("b1f6Qx2mT9"),
        development: true,
        signed_in_as: None,
        nav: false,
    }
}

pub(super) fn rp(texts: Texts) -> RpView {
    RpView {
        name: texts.of("Comune di Bolzano – Servizi in rete"),
        entity_id: texts.of("https://servizi.comune.esempio.bz.it/openid/relying-party"),
        logo_url: None,
        policy_url: Some(texts.of("https://servizi.comune.esempio.bz.it/privacy")),
    }
}

pub fn login(texts: Texts, error: Option<LoginError>) -> LoginPage {
    LoginPage {
        rp: Some(rp(texts)),
        for_account: false,
        level: Some(Level::L2),
        username: texts.of("anna.rossi"),
        error,
        csrf_token: texts.of("csrf-1"),
        action_url: texts.of("/spid/login?interaction=1"),
        cancel_allowed: true,
        other_ways: vec![OtherWay {
            method: "verified_key",
            url: texts.of("/spid/login?with=verified_key"),
        }],
        requested_attributes: vec![
            texts.of("given_name"),
            texts.of("https://attributes.eid.gov.it/fiscal_number"),
        ],
    }
}

pub fn consent(texts: Texts, offline_access: Option<bool>) -> ConsentPage {
    let attributes = [
        ("given_name", Some("Anna")),
        ("family_name", Some("Rossi")),
        (
            "https://attributes.eid.gov.it/fiscal_number",
            Some("RSSNNA80A41A952K"),
        ),
        ("birthdate", Some("1º gennaio 1980")),
        (
            "address",
            Some("Via e numero civico: via Museo 12; CAP: 39100; Comune: Bolzano"),
        ),
        ("https://attributes.eid.gov.it/e_delivery_service", None),
    ];
    ConsentPage {
        rp: rp(texts),
        display_name: texts.of("Anna Rossi"),
        level: Some(Level::L2),
        attributes: attributes
            .into_iter()
            .map(|(claim, value)| AttributeView {
                claim: texts.of(claim),
                value: value.map(|value| texts.of(value)),
            })
            .collect(),
        offline_access,
        offline_access_included: offline_access.is_none(),
        csrf_token: texts.of("csrf-2"),
        action_url: texts.of("/spid/consent?interaction=1"),
        redirect_host: texts.of("servizi.comune.esempio.bz.it"),
    }
}

fn entry(texts: Texts, id: &str, state: TokenState) -> HistoryEntry {
    HistoryEntry {
        id: texts.of(id),
        when: NOW,
        rp_name: texts.of("Comune di Bolzano – Servizi in rete"),
        entity_id: texts.of("https://servizi.comune.esempio.bz.it/openid/relying-party"),
        level: Some(Level::L2),
        attributes: vec![
            texts.of("given_name"),
            texts.of("family_name"),
            texts.of("fiscal_number"),
        ],
        browser: texts.of("Firefox 140, Linux"),
        address: texts.of("2001:db8:85a3::8a2e:370:7334"),
        state,
        can_revoke: matches!(state, TokenState::Active { .. }),
    }
}

pub fn history(texts: Texts) -> HistoryPage {
    let mut last = entry(texts, "d", TokenState::None);
    last.attributes.clear();
    last.browser.clear();
    last.address.clear();
    last.level = None;
    HistoryPage {
        entries: vec![
            entry(
                texts,
                "a",
                TokenState::Active {
                    until: NOW.plus_seconds(86_400 * 30),
                },
            ),
            entry(texts, "b", TokenState::Expired),
            entry(texts, "c", TokenState::Revoked { at: NOW }),
            last,
        ],
        filter: HistoryFilter {
            rp: texts.of("https://rp.example"),
            from: texts.of("2026-01-01"),
            to: texts.of("2026-01-31"),
        },
        filter_errors: Vec::new(),
        rp_choices: vec![RpChoice {
            entity_id: texts.of("https://rp.example"),
            name: texts.of("Comune di Bolzano – Servizi in rete"),
        }],
        history_url: texts.of("/spid/history"),
        next_url: Some(texts.of("/spid/history?before=1")),
        newest_url: Some(texts.of("/spid/history")),
        export_csv_url: texts.of("/spid/history/export.csv"),
        export_json_url: texts.of("/spid/history/export.json"),
        revoke_url: texts.of("/spid/history/revoke"),
        logout_url: texts.of("/spid/logout"),
        csrf_token: texts.of("csrf-3"),
        notice: Some(Notice::Revoked {
            rp: texts.of("Comune di Merano"),
        }),
    }
}

pub fn form_post(texts: Texts) -> FormPostPage {
    FormPostPage {
        action_url: "https://servizi.comune.esempio.bz.it/callback".to_owned(),
        fields: [
            ("code", "abc"),
            ("state", "xyz"),
            ("iss", "https://login.example.it/spid/"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), texts.of(value)))
        .collect(),
        rp_name: texts.of("Comune di Bolzano"),
    }
}

fn refusals(texts: Texts) -> Vec<Sample> {
    let page = |kind| RefusalPage {
        kind,
        error: texts.of("invalid_request"),
        error_description: texts.of("claim `nonce` has 12 characters, at least 32 are required"),
        reference: texts.of("b1f6Qx2mT9"),
        check_url: Some(texts.of("/spid/check?reference=b1f6Qx2mT9")),
        retry_url: Some(texts.of("/spid/history")),
        back_to_rp: Some(Link {
            url: texts.of("https://servizi.comune.esempio.bz.it/"),
            text: texts.of("Comune di Bolzano"),
        }),
    };
    RefusalKind::ALL
        .into_iter()
        .map(|kind| Sample::new(&format!("refusal-{kind:?}"), page(kind)))
        .collect()
}

fn histories(texts: Texts) -> Vec<Sample> {
    let mut wrong_filter = history(texts);
    wrong_filter.filter_errors = vec![FilterError::FromInvalid, FilterError::ToInvalid];
    wrong_filter.entries.clear();
    let mut wrong_order = history(texts);
    wrong_order.filter_errors = vec![FilterError::ToBeforeFrom];
    let mut empty = history(texts);
    empty.entries.clear();
    empty.filter = HistoryFilter::default();
    empty.notice = None;
    (empty.next_url, empty.newest_url) = (None, None);
    vec![
        Sample::new("history", history(texts)),
        Sample::new("history-wrong-filter", wrong_filter),
        Sample::new("history-wrong-order", wrong_order),
        Sample::new("history-empty", empty),
    ]
}

fn logins(texts: Texts) -> Vec<Sample> {
    let errors = [
        LoginError::WrongCredentials,
        LoginError::Throttled { seconds: 1 },
        LoginError::Throttled { seconds: 30 },
        LoginError::Throttled { seconds: 600 },
        LoginError::MissingUsername,
        LoginError::MissingPassword,
        LoginError::MissingBoth,
        LoginError::LevelNotReachable,
        LoginError::FormExpired,
        LoginError::ClockWentBack,
        LoginError::Busy,
    ];
    let mut samples: Vec<_> = errors
        .into_iter()
        .map(|error| {
            let name = format!("{error:?}").replace([' ', '{', '}', ':'], "");
            Sample::new(&format!("login-{name}"), login(texts, Some(error)))
        })
        .collect();
    let alone = LoginPage {
        rp: None,
        level: None,
        cancel_allowed: false,
        requested_attributes: Vec::new(),
        ..login(texts, None)
    };
    samples.push(Sample::new("login", login(texts, None)));
    samples.push(Sample::new(
        "login-account",
        LoginPage {
            for_account: true,
            ..alone.clone()
        },
    ));
    samples.push(Sample::new("login-history", alone));
    samples
}

/// Every page.
pub fn all(texts: Texts) -> Vec<Sample> {
    let mut samples = logins(texts);
    let mut identifier_only = consent(texts, None);
    identifier_only.attributes.clear();
    identifier_only.offline_access_included = false;
    samples.extend([
        Sample::new("consent", consent(texts, Some(true))),
        Sample::new("consent-offline-included", consent(texts, None)),
        Sample::new("consent-identifier-only", identifier_only),
        Sample::new("form-post", form_post(texts)),
        Sample::new(
            "logged-out",
            LoggedOutPage {
                login_url: Some(texts.of("/spid/history")),
            },
        ),
        Sample::new(
            "revoke-confirm",
            RevokeConfirmPage {
                rp: rp(texts),
                csrf_token: texts.of("csrf-5"),
                action_url: texts.of("/spid/history/revoke"),
                back_url: texts.of("/spid/history"),
                from_account: false,
            },
        ),
        Sample::new("mailbox-empty", MailboxPage { mails: Vec::new() }),
        Sample::new(
            "mailbox",
            MailboxPage {
                mails: vec![MailView {
                    id: texts.of("m1"),
                    to: texts.of("anna.rossi@example.it"),
                    subject: texts.of("Nuovo accesso"),
                    body: texts.of("Buongiorno,\n\nqualcuno ha effettuato un accesso."),
                    at: NOW,
                }],
            },
        ),
        Sample::new(
            "home",
            HomePage {
                issuer: texts.of("https://login.example.it/spid/"),
                history_url: texts.of("/spid/history"),
                account_url: texts.of("/spid/account"),
                metadata_url: Some(texts.of("/spid/.well-known/openid-federation")),
            },
        ),
        Sample::new(
            "message",
            MessagePage {
                title: texts.of("Un messaggio"),
                paragraphs: vec![texts.of("Un capoverso."), texts.of("Un altro.")],
                link: Some(Link {
                    url: texts.of("/spid/"),
                    text: texts.of("Continua"),
                }),
            },
        ),
    ]);
    samples.extend(histories(texts));
    samples.extend(account_samples::all(texts));
    samples.extend(other_channel_samples::all(texts));
    samples.extend(refusals(texts));
    samples.extend(check_samples::all(texts));
    samples.extend(demo_samples::all(texts));
    samples.extend(desk_samples::all(texts));
    samples.extend(desk_imports_samples::all(texts));
    samples.extend(desk_rps_samples::all(texts));
    samples.extend(desk_users_samples::all(texts));
    samples.extend(desk_ops_samples::all(texts));
    samples
}
