//! Documents that are signed once a change or lifetime, and served from memory.

use crate::clock::UtcTime;
use crate::secret::sha256;
use actix_web::web::Bytes;
use arc_swap::ArcSwapOption;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of the `resolve` answers that an issuer keeps: some thousands.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// What an answer takes beside its texts.
const BASE_BYTES: usize = 512;
/// Answers about one subject that are kept.
const VARIANTS: u8 = 8;

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

/// Documents by subject, in some variants each; bounded in bytes. Those that were asked for least recently go first.
#[derive(Debug)]
pub struct DocumentMap {
    kept: Cache<Place, Kept>,
    /// Another one whenever everything is forgotten.
    generation: AtomicU64,
}

/// Where a document is kept: generation, subject, and one of [`VARIANTS`].
type Place = (u64, String, u8);

#[derive(Clone, Debug)]
struct Kept {
    variant: String,
    cell: Arc<DocumentCell>,
    /// Of the document, once it is made.
    bytes: usize,
}

impl Default for DocumentMap {
    fn default() -> Self {
        let weight = |place: &Place, kept: &Kept| {
            let texts = place.1.len().saturating_add(kept.variant.len());
            let bytes = kept.bytes.saturating_add(texts);
            u32::try_from(bytes.saturating_add(BASE_BYTES)).unwrap_or(u32::MAX)
        };
        Self {
            kept: Cache::builder()
                .max_capacity(MAX_BYTES)
                .weigher(weight)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            generation: AtomicU64::default(),
        }
    }
}

impl DocumentMap {
    /// A subject's document in a variant, made when there is none that is fresh, once however many ask. Strangers choose
    /// variants, so of a subject a few are kept, one in the place of another.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get<E>(
        &self,
        (subject, variant): (&str, &str),
        now: UtcTime,
        make: impl FnOnce() -> Result<Document, E>,
    ) -> Result<Arc<Document>, E> {
        let [first, ..] = sha256(variant.as_bytes());
        let generation = self.generation.load(Ordering::SeqCst);
        let place = (generation, subject.to_owned(), first % VARIANTS);
        let empty = || Kept {
            variant: variant.to_owned(),
            cell: Arc::default(),
            bytes: 0,
        };
        let entry = self.kept.entry_by_ref(&place);
        let entry = entry.or_insert_with_if(empty, |kept| kept.variant != variant);
        let kept = entry.into_value();
        let document = kept.cell.get(now, make)?;
        let bytes = document.body.len();
        if kept.bytes != bytes {
            self.kept.insert(place, Kept { bytes, ..kept });
        }
        Ok(document)
    }

    /// Everything is made anew. What is being made of old keys now is answered to those who wait for it, and not kept.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.kept.invalidate_all();
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
        let old = map.get(("rp", "all"), NOW, || {
            map.forget();
            document("old keys")
        });
        assert_eq!(text(old), "old keys");
        assert_eq!(text(map.get(("rp", "all"), NOW, || document("new"))), "new");

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
            let got = map.get(("rp", "all"), NOW, || {
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
    fn no_number_of_subjects_fills_the_memory_and_no_number_of_variants_takes_it_from_others() {
        let map = DocumentMap::default();
        let large = || {
            Ok::<_, Infallible>(Document {
                content_type: "text/plain",
                body: Bytes::from(vec![b'x'; 200_000]),
                fresh_until: UtcTime(10),
            })
        };
        assert_eq!(text(map.get(("rp", "all"), NOW, || document("1"))), "1");
        for number in 0..1_000 {
            let _made = map.get(("greedy", &number.to_string()), NOW, large);
        }
        map.kept.run_pending_tasks();
        assert!(map.kept.entry_count() <= 1 + u64::from(VARIANTS));
        assert_eq!(text(map.get(("rp", "all"), NOW, || document("2"))), "1");
        for number in 0..1_000 {
            let _made = map.get((&number.to_string(), "all"), NOW, large);
            map.kept.run_pending_tasks();
            assert!(map.kept.weighted_size() <= MAX_BYTES);
        }
        let last = map.get(("999", "all"), NOW, || document("3"));
        assert_eq!(text(last).len(), 200_000, "the newest stay");
    }

    #[test]
    fn variants_in_one_place_are_never_taken_for_each_other() {
        let map = DocumentMap::default();
        let ask = |name: String| {
            let own = || {
                Ok::<_, Infallible>(Document {
                    content_type: "text/plain",
                    body: Bytes::from(name.clone()),
                    fresh_until: UtcTime(10),
                })
            };
            assert_eq!(text(map.get(("rp", &name), NOW, own)), name);
        };
        for number in (0..50_u8).chain(0..50) {
            ask(number.to_string());
        }
    }
}
