//! Documents that are signed once a change or lifetime, and served from memory.

use crate::clock::UtcTime;
use actix_web::web::Bytes;
use arc_swap::ArcSwapOption;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// At most so many `resolve` answers are kept.
const MAX_DOCUMENTS: usize = 10_000;

/// A document as it is sent.
#[derive(Debug)]
pub struct Document {
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes; cloning shares them.
    pub body: Bytes,
    /// From then on it is made anew.
    pub fresh_until: UtcTime,
}

/// One document, made when it is first asked for.
#[derive(Debug, Default)]
pub struct DocumentCell {
    current: ArcSwapOption<Document>,
    making: Mutex<()>,
}

impl DocumentCell {
    /// The document; `make` runs only when there is none or it is no longer fresh, one at a time.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get<E>(
        &self,
        now: UtcTime,
        make: impl FnOnce() -> Result<Document, E>,
    ) -> Result<Arc<Document>, E> {
        if let Some(document) = self.fresh(now) {
            return Ok(document);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = self.fresh(now) {
            return Ok(document);
        }
        let document = Arc::new(make()?);
        self.current.store(Some(document.clone()));
        Ok(document)
    }

    /// The next caller makes it anew.
    pub fn forget(&self) {
        self.current.store(None);
    }

    fn fresh(&self, now: UtcTime) -> Option<Arc<Document>> {
        self.current
            .load_full()
            .filter(|document| now < document.fresh_until)
    }
}

/// Documents by subject; bounded.
#[derive(Debug, Default)]
pub struct DocumentMap(Mutex<HashMap<String, Arc<Document>>>);

impl DocumentMap {
    /// The document of a subject, made when there is none that is fresh.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get<E>(
        &self,
        key: &str,
        now: UtcTime,
        make: impl FnOnce() -> Result<Document, E>,
    ) -> Result<Arc<Document>, E> {
        let found = self.lock().get(key).cloned();
        if let Some(document) = found.filter(|document| now < document.fresh_until) {
            return Ok(document);
        }
        let document = Arc::new(make()?);
        let mut documents = self.lock();
        if documents.len() >= MAX_DOCUMENTS {
            documents.clear();
        }
        documents.insert(key.to_owned(), document.clone());
        Ok(document)
    }

    /// Everything is made anew.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Document>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
