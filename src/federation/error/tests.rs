use super::*;
use crate::federation::fetch::FetchFact;

fn fetch(fact: FetchFact) -> TrustError {
    TrustError::Fetch {
        document: "entity configuration of https://rp.example.it".into(),
        error: FetchError {
            url: "https://rp.example.it/.well-known/openid-federation".into(),
            fact,
        },
    }
}

#[test]
fn an_unreachable_chain_is_temporary_and_a_false_one_is_not() {
    // SPID/CIE FE-6
    let timeout = fetch(FetchFact::Timeout { milliseconds: 3000 });
    assert_eq!(timeout.code(), TrustErrorCode::TemporarilyUnavailable);
    assert_eq!(
        timeout.description(),
        "entity configuration of https://rp.example.it at https://rp.example.it/.well-known/openid-federation: \
         no complete answer within 3000 ms"
    );
    let large = fetch(FetchFact::TooLarge { limit: 5 });
    assert_eq!(large.code(), TrustErrorCode::InvalidClient);
    let none = TrustError::TrustMark {
        subject: "https://rp.example.it".into(),
        anchor: None,
        required: vec!["https://ta.example.it/public/".into()],
        refused: vec![],
    };
    assert_eq!(none.code(), TrustErrorCode::UnauthorizedClient);
    assert_eq!(TrustError::Busy.code().as_str(), "temporarily_unavailable");
}

#[test]
fn errors_are_small_whatever_others_wrote_and_keep_their_code() {
    let long = "x".repeat(100_000);
    let broken = TrustError::NoAuthorityHints {
        entity: long.clone(),
    };
    let mark = |temporary| RefusedMark {
        mark_type: long.clone(),
        issuer: long.clone(),
        fact: long.clone(),
        defect: Defect::Inactive,
        check: Check::Status,
        temporary,
    };
    let marks = TrustError::TrustMark {
        subject: long.clone(),
        anchor: Some("https://ta.example.it".into()),
        required: vec!["https://ta.example.it/public/".into()],
        refused: (0..16).map(|n| mark(n == 15)).collect(),
    };
    let path = |failures| TrustError::NoPath {
        subject: long.clone(),
        failures,
    };
    let mut failures = vec![path(vec![broken.clone(); 20]); 20];
    failures.push(fetch(FetchFact::Connect(long.clone())));
    for error in [path(vec![broken; 20]), marks, path(failures)] {
        let bounded = error.clone().bounded();
        assert_eq!(bounded.code(), error.code());
        assert!(format!("{bounded:?}").len() < 10_000, "{bounded:?}");
    }
}

#[test]
fn a_description_is_one_short_line_of_ascii() {
    let error = TrustError::ProvidedChain(format!("\"è\\\n{}", "x".repeat(1000)));
    let line = error.description();
    assert!(line.starts_with("header trust_chain: '?/?xxx"), "{line}");
    assert_eq!(line.len(), 300);
}
