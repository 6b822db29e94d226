//! The kept refusals, as `varco rp check` shows them. A running server writes its own within a second.

use super::check::heading;
use super::output::{Output, one_line};
use super::{Done, Failure, World};
use crate::model::{ClientId, IssuerId, Refusal};
use crate::store::{StoreError, refusal};
use crate::ui::check::KeptDocument;

/// One, by its reference.
pub(super) fn show(world: &World, issuer: &str, reference: &str, output: &mut Output) -> Done {
    let id = IssuerId::new(issuer);
    let store = &world.store;
    let found = store.read_blocking(|conn| refusal::find(conn, &id, reference))?;
    let Some(found) = found else {
        return Err(Failure::Failed(format!(
            "issuer {issuer} keeps no refusal with reference {}; of each RP the last {} are kept, for 30 days",
            one_line(reference),
            refusal::PER_CLIENT
        )));
    };
    tell(&found, output);
    let client_id = one_line(found.unverified_client_id.as_str());
    output.text(&format!("    named: {client_id}"));
    output.text(&format!("    why: {}", one_line(&found.reason)));
    output.text("");
    output.text(&format!(
        "What a login would see now: varco rp check {client_id} --issuer {issuer}"
    ));
    output.json(serde_json::to_value(KeptDocument::of(&found))?);
    Ok(())
}

/// The last ones of an RP, the newest first.
pub(super) fn last(
    world: &World,
    issuer: &str,
    client_id: &ClientId,
) -> Result<Vec<Refusal>, StoreError> {
    let issuer = IssuerId::new(issuer);
    let store = &world.store;
    store.read_blocking(|conn| refusal::search(conn, &issuer, client_id))
}

/// As the last part of a check.
pub(super) fn list(refusals: &[Refusal], output: &mut Output) {
    if refusals.is_empty() {
        return;
    }
    heading("Last refusals (--reference shows more)", output);
    for refusal in refusals {
        tell(refusal, output);
    }
}

fn tell(refusal: &Refusal, output: &mut Output) {
    output.text(&format!(
        "  {}  refused on {} at the {} endpoint",
        refusal.reference,
        refusal.refused_at.to_rfc3339(),
        refusal.endpoint()
    ));
    let answered = format!("{}: {}", refusal.code, refusal.description);
    output.text(&format!("    answered: {}", one_line(&answered)));
}
