//! Confirmations in the identity provider's app, and codes by e-mail.

use super::samples::{Sample, Texts, rp};
use super::*;
use crate::clock::UtcTime;

const SOME_TIME: UtcTime = UtcTime(1_768_467_600);

fn step(texts: Texts) -> StepView {
    StepView {
        rp: rp(texts),
        level: Some(Level::L2),
        may_restart: true,
        other_ways: vec![
            OtherWay {
                method: "external",
                url: texts.of("/spid/login?with=external"),
            },
            OtherWay {
                method: "email",
                url: texts.of("/spid/login?with=email"),
            },
        ],
        csrf_token: texts.of("csrf-20"),
        action_url: texts.of("/spid/login?interaction=1"),
    }
}

fn waiting(texts: Texts, silent: bool) -> Stands {
    Stands::Waiting {
        number: texts.of("47"),
        until: SOME_TIME,
        silent,
        poll_url: texts.of("/spid/login/waiting?interaction=1"),
        poll_state: "waiting".to_owned(),
    }
}

pub fn all(texts: Texts) -> Vec<Sample> {
    let confirmations = [
        ("begin", Stands::NotBegun),
        ("locked", Stands::Locked { until: SOME_TIME }),
        ("waiting", waiting(texts, false)),
        ("silent", waiting(texts, true)),
        ("denied", Stands::Denied),
        ("unavailable", Stands::Unavailable),
        ("expired", Stands::Expired),
    ];
    let mut samples: Vec<Sample> = confirmations
        .into_iter()
        .map(|(name, stands)| {
            let page = ConfirmElsewherePage {
                step: step(texts),
                name: texts.of("App Esempio"),
                alone: false,
                stands,
            };
            Sample::new(&format!("elsewhere-{name}"), page)
        })
        .collect();
    let alone = ConfirmElsewherePage {
        step: step(texts),
        name: texts.of("App Esempio"),
        alone: true,
        stands: waiting(texts, false),
    };
    samples.push(Sample::new("elsewhere-alone-waiting", alone));
    let asked = [
        ("first", None),
        ("missing", Some(AskError::MissingUsername)),
        ("throttled", Some(AskError::Throttled { seconds: 30 })),
        ("locked", Some(AskError::Locked { until: SOME_TIME })),
        ("expired", Some(AskError::Expired)),
    ];
    for (name, error) in asked {
        let page = AskElsewherePage {
            step: step(texts),
            name: texts.of("App Esempio"),
            username: texts.of("anna.rossi"),
            error,
        };
        samples.push(Sample::new(&format!("elsewhere-alone-{name}"), page));
    }
    let codes = [
        ("begin", None, None),
        ("sent", Some(SOME_TIME), None),
        ("wrong", Some(SOME_TIME), Some(ProofError::WrongCode)),
        (
            "locked",
            Some(SOME_TIME),
            Some(ProofError::Locked { until: SOME_TIME }),
        ),
    ];
    for (name, sent_at, error) in codes {
        let page = EmailCodePage {
            step: step(texts),
            address: texts.of("a•••@example.it"),
            sent_at,
            may_send: error.is_none(),
            error,
        };
        samples.push(Sample::new(&format!("email-code-{name}"), page));
    }
    samples
}
