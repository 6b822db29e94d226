//! Orders from the other terminal (see [`crate::demo::onboarding`]).

use super::Site;
use super::asked::Refusal;
use crate::demo::onboarding::{JoinError, Order};
use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

/// `/ta/members`: without the token of this run nobody gets any further, whatever the order.
pub async fn order(site: web::Data<Site>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let bearer = request.headers().get(AUTHORIZATION);
    let token = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if !token.is_some_and(|token| site.federation.is_onboarding_token(token)) {
        return Refusal::Forbidden.into_response();
    }
    let order = match serde_json::from_slice(&body) {
        Ok(order) => order,
        Err(error) => return Refusal::InvalidRequest(error.to_string()).into_response(),
    };
    let federation = &site.federation;
    match order {
        Order::Add {
            entity_id,
            below,
            private,
        } => told(federation.join(&entity_id, below, private).await),
        Order::List => told(federation.members()),
        Order::Remove { entity_id } => told(federation.leave(&entity_id)),
    }
}

fn told<T: Serialize>(outcome: Result<T, JoinError>) -> HttpResponse {
    match outcome {
        Ok(answer) => HttpResponse::Ok()
            .insert_header(("Cache-Control", "no-store"))
            .json(answer),
        Err(error) => Refusal::InvalidRequest(error.to_string()).into_response(),
    }
}
