//! Which attributes a request asks for, and what they are called in the answer (SPID/CIE AZ-9, table "Attributes").

use crate::model::attribute;
use crate::model::{AuthorizationRequest, ClaimRequest};
use crate::profile::AttributeColumn;
use crate::provider::Provider;
use serde_json::{Map, Value};

/// Where claims are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In userinfo.
    Userinfo,
    /// In the id_token.
    IdToken,
}

/// A claim to deliver: the name in the answer and the attribute behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// As the RP asked.
    pub name: String,
    /// Canonical name in the attribute table.
    pub attribute: &'static str,
}

/// What a request asks for in one place: scopes first, then `claims`; each name once; unknown claims left out.
#[must_use]
pub fn wanted(op: &Provider, request: &AuthorizationRequest, place: Place) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = Vec::new();
    let mut add = |name: &str| {
        if let Some(attribute) = released(op, name, place)
            && !all.iter().any(|known| known.name == name)
        {
            all.push(Wanted {
                name: name.to_owned(),
                attribute,
            });
        }
    };
    if place == Place::Userinfo || op.profile.scopes_in_id_token {
        for scope in request
            .scope
            .iter()
            .filter_map(|name| op.profile.scope(name))
        {
            for claim in scope.claims {
                if let Some(info) = attribute::attribute(claim) {
                    add(&info.claim());
                }
            }
        }
    }
    let asked: &[ClaimRequest] = match place {
        Place::Userinfo => &request.userinfo_claims,
        Place::IdToken => &request.id_token_claims,
    };
    for claim in asked {
        add(&claim.name);
    }
    all
}

/// Canonical names of everything that the request releases anywhere, each once: what consent asks and history shows.
#[must_use]
pub fn attributes(op: &Provider, request: &AuthorizationRequest) -> Vec<&'static str> {
    let mut names = Vec::new();
    for place in [Place::Userinfo, Place::IdToken] {
        for claim in wanted(op, request, place) {
            if !names.contains(&claim.attribute) {
                names.push(claim.attribute);
            }
        }
    }
    names
}

/// The values, under the names that were asked; what the registry does not have is left out.
#[must_use]
pub fn values(
    op: &Provider,
    wanted: &[Wanted],
    attributes: &Map<String, Value>,
) -> Map<String, Value> {
    wanted
        .iter()
        .filter_map(|claim| {
            let value = value_of(op, claim.attribute, attributes)?;
            // An older name may ask for one member only (countyOfBirth).
            let value = match attribute::claim_member(&claim.name) {
                None => value,
                Some(member) => value.get(member)?,
            };
            Some((claim.name.clone(), value.clone()))
        })
        .collect()
}

/// The registry's value of a canonical attribute, through `issuer.attributes` when that renames it.
#[must_use]
pub fn value_of<'a>(
    op: &Provider,
    name: &str,
    attributes: &'a Map<String, Value>,
) -> Option<&'a Value> {
    let renamed = op
        .settings
        .attributes
        .as_ref()
        .and_then(|map| map.get(name));
    match renamed {
        None => attributes.get(name),
        Some(names) => names.iter().find_map(|name| attributes.get(name)),
    }
    .filter(|value| !value.is_null())
}

/// The canonical attribute of a claim, if this issuer releases it there.
fn released(op: &Provider, name: &str, place: Place) -> Option<&'static str> {
    let info = attribute::attribute(name)?;
    let in_column = match op.profile.attributes {
        AttributeColumn::Spid => info.spid,
        AttributeColumn::Cie => info.cie,
        AttributeColumn::All => true,
    };
    let in_configuration = op
        .settings
        .attributes
        .as_ref()
        .is_none_or(|map| map.contains_key(info.name));
    let in_id_token = place == Place::Userinfo
        || op.settings.id_token_claims.as_ref().is_none_or(|allowed| {
            allowed
                .iter()
                .any(|one| attribute::canonical_claim(one) == Some(info.name))
        });
    (in_column && in_configuration && in_id_token).then_some(info.name)
}
