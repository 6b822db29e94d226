//! No trust mark of a required type holds (SPID/CIE FE-1).

use super::{Advice, Message};
use crate::federation::{Defect, RefusedMark};

pub(super) fn advice(subject: &str, required: &[String], refused: &[RefusedMark]) -> Advice {
    let types = required.join(", ");
    let telling = refused
        .iter()
        .filter(|mark| required.contains(&mark.mark_type))
        .chain(refused)
        .next();
    let Some(mark) = telling else {
        return Advice::new(
            Message::new("advice-mark-none")
                .text("subject", subject)
                .text("types", &types),
            Message::new("advice-mark-none-do"),
        );
    };
    Advice {
        others: refused.len().saturating_sub(1),
        ..on(mark)
    }
}

fn on(mark: &RefusedMark) -> Advice {
    let what = |key| {
        Message::new(key)
            .text("type", &mark.mark_type)
            .text("issuer", &mark.issuer)
    };
    let renew = || Message::new("advice-mark-renew").text("issuer", &mark.issuer);
    match mark.defect {
        Defect::Expired(at) => Advice::new(what("advice-mark-expired").time("date", at), renew()),
        Defect::InFuture(at) => Advice::new(
            what("advice-mark-future").time("date", at),
            Message::new("advice-link-clock").text("issuer", &mark.issuer),
        ),
        Defect::Signature | Defect::UnknownKey | Defect::Algorithm => Advice::new(
            what("advice-mark-signature").text("fact", &mark.fact),
            renew(),
        ),
        Defect::Party => Advice::new(what("advice-mark-party").text("fact", &mark.fact), renew()),
        Defect::Unlisted => Advice::new(
            what("advice-mark-unlisted"),
            Message::new("advice-mark-unlisted-do"),
        ),
        Defect::Delegation => Advice::new(
            what("advice-mark-delegation").text("fact", &mark.fact),
            renew(),
        ),
        Defect::Inactive => Advice::new(
            what("advice-mark-inactive").text("fact", &mark.fact),
            renew(),
        ),
        Defect::Unreachable => Advice::new(
            what("advice-mark-unreachable").text("fact", &mark.fact),
            Message::new("advice-mark-unreachable-do"),
        ),
        Defect::Form | Defect::NoMember => {
            Advice::new(what("advice-mark-form").text("fact", &mark.fact), renew())
        }
    }
}
