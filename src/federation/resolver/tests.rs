//! Resolution as a relying party and its attackers see it. Every row FE and TM of spec/spid-cie.md that is decided here is
//! named by a test.

mod attacks;
mod chains;
mod evaluation;
mod evaluation_of_marks;
mod evaluation_of_policies;
mod form;
mod limits;
mod marks;
mod own_marks;
mod provided;
mod rounds;

pub(super) use super::*;
pub(super) use crate::federation::error::{DocumentKind, TrustErrorCode};
pub(super) use crate::federation::fetch::FetchFact;
pub(super) use crate::federation::testing::*;
pub(super) use serde_json::json;

async fn resolve(world: &World) -> Outcome {
    world
        .resolver()
        .resolve(&world.settings, &id(RP), HERE, None)
        .await
}

async fn refusal(world: &World) -> TrustError {
    resolve(world).await.unwrap_err()
}
