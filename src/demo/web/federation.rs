//! What superiors and relying parties publish (OpenID Federation 1.0 §8, §9).

use super::{Site, parameter};
use crate::demo::DemoError;
use crate::demo::statement::{STATEMENT_TYP, STATUS_TYP};
use crate::demo::superior::NoStatement;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

/// `/{entity}/.well-known/openid-federation`
pub async fn configuration(site: web::Data<Site>, entity: web::Path<String>) -> HttpResponse {
    let federation = &site.federation;
    if let Some(document) = federation.published_instead(&entity) {
        return signed(STATEMENT_TYP, Ok(document));
    }
    let document = match (site.superior(&entity), site.relying_party(&entity)) {
        (Some(superior), _) => superior.entity_configuration(),
        (None, Some(relying_party)) => relying_party.entity_configuration(),
        (None, None) => return not_found(&format!("{}/{entity}/", federation.base_url())),
    };
    signed(STATEMENT_TYP, document)
}

/// `/{superior}/fetch?sub=…`: a statement about an entity below it; the superior's own configuration without `sub`.
pub async fn fetch(
    site: web::Data<Site>,
    entity: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let Some(superior) = site.superior(&entity) else {
        return not_found(&entity);
    };
    let query = request.query_string();
    let Some(subject) = parameter(query, "sub") else {
        return signed(STATEMENT_TYP, superior.entity_configuration());
    };
    let issuer = parameter(query, "iss");
    match superior.statement_about(&subject, issuer.as_deref()) {
        Ok(Ok(statement)) => signed(STATEMENT_TYP, Ok(statement)),
        Ok(Err(NoStatement::NotFound)) => not_found(&subject),
        Ok(Err(NoStatement::InvalidRequest)) => error(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "iss is another entity, or sub is this entity itself",
        ),
        Err(failure) => signed(STATEMENT_TYP, Err(failure)),
    }
}

/// `/{superior}/list`, with `entity_type` if only one type is wanted.
pub async fn list(
    site: web::Data<Site>,
    entity: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let Some(superior) = site.superior(&entity) else {
        return not_found(&entity);
    };
    let entity_type = parameter(request.query_string(), "entity_type");
    HttpResponse::Ok().json(superior.list(entity_type.as_deref()))
}

/// `/ta/trust_mark_status`: the status of a trust mark. With `trust_mark` the answer is signed (OpenID Federation 1.0
/// §8.4); with `sub` and `trust_mark_type` (or `trust_mark_id`, `id`) it is the older drafts' JSON.
pub async fn trust_mark_status(
    site: web::Data<Site>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let form = String::from_utf8_lossy(&body);
    let asked =
        |name: &str| parameter(&form, name).or_else(|| parameter(request.query_string(), name));
    let anchor = site.federation.trust_anchor();
    if let Some(mark) = asked("trust_mark") {
        return signed(STATUS_TYP, anchor.mark_status_response(&mark));
    }
    let mark_type = asked("trust_mark_type")
        .or_else(|| asked("trust_mark_id"))
        .or_else(|| asked("id"));
    match (asked("sub"), mark_type) {
        (Some(subject), Some(mark_type)) => {
            let active = anchor.is_mark_good(&mark_type, &subject) == Some(true);
            HttpResponse::Ok().json(json!({"active": active}))
        }
        _ => error(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "trust_mark, or sub and trust_mark_type, must be given",
        ),
    }
}

fn signed(typ: &str, document: Result<String, DemoError>) -> HttpResponse {
    match document {
        Ok(document) => HttpResponse::Ok()
            .content_type(format!("application/{typ}"))
            .insert_header(("Cache-Control", "no-store"))
            .body(document),
        Err(failure) => {
            log::error!("demo: a document could not be signed: {failure}");
            error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "the document could not be signed",
            )
        }
    }
}

fn not_found(subject: &str) -> HttpResponse {
    log::debug!("demo: no entity {subject:?}");
    error(
        StatusCode::NOT_FOUND,
        "not_found",
        "no entity of this name here",
    )
}

fn error(status: StatusCode, code: &str, description: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({"error": code, "error_description": description}))
}
