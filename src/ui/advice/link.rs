//! A signed document that does not hold.

use super::{Advice, Message};
use crate::federation::{BrokenLink, Defect, DocumentKind};

pub(super) fn advice(rp: &str, link: &BrokenLink) -> Advice {
    let own = link.issuer == rp;
    let what = |key| Message::new(key).phrase("document", document(rp, link));
    let remedy = |ours: &'static str| match own {
        true => Message::new(ours),
        false => Message::new("advice-link-operator").text("issuer", &link.issuer),
    };
    match link.defect {
        Defect::Expired(at) => Advice::new(
            what("advice-link-expired").time("date", at),
            remedy("advice-link-expired-do"),
        ),
        Defect::InFuture(at) => Advice::new(
            what("advice-link-future").time("date", at),
            match own {
                true => Message::new("advice-link-future-do"),
                false => Message::new("advice-link-clock").text("issuer", &link.issuer),
            },
        ),
        Defect::Signature => Advice::new(
            what("advice-link-signature").text("kid", link.kid.as_deref().unwrap_or("-")),
            remedy("advice-link-signature-do"),
        ),
        Defect::UnknownKey => Advice::new(
            what("advice-link-key").text("fact", &link.fact),
            remedy("advice-link-key-do"),
        ),
        Defect::Algorithm => Advice::new(
            what("advice-link-algorithm").text("fact", &link.fact),
            remedy("advice-link-algorithm-do"),
        ),
        Defect::Party => Advice::new(
            what("advice-link-party").text("fact", &link.fact),
            remedy("advice-link-party-do"),
        ),
        Defect::NoMember => Advice::new(
            Message::new("advice-link-no_member")
                .text("issuer", &link.issuer)
                .text("subject", &link.subject),
            Message::new("advice-link-no_member-do")
                .text("issuer", &link.issuer)
                .text("subject", &link.subject),
        ),
        // The last four are of trust marks.
        Defect::Form
        | Defect::Unlisted
        | Defect::Delegation
        | Defect::Inactive
        | Defect::Unreachable => Advice::new(
            what("advice-link-form").text("fact", &link.fact),
            remedy("advice-link-form-do"),
        ),
    }
}

fn document(rp: &str, link: &BrokenLink) -> Message {
    let key = match link.kind {
        DocumentKind::EntityConfiguration if link.issuer == rp => {
            Message::new("advice-document-own")
        }
        DocumentKind::EntityConfiguration => {
            Message::new("advice-document-configuration").text("issuer", &link.issuer)
        }
        DocumentKind::SubordinateStatement => Message::new("advice-document-statement")
            .text("issuer", &link.issuer)
            .text("subject", &link.subject),
        DocumentKind::SignedJwks => Message::new("advice-document-signed_jwks"),
    };
    // A chain that came with the request has no address.
    key.text("url", link.url.as_deref().unwrap_or("header trust_chain"))
}
