//! `varco rp tolerate`: what is tolerated of one relying party (SPID/CIE FE-12).

use super::arguments::parties::Party;
use super::output::Output;
use super::parties::find;
use super::{Done, Failure, World};
use crate::administration::parties::{
    PartyError, PartyKey, ToleranceField, Tolerated, read_tolerance, tolerate,
};
use crate::config::IssuerSettings;
use crate::model::RpToleranceOverride;
use serde_json::json;

/// `texts`: what was named, in the order of [`ToleranceField::ALL`]; nothing named shows what counts.
pub(super) fn run(
    world: &World,
    party: &Party,
    texts: &[Option<String>; 3],
    output: &mut Output,
) -> Done {
    let settings = world.issuer(&party.issuer)?;
    let found = find(world, party)?;
    let seen = found.tolerance;
    let key = PartyKey {
        issuer: found.issuer,
        client_id: found.client_id,
    };
    let kept = ToleranceField::ALL.map(|field| field.text_of(&seen));
    let wanted = read_tolerance(|field| {
        let mut all = ToleranceField::ALL.into_iter().zip(texts).zip(&kept);
        let text = all.find(|((known, _), _)| *known == field);
        text.map_or("", |((_, named), kept)| named.as_ref().unwrap_or(kept))
    });
    let wanted = wanted.map_err(|wrong| {
        let lines: Vec<&str> = wrong.into_iter().map(ToleranceField::expected).collect();
        Failure::UsedWrongly(lines.join("\n"))
    })?;
    let (actor, now, of) = (world.actor.clone(), world.now, key.clone());
    let done = world
        .store
        .write_blocking(move |tx| tolerate(tx, &actor, (&of, &seen, &wanted), now))?;
    match done {
        Tolerated::Saved => tell(settings, &key, &wanted, output),
        Tolerated::Changed(_) => return Err(PartyError::Changed.into()),
    }
    Ok(())
}

fn tell(settings: &IssuerSettings, key: &PartyKey, own: &RpToleranceOverride, output: &mut Output) {
    let counts = settings.tolerance_for(key.client_id.as_str()).with(own);
    let counts = RpToleranceOverride {
        clock_leeway_seconds: Some(counts.clock_leeway_seconds),
        missing_exp: Some(counts.missing_exp),
        userinfo_content_type: Some(counts.userinfo_content_type),
    };
    for field in ToleranceField::ALL {
        let source = match field.text_of(own).is_empty() {
            true => "as configured",
            false => "set for this relying party",
        };
        let value = field.text_of(&counts);
        output.text(&format!("{}: {value} ({source})", field.name()));
    }
    output.json(json!({
        "client_id": key.client_id.as_str(),
        "tolerance": counts,
        "own": own,
    }));
}
