//! Documents that are signed once a change or lifetime, and served from memory.

use crate::clock::UtcTime;
use actix_web::web::Bytes;
use arc_swap::ArcSwapOption;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// At most so many `resolve` answers are kept.
const MAX_DOCUMENTS: usize = 2_000;

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
        let _making = self.lock();
        if let Some(document) = self.fresh(now) {
            return Ok(document);
        }
        let document = Arc::new(make()?);
        self.current.store(Some(document.clone()));
        Ok(document)
    }

    /// The next caller makes it anew. Waits for a `make` that began with what is old now, so that it is forgotten too.
    pub fn forget(&self) {
        let _making = self.lock();
        self.current.store(None);
    }

    fn fresh(&self, now: UtcTime) -> Option<Arc<Document>> {
        self.current
            .load_full()
            .filter(|document| now < document.fresh_until)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Documents by subject; bounded.
#[derive(Debug, Default)]
pub struct DocumentMap(Mutex<HashMap<String, Arc<DocumentCell>>>);

impl DocumentMap {
    /// The document of a subject, made when there is none that is fresh, once however many ask.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get<E>(
        &self,
        key: &str,
        now: UtcTime,
        make: impl FnOnce() -> Result<Document, E>,
    ) -> Result<Arc<Document>, E> {
        let cell = {
            let mut cells = self.lock();
            if cells.len() >= MAX_DOCUMENTS && !cells.contains_key(key) {
                cells.clear();
            }
            Arc::clone(cells.entry(key.to_owned()).or_default())
        };
        cell.get(now, make)
    }

    /// Everything is made anew. What is being made of old keys now is answered to those who wait for it, and not kept.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<DocumentCell>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, mpsc};

    const NOW: UtcTime = UtcTime(0);

    fn document(text: &'static str) -> Result<Document, Infallible> {
        Ok(Document {
            content_type: "text/plain",
            body: Bytes::from_static(text.as_bytes()),
            fresh_until: UtcTime(10),
        })
    }

    fn text(document: Result<Arc<Document>, Infallible>) -> Bytes {
        match document {
            Ok(document) => document.body.clone(),
            Err(never) => match never {},
        }
    }

    #[test]
    fn a_document_is_made_once_until_it_is_old_or_forgotten() {
        let cell = DocumentCell::default();
        assert_eq!(text(cell.get(NOW, || document("1"))), "1");
        assert_eq!(text(cell.get(UtcTime(9), || document("2"))), "1");
        assert_eq!(text(cell.get(UtcTime(10), || document("3"))), "3");
        cell.forget();
        assert_eq!(text(cell.get(NOW, || document("4"))), "4");
    }

    #[test]
    fn what_was_begun_before_forgetting_is_forgotten() {
        let map = DocumentMap::default();
        let old = map.get("rp", NOW, || {
            map.forget();
            document("old keys")
        });
        assert_eq!(text(old), "old keys");
        assert_eq!(text(map.get("rp", NOW, || document("new"))), "new");

        let cell = DocumentCell::default();
        let (began, wait_for_begin) = mpsc::channel();
        let (go_on, wait) = mpsc::channel();
        std::thread::scope(|scope| {
            let cell = &cell;
            scope.spawn(move || {
                let _old = cell.get(NOW, || {
                    began.send(()).unwrap();
                    wait.recv().unwrap();
                    document("old keys")
                });
            });
            wait_for_begin.recv().unwrap();
            let forgetting = scope.spawn(|| cell.forget());
            go_on.send(()).unwrap();
            forgetting.join().unwrap();
            assert_eq!(text(cell.get(NOW, || document("new"))), "new");
        });
    }

    #[test]
    fn a_thousand_callers_of_one_subject_make_one_document() {
        // SPID/CIE FE-8
        let map = DocumentMap::default();
        let made = AtomicUsize::new(0);
        let barrier = Barrier::new(1_000);
        let ask = || {
            barrier.wait();
            let got = map.get("rp", NOW, || {
                made.fetch_add(1, Ordering::SeqCst);
                document("once")
            });
            assert_eq!(text(got), "once");
        };
        std::thread::scope(|scope| {
            for _ in 0..1_000 {
                scope.spawn(ask);
            }
        });
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn no_number_of_subjects_fills_the_memory() {
        let map = DocumentMap::default();
        for number in 0..3 * MAX_DOCUMENTS {
            let _made = map.get(&number.to_string(), NOW, || document("1"));
            assert!(map.lock().len() <= MAX_DOCUMENTS);
        }
    }
}
