//! Every failure has its own words, complete in every language.

use super::*;
use crate::federation::{
    BrokenLink, Check, Defect, DocumentKind, FetchError, FetchFact, RefusedMark,
};
use crate::jose::JoseError;
use crate::profile::PROFILES;
use std::collections::BTreeSet;
use std::sync::Arc;

const RP: &str = "https://rp.example.it";
const TA: &str = "https://ta.example.it";
const MARK: &str = "https://ta.example.it/openid_relying_party/public/";
/// 20 November 2026 at 10:00 UTC.
const AT: UtcTime = UtcTime(1_795_168_800);

const DEFECTS: [Defect; 12] = [
    Defect::Expired(AT),
    Defect::InFuture(AT),
    Defect::Signature,
    Defect::UnknownKey,
    Defect::Algorithm,
    Defect::Party,
    Defect::Form,
    Defect::NoMember,
    Defect::Unlisted,
    Defect::Delegation,
    Defect::Inactive,
    Defect::Unreachable,
];

fn link(kind: DocumentKind, issuer: &str, defect: Defect) -> TrustError {
    TrustError::BrokenLink(Box::new(BrokenLink {
        kind,
        issuer: issuer.to_owned(),
        subject: RP.to_owned(),
        url: Some(format!("{issuer}/document")),
        kid: None,
        fact: "claim sub is missing".to_owned(),
        defect,
    }))
}

fn marks(defect: Option<Defect>) -> TrustError {
    let refused = |defect| RefusedMark {
        mark_type: MARK.to_owned(),
        issuer: TA.to_owned(),
        fact: "its issuer says so".to_owned(),
        defect,
        check: Check::Status,
        temporary: false,
    };
    TrustError::TrustMark {
        subject: RP.to_owned(),
        anchor: Some(TA.to_owned()),
        required: vec![MARK.to_owned()],
        refused: defect.map(refused).into_iter().collect(),
    }
}

fn fetches() -> impl Iterator<Item = TrustError> {
    let text = || "cause".to_owned();
    let facts = [
        FetchFact::Timeout { milliseconds: 3000 },
        FetchFact::ForbiddenAddress {
            address: [10, 0, 0, 1].into(),
        },
        FetchFact::TooLarge { limit: 262_144 },
        FetchFact::Encoded {
            encoding: "gzip".to_owned(),
        },
        FetchFact::Status { code: 500 },
        FetchFact::Dns(text()),
        FetchFact::Connect(text()),
        FetchFact::Tls(text()),
        FetchFact::Protocol(text()),
        FetchFact::RedirectLeavesHost {
            to: "https://other.example".to_owned(),
        },
        FetchFact::TooManyRedirects { limit: 3 },
        FetchFact::InvalidUrl,
        FetchFact::NotHttps,
        FetchFact::Busy,
        FetchFact::Other(text()),
    ];
    facts.into_iter().map(|fact| TrustError::Fetch {
        document: format!("entity configuration of {RP}"),
        error: FetchError {
            url: format!("{RP}/.well-known/openid-federation"),
            fact,
        },
    })
}

fn policies() -> impl Iterator<Item = TrustError> {
    let kinds = [
        PolicyErrorKind::InvalidMetadata,
        PolicyErrorKind::InvalidPolicy,
    ];
    kinds.into_iter().map(|kind| TrustError::Policy {
        issuer: TA.to_owned(),
        error: PolicyError {
            kind,
            path: "openid_relying_party.grant_types".to_owned(),
            operator: "subset_of".to_owned(),
            reason: "the parameter is missing".to_owned(),
        },
    })
}

fn trust_errors() -> Vec<TrustError> {
    let subject = || RP.to_owned();
    let entity = subject;
    let fact = subject;
    let mut all: Vec<TrustError> = fetches().chain(policies()).collect();
    let kinds = [
        (DocumentKind::EntityConfiguration, RP),
        (DocumentKind::EntityConfiguration, TA),
        (DocumentKind::SubordinateStatement, TA),
        (DocumentKind::SignedJwks, RP),
    ];
    for defect in DEFECTS {
        all.extend(kinds.map(|(kind, issuer)| link(kind, issuer, defect)));
        all.push(marks(Some(defect)));
    }
    all.extend([
        marks(None),
        TrustError::Busy,
        TrustError::TimedOut {
            subject: subject(),
            seconds: 10,
        },
        TrustError::EntityType {
            subject: subject(),
            entity_type: "openid_relying_party".to_owned(),
        },
        TrustError::Constraint {
            issuer: TA.to_owned(),
            constraint: "max_path_length",
            fact: fact(),
        },
        TrustError::NoFetchEndpoint { entity: entity() },
        TrustError::NoAuthorityHints { entity: entity() },
        TrustError::TooManyHints {
            entity: entity(),
            found: 30,
            limit: 20,
        },
        TrustError::TooManyFetches {
            subject: subject(),
            limit: 30,
        },
        TrustError::NoAnchor { subject: subject() },
        TrustError::NoPath {
            subject: subject(),
            failures: Vec::new(),
        },
        TrustError::Anchor {
            anchor: TA.to_owned(),
            fact: fact(),
        },
        TrustError::ProvidedChain(fact()),
        TrustError::RpKeys {
            subject: subject(),
            member: "jwks_uri",
            fact: fact(),
            cause: None,
            temporary: true,
        },
    ]);
    all
}

fn errors() -> Vec<ClientError> {
    let mut all: Vec<ClientError> = trust_errors()
        .into_iter()
        .map(|error| ClientError::Trust(Arc::new(error)))
        .collect();
    let ids = [
        EntityIdError::TooLong,
        EntityIdError::NotAUrl,
        EntityIdError::NotHttps,
        EntityIdError::UserInformation,
        EntityIdError::QueryOrFragment,
    ];
    all.extend(ids.map(ClientError::NotAnEntity));
    for profile in PROFILES {
        all.extend(profile.metadata_rules.iter().map(ClientError::Rule));
    }
    all.extend([
        ClientError::Unknown,
        ClientError::Disabled,
        ClientError::Ended(Arc::new(crate::provider::EndedChain {
            ended_at: crate::clock::UtcTime(0),
            failure: None,
            refusal: None,
        })),
        ClientError::RegistrationExpired(AT),
        ClientError::Metadata(MisshapenMetadata {
            member: "scope",
            expected: "a text",
        }),
        ClientError::Keys(Arc::new(JoseError::MissingClaim("jwks"))),
        ClientError::Store(Arc::new(crate::store::StoreError::Panicked)),
    ]);
    all
}

fn advice_on(error: TrustError) -> String {
    Advice::on_trust(RP, &error).say(Locale::En)
}

/// The keys of a message and of the phrases in it.
fn keys(message: &Message, found: &mut BTreeSet<&'static str>) {
    found.insert(message.key);
    for (_, argument) in &message.arguments {
        if let Argument::Phrase(phrase) = argument {
            keys(phrase, found);
        }
    }
}

#[test]
fn every_failure_has_two_sentences_in_every_language_and_no_word_is_left_over() {
    let mut used = BTreeSet::from([
        "advice-others",
        "advice-accepted",
        "advice-accepted-for-now",
    ]);
    for error in errors() {
        let advice = Advice::on(RP, &error);
        keys(&advice.what, &mut used);
        keys(&advice.change, &mut used);
        for locale in Locale::ALL {
            let said = advice.say(locale);
            assert!(!said.contains("advice-"), "{}: {said}", locale.code());
            assert!(
                said.ends_with('.') && said.matches(". ").count() >= 1,
                "{said}"
            );
            assert!(!said.contains("{ "), "{said}");
        }
    }
    let file = std::fs::read_to_string("locales/en/advice.ftl").unwrap();
    let written: BTreeSet<&str> = file
        .lines()
        .filter_map(|line| line.split(" = ").next())
        .collect();
    assert_eq!(written, used);
}

#[test]
fn an_expired_statement_is_its_issuers_to_renew() {
    let expired = link(DocumentKind::SubordinateStatement, TA, Defect::Expired(AT));
    assert_eq!(
        advice_on(expired),
        "The subordinate statement of https://ta.example.it about https://rp.example.it (https://ta.example.it/document) \
         expired on 20 November 2026 at 10:00 UTC. Ask the operator of https://ta.example.it to publish a new one."
    );
    let own = link(DocumentKind::EntityConfiguration, RP, Defect::Expired(AT));
    assert_eq!(
        advice_on(own),
        "Your entity configuration (https://rp.example.it/document) expired on 20 November 2026 at 10:00 UTC. \
         Sign it anew, from now on well before it ends."
    );
}

#[test]
fn of_many_failures_the_most_telling_one_is_told() {
    let path = |failures| TrustError::NoPath {
        subject: RP.to_owned(),
        failures,
    };
    let nowhere = || TrustError::NoAnchor {
        subject: RP.to_owned(),
    };
    let inner = path(vec![
        nowhere(),
        link(DocumentKind::SubordinateStatement, TA, Defect::NoMember),
    ]);
    let advice = Advice::on_trust(RP, &path(vec![nowhere(), inner]));
    assert_eq!(advice.what.key, "advice-link-no_member");
    assert_eq!(advice.others, 2);
    assert!(
        advice
            .say(Locale::En)
            .ends_with("There are other failures too; they are listed below.")
    );
}

#[test]
fn what_others_wrote_is_short_and_on_one_line() {
    let id = format!("https://rp.example.it/\n\u{1b}[2J{}", "x".repeat(10_000));
    let said = advice_on(TrustError::NoAuthorityHints { entity: id });
    assert!(
        !said.contains(char::is_control) && said.len() < 600,
        "{said}"
    );
}
