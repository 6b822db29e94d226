//! Forms that bring a file: `multipart/form-data` (RFC 7578), a chunk of it in memory at a time.

use super::inbound::{BodyError, Site, from_parts};
use crate::endpoint::{Inbound, Upload};
use actix_multipart::{Field, Multipart};
use actix_web::web::Payload;
use actix_web::{HttpMessage as _, HttpRequest};
use futures_util::StreamExt as _;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Longest accepted file: half a million people.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// What is typed or pasted into fields, together.
const MAX_TEXT_BYTES: usize = 1 << 20;
/// What is passed over of a form that is too large, so that the browser hears why: it listens only when all is sent.
const MAX_PASSED_OVER: u64 = 256 << 20;
/// A file has to arrive within this time.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Whether a body is such a form.
pub(super) fn is_multipart(http: &HttpRequest) -> bool {
    http.content_type()
        .eq_ignore_ascii_case("multipart/form-data")
}

/// Reads the whole request: fields become the form, the file one without a name in the folder for such.
pub(super) async fn read(
    site: Site<'_>,
    http: &HttpRequest,
    payload: Payload,
) -> Result<Inbound, BodyError> {
    let mut reader = Reader::default();
    tokio::time::timeout(
        TIMEOUT,
        reader.read(Multipart::new(http.headers(), payload)),
    )
    .await
    .unwrap_or(Err(BodyError::TooSlow))?;
    if reader.too_large {
        return Err(BodyError::TooLarge);
    }
    let fields = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&reader.fields)
        .finish();
    Ok(Inbound {
        upload: reader.upload,
        ..from_parts(&site, http, fields.as_bytes())
    })
}

#[derive(Default)]
struct Reader {
    fields: Vec<(String, String)>,
    text_bytes: usize,
    upload: Option<Upload>,
    passed_over: u64,
    too_large: bool,
}

impl Reader {
    async fn read(&mut self, mut parts: Multipart) -> Result<(), BodyError> {
        while let Some(part) = parts.next().await {
            let part = part.map_err(|_| BodyError::Broken)?;
            let file_name = part
                .content_disposition()
                .and_then(|about| about.get_filename())
                .map(str::to_owned);
            match file_name {
                Some(name) => self.file(part, name).await?,
                None => self.field(part).await?,
            }
        }
        Ok(())
    }

    async fn field(&mut self, mut part: Field) -> Result<(), BodyError> {
        let name = part.name().unwrap_or_default().to_owned();
        let mut text = Vec::new();
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(|_| BodyError::Broken)?;
            self.text_bytes = self.text_bytes.saturating_add(chunk.len());
            if self.text_bytes > MAX_TEXT_BYTES {
                self.pass_over(chunk.len())?;
            } else {
                text.extend_from_slice(&chunk);
            }
        }
        let text = String::from_utf8(text).map_err(|_| BodyError::Broken)?;
        self.fields.push((name, text));
        Ok(())
    }

    /// Writes to the file wait for nothing but memory: the disk comes later.
    async fn file(&mut self, mut part: Field, name: String) -> Result<(), BodyError> {
        let mut file: File = tempfile::tempfile().map_err(|_| BodyError::Broken)?;
        let mut bytes = 0_u64;
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(|_| BodyError::Broken)?;
            bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if bytes > MAX_FILE_BYTES || self.upload.is_some() {
                self.pass_over(chunk.len())?;
            } else {
                file.write_all(&chunk).map_err(|_| BodyError::Broken)?;
            }
        }
        let file = Arc::new(file);
        self.upload.get_or_insert(Upload { name, file, bytes });
        Ok(())
    }

    fn pass_over(&mut self, bytes: usize) -> Result<(), BodyError> {
        self.too_large = true;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.passed_over = self.passed_over.saturating_add(bytes);
        match self.passed_over > MAX_PASSED_OVER {
            true => Err(BodyError::TooLarge),
            false => Ok(()),
        }
    }
}
