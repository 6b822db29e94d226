//! The trust chain that is kept of an RP, as a picture. It held when it was kept: here only its ends are read.

use crate::clock::UtcTime;
use crate::jose::Unverified;
use crate::model::ResolvedTrust;
use crate::ui::{ChainNodeView, KeptMarkView};
use serde_json::{Map, Value};

/// What a statement says of who, and until when.
struct Said {
    issuer: String,
    subject: String,
    expires_at: i64,
}

/// The members, the anchor first.
pub(super) fn nodes(trust: &ResolvedTrust, now: UtcTime) -> Vec<ChainNodeView> {
    let said: Vec<Said> = trust.chain.iter().filter_map(|text| read(text)).collect();
    let state = |said: &Said| (said.expires_at, said.expires_at <= now.0);
    let own = |entity: &str| {
        let mut own = said.iter().filter(|said| said.issuer == said.subject);
        own.find(|said| said.subject == entity).map(state)
    };
    let links: Vec<&Said> = said
        .iter()
        .filter(|said| said.issuer != said.subject)
        .collect();
    let mut nodes: Vec<ChainNodeView> = links
        .iter()
        .zip(0..)
        .map(|(link, at)| ChainNodeView {
            entity: link.subject.clone(),
            role: if at == 0 { "rp" } else { "intermediate" },
            configuration: own(&link.subject),
            statement: Some(state(link)),
        })
        .collect();
    nodes.push(ChainNodeView {
        entity: trust.trust_anchor.clone(),
        role: "anchor",
        configuration: own(&trust.trust_anchor),
        statement: None,
    });
    nodes.reverse();
    nodes
}

fn read(statement: &str) -> Option<Said> {
    let token = Unverified::parse(statement, statement.len()).ok()?;
    let claims: Map<String, Value> = token.unverified_claims().ok()?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Said {
        issuer: text("iss")?,
        subject: text("sub")?,
        expires_at: claims.get("exp")?.as_i64()?,
    })
}

pub(super) fn marks(trust: &ResolvedTrust, now: UtcTime) -> Vec<KeptMarkView> {
    let view = |mark: &crate::model::KeptTrustMark| KeptMarkView {
        mark_type: mark.mark_type.clone(),
        issuer: mark.issuer.clone(),
        expires_at: mark.expires_at,
        ended: mark.expires_at.is_some_and(|end| end <= now),
    };
    trust.trust_marks.iter().map(view).collect()
}
