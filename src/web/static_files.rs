//! Stylesheets, fonts and pictures, from memory.

use crate::ui::{Asset, Pages, STATIC_PATH};
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header;
use actix_web::middleware::Compress;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, Scope};
use std::sync::Arc;

/// A file whose URL carries its version never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Any other is asked for again.
const REVALIDATE: &str = "no-cache";

pub(super) fn service(
    pages: Arc<Pages>,
) -> Scope<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    web::scope(STATIC_PATH.trim_end_matches('/'))
        .app_data(Data::from(pages))
        .wrap(Compress::default())
        .route("/{path:.*}", web::get().to(file))
}

async fn file(pages: Data<Pages>, http: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let Some(asset) = pages.assets().get(&path) else {
        return HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("there is no such file");
    };
    answer(&http, asset)
}

/// An asset, or that the browser has it already.
pub(super) fn answer(http: &HttpRequest, asset: &Asset) -> HttpResponse {
    let unchanged = http
        .headers()
        .get(header::IF_NONE_MATCH)
        .is_some_and(|tag| tag.as_bytes() == asset.etag.as_bytes());
    let version = http.query_string().strip_prefix("v=").unwrap_or_default();
    let caching = if asset.is_version(version) {
        FOREVER
    } else {
        REVALIDATE
    };
    let mut response = if unchanged {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::CONTENT_TYPE, asset.content_type))
        .insert_header((header::ETAG, asset.etag.as_str()))
        .insert_header((header::CACHE_CONTROL, caching));
    if unchanged {
        response.finish()
    } else {
        response.body(asset.bytes.to_vec())
    }
}
