//! The trust anchor's endpoints for trust marks (OpenID Federation 1.0 §8.4 to §8.6).

use super::Site;
use super::asked::{Asked, Refusal};
use super::federation::signed;
use crate::demo::statement::{STATUS_TYP, TRUST_MARK_TYP};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

const UNKNOWN_MARK: Refusal = Refusal::NotFound("trust mark of this kind");

/// `/ta/trust_mark_status`: with `trust_mark` the answer is signed; with `sub` and `trust_mark_type` (or `trust_mark_id`,
/// `id`) it is the older drafts' JSON.
pub async fn status(site: web::Data<Site>, body: web::Bytes) -> HttpResponse {
    let asked = Asked::read(&String::from_utf8_lossy(&body));
    let answered = match asked.optional("trust_mark") {
        Ok(Some(mark)) => {
            let answer = site.federation.trust_anchor().mark_status_response(&mark);
            match answer.transpose() {
                Some(answer) => return signed(STATUS_TYP, answer),
                None => Err(UNKNOWN_MARK),
            }
        }
        Ok(None) => older_status(&site, &asked),
        Err(refusal) => Err(refusal),
    };
    answered.unwrap_or_else(Refusal::into_response)
}

fn older_status(site: &Site, asked: &Asked) -> Result<HttpResponse, Refusal> {
    let mut mark_type = None;
    for name in ["trust_mark_type", "trust_mark_id", "id"] {
        mark_type = mark_type.or(asked.optional(name)?);
    }
    match (asked.optional("sub")?, mark_type) {
        (Some(subject), Some(mark_type)) => {
            let anchor = site.federation.trust_anchor();
            let active = anchor.holds_mark(&subject, Some(&mark_type));
            Ok(HttpResponse::Ok()
                .insert_header(("Cache-Control", "no-store"))
                .json(json!({"active": active})))
        }
        _ => {
            let fact = "trust_mark is missing".to_owned();
            Err(Refusal::InvalidRequest(fact))
        }
    }
}

/// `/ta/trust_mark_list?trust_mark_type=…`: who holds a mark of a type; with `sub`, whether this one does.
pub async fn list(site: web::Data<Site>, request: HttpRequest) -> HttpResponse {
    let holders = holders(&site, &Asked::read(request.query_string()));
    match holders {
        Ok(holders) => HttpResponse::Ok()
            .insert_header(("Cache-Control", "no-store"))
            .json(holders),
        Err(refusal) => refusal.into_response(),
    }
}

fn holders(site: &Site, asked: &Asked) -> Result<Vec<String>, Refusal> {
    let mark_type = asked.required("trust_mark_type")?;
    let subject = asked.optional("sub")?;
    let mut holders = site.federation.trust_anchor().holders(&mark_type);
    holders.retain(|holder| subject.as_ref().is_none_or(|wanted| wanted == holder));
    Ok(holders)
}

/// `/ta/trust_mark?trust_mark_type=…&sub=…`: the subject's mark.
pub async fn mark(site: web::Data<Site>, request: HttpRequest) -> HttpResponse {
    let asked = Asked::read(request.query_string());
    let parameters = asked
        .required("trust_mark_type")
        .and_then(|mark_type| Ok((mark_type, asked.required("sub")?)));
    let (mark_type, subject) = match parameters {
        Ok(parameters) => parameters,
        Err(refusal) => return refusal.into_response(),
    };
    let anchor = site.federation.trust_anchor();
    match anchor.current_mark(&mark_type, &subject).transpose() {
        Some(mark) => signed(TRUST_MARK_TYP, mark),
        None => UNKNOWN_MARK.into_response(),
    }
}
