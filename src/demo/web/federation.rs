//! What superiors and relying parties publish (OpenID Federation 1.0 §8.1 to §8.3, §9).

use super::Site;
use super::asked::{Asked, Refusal};
use crate::demo::resolution::Unresolved;
use crate::demo::statement::STATEMENT_TYP;
use crate::demo::superior::{ListFilter, NoStatement};
use crate::demo::{DemoError, Superior};
use crate::federation::resolve_response::RESOLVE_RESPONSE_TYPE;
use crate::federation::{TrustError, TrustErrorCode};
use actix_web::{HttpRequest, HttpResponse, web};

/// `/{entity}/.well-known/openid-federation`
pub async fn configuration(site: web::Data<Site>, entity: web::Path<String>) -> HttpResponse {
    let federation = &site.federation;
    if let Some(document) = federation.published_instead(&entity) {
        return signed(STATEMENT_TYP, Ok(document));
    }
    let document = match (site.superior(&entity), site.relying_party(&entity)) {
        (Some(superior), _) => superior.entity_configuration(),
        (None, Some(relying_party)) => relying_party.entity_configuration(),
        (None, None) => return Refusal::NotFound("entity of this name").into_response(),
    };
    signed(STATEMENT_TYP, document)
}

/// `/{superior}/fetch?sub=…`: a statement about an entity below it.
pub async fn fetch(
    site: web::Data<Site>,
    entity: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let asked = asked_of(&site, &entity, &request);
    match asked.and_then(|(superior, asked)| statement(superior, &asked)) {
        Ok(document) => signed(STATEMENT_TYP, document),
        Err(refusal) => refusal.into_response(),
    }
}

fn statement(superior: &Superior, asked: &Asked) -> Result<Result<String, DemoError>, Refusal> {
    let subject = asked.required("sub")?;
    // Older drafts name the issuer too.
    let issuer = asked.optional("iss")?;
    match superior.statement_about(&subject, issuer.as_deref()) {
        Ok(Ok(statement)) => Ok(Ok(statement)),
        Ok(Err(NoStatement::NotFound)) => Err(Refusal::NotFound("entity of this name")),
        Ok(Err(NoStatement::InvalidRequest)) => Err(Refusal::InvalidRequest(
            "iss is another entity, or sub is this entity itself".to_owned(),
        )),
        Err(failure) => Ok(Err(failure)),
    }
}

/// `/{superior}/list`: who is below it.
pub async fn list(
    site: web::Data<Site>,
    entity: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let asked = asked_of(&site, &entity, &request);
    let listed = asked.and_then(|(superior, asked)| Ok(superior.list(&filter(superior, &asked)?)));
    match listed {
        Ok(listed) => HttpResponse::Ok()
            .insert_header(("Cache-Control", "no-store"))
            .json(listed),
        Err(refusal) => refusal.into_response(),
    }
}

fn filter(superior: &Superior, asked: &Asked) -> Result<ListFilter, Refusal> {
    let filter = ListFilter {
        entity_types: asked.all("entity_type")?,
        trust_marked: asked.flag("trust_marked")?,
        trust_mark_type: asked.optional("trust_mark_type")?,
        intermediate: asked.flag("intermediate")?,
    };
    if superior.issues_marks() {
        return Ok(filter);
    }
    // Of marks that others issue it cannot tell whether they are still valid.
    match (filter.trust_marked, &filter.trust_mark_type) {
        (true, _) => Err(Refusal::UnsupportedParameter("trust_marked")),
        (false, Some(_)) => Err(Refusal::UnsupportedParameter("trust_mark_type")),
        (false, None) => Ok(filter),
    }
}

/// `/{superior}/resolve?sub=…&trust_anchor=…`: an entity below it with its final metadata.
pub async fn resolve(
    site: web::Data<Site>,
    entity: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    match resolved(&site, &entity, &request).await {
        Ok(document) => signed(RESOLVE_RESPONSE_TYPE, Ok(document)),
        Err(refusal) => refusal.into_response(),
    }
}

async fn resolved(site: &Site, entity: &str, request: &HttpRequest) -> Result<String, Refusal> {
    let (superior, asked) = asked_of(site, entity, request)?;
    let subject = asked.required("sub")?;
    let anchors = asked.all("trust_anchor")?;
    let entity_types = asked.all("entity_type")?;
    let federation = &site.federation;
    if anchors.is_empty() {
        let fact = "trust_anchor is missing".to_owned();
        return Err(Refusal::InvalidRequest(fact));
    }
    let ours = federation.trust_anchor().entity_id();
    if !anchors.iter().any(|anchor| anchor == ours) {
        return Err(Refusal::InvalidTrustAnchor);
    }
    let answer = federation.resolve_answer(superior, &subject, &entity_types);
    answer.await.map_err(|error| match error {
        Unresolved::NotBelow => Refusal::NotFound("entity of this name"),
        Unresolved::Trust(error) => untrusted(&error),
        Unresolved::Demo(failure) => unsigned(&failure),
    })
}

fn untrusted(error: &TrustError) -> Refusal {
    match error.code() {
        TrustErrorCode::TemporarilyUnavailable => {
            Refusal::TemporarilyUnavailable(error.description())
        }
        TrustErrorCode::UnauthorizedClient => Refusal::InvalidMetadata(error.description()),
        TrustErrorCode::InvalidClient | TrustErrorCode::InvalidRequest => {
            Refusal::InvalidTrustChain(error.description())
        }
    }
}

fn asked_of<'a>(
    site: &'a Site,
    entity: &str,
    request: &HttpRequest,
) -> Result<(&'a Superior, Asked), Refusal> {
    let superior = site.superior(entity);
    let superior = superior.ok_or(Refusal::NotFound("entity of this name"))?;
    Ok((superior, Asked::read(request.query_string())))
}

pub(super) fn signed(typ: &str, document: Result<String, DemoError>) -> HttpResponse {
    match document {
        Ok(document) => HttpResponse::Ok()
            .content_type(format!("application/{typ}"))
            .insert_header(("Cache-Control", "no-store"))
            .body(document),
        Err(failure) => unsigned(&failure).into_response(),
    }
}

fn unsigned(failure: &DemoError) -> Refusal {
    log::error!("demo: a document could not be signed: {failure}");
    Refusal::ServerError
}
