//! Climbing `authority_hints`, level by level, to a configured trust anchor (SPID/CIE FE-2, FE-7).
//!
//! Level by level makes the shortest path win; a path that fails does not hide one that holds; loops end because no entity
//! stands twice on a path; what two paths share (a diamond) is fetched once. Paths take turns: one superior with many
//! hints does not use up the fetches of the others. What does not depend on each other is asked at the same time: all
//! superiors of a level, and, once a superior's configuration is there, its own statement and its anchors' about it.

use super::Resolved;
use super::discovery::{Anchors, Discovery, Usable};
use crate::federation::entity_id::EntityId;
use crate::federation::entity_statement::EntityStatement;
use crate::federation::error::{BrokenLink, Defect, DocumentKind, TrustError};
use crate::federation::examiner::{Link, StatementKeys, Whose};
use crate::federation::fetch::{FetchFact, Lane};
use crate::federation::trust_chain::UnverifiedChain;
use futures_util::stream::{self, StreamExt};
use std::collections::HashMap;
use std::fmt;
use url::Url;

/// Fetches at a time within one resolution.
const CONCURRENT: usize = 4;
/// Paths followed at a time; the limit on fetches keeps honest federations far below.
const PATHS_MAX: usize = 64;

type Superior = Result<(EntityId, Link, EntityStatement), TrustError>;
type Configurations = HashMap<String, Superior>;
type Statements = HashMap<(String, String), Result<Link, TrustError>>;

/// A way from the subject up to an entity whose superiors are to be asked.
#[derive(Clone)]
struct Path {
    chain: UnverifiedChain,
    top: EntityStatement,
}

/// What one superior answered.
struct Asked {
    hint: String,
    superior: Superior,
    was_known: bool,
    /// What it says of those below it.
    links: Vec<(String, Result<Link, TrustError>)>,
    /// What anchors say of it, not verified yet, by anchor.
    above: Vec<(String, Result<Link, TrustError>)>,
}

#[derive(Default)]
struct Seen {
    configurations: Configurations,
    statements: Statements,
    failures: Vec<TrustError>,
}

impl Discovery<'_> {
    pub(super) async fn climb(
        &self,
        link: Link,
        configuration: EntityStatement,
        anchors: &Anchors,
    ) -> Result<Resolved, TrustError> {
        let chain = UnverifiedChain {
            entities: Vec::new(),
            configuration: link,
            statements: Vec::new(),
            intermediates: Vec::new(),
        };
        let mut seen = Seen::default();
        let mut paths = vec![Path {
            chain,
            top: configuration,
        }];
        for _ in 0..=self.inner.limits.depth {
            let steps = self.steps_up(&paths, &mut seen.failures);
            if let Some(resolved) = self.try_anchors(&paths, &steps, anchors, &mut seen).await {
                return Ok(resolved);
            }
            let leads_on = |hint: &str| anchors.leads_on(hint) || !self.is_anchor(hint);
            let onwards = steps.into_iter().filter(|(_, hint)| leads_on(hint));
            paths = self
                .next_level(&paths, onwards.collect(), anchors, &mut seen)
                .await;
            if paths.is_empty() {
                break;
            }
        }
        for path in &paths {
            let limit = self.inner.limits.depth;
            let fact = format!("longer than {limit} intermediates: it is not followed");
            self.path_ends(path, None, &fact);
        }
        Err(self.failure(seen.failures))
    }

    fn is_anchor(&self, id: &str) -> bool {
        self.settings.anchors.iter().any(|a| a.id.as_str() == id)
    }

    /// Where each path may go: pairs of path and superior, each path's first before any path's second. Loops end here.
    fn steps_up(&self, paths: &[Path], failures: &mut Vec<TrustError>) -> Vec<(usize, String)> {
        let mut steps = Vec::new();
        for (position, path) in paths.iter().enumerate() {
            let entity = &path.top.subject;
            let hints = &path.top.authority_hints;
            let limit = self.inner.limits.authority_hints;
            let error = if hints.is_empty() {
                TrustError::NoAuthorityHints {
                    entity: entity.clone(),
                }
            } else if hints.len() > limit {
                TrustError::TooManyHints {
                    entity: entity.clone(),
                    found: hints.len(),
                    limit,
                }
            } else {
                let onwards = hints.iter().enumerate().filter(|(turn, hint)| {
                    let earlier = hints.get(..*turn).unwrap_or_default();
                    !earlier.contains(hint) && self.leads_up(path, hint)
                });
                steps.extend(onwards.map(|(turn, hint)| (turn, position, hint.clone())));
                continue;
            };
            self.path_ends(path, None, &error);
            failures.push(error);
        }
        steps.sort_by_key(|(turn, _, _)| *turn);
        let in_turn = steps.into_iter();
        in_turn.map(|(_, path, hint)| (path, hint)).collect()
    }

    /// The paths that end at an anchor now. Anchors come first, so that a path that holds waits for no intermediate.
    async fn try_anchors(
        &self,
        paths: &[Path],
        steps: &[(usize, String)],
        anchors: &Anchors,
        seen: &mut Seen,
    ) -> Option<Resolved> {
        for (position, hint) in steps {
            let Some(path) = paths.get(*position) else {
                continue;
            };
            if let Some(error) = anchors.unusable(hint) {
                self.path_reaches(path, hint, Some(error));
                seen.failures.push(error.clone());
            }
            let Some(top) = anchors.usable(hint) else {
                continue;
            };
            let outcome = self.end_at(path, top, &mut seen.statements).await;
            self.path_reaches(path, hint, outcome.as_ref().err());
            match outcome {
                Ok(resolved) => return Some(resolved),
                Err(error) => seen.failures.push(error),
            }
        }
        None
    }

    async fn end_at(
        &self,
        path: &Path,
        top: &Usable,
        statements: &mut Statements,
    ) -> Result<Resolved, TrustError> {
        let configuration = &top.anchor.configuration;
        let subject = &path.top.subject;
        let pair = (configuration.subject.clone(), subject.clone());
        let link = match statements.get(&pair) {
            Some(known) => known.clone(),
            None => {
                let fetched = self
                    .statement(Lane::Configured, configuration, subject)
                    .await;
                statements.insert(pair, fetched.clone());
                fetched
            }
        };
        let mut chain = path.chain.clone();
        chain.entities.push(subject.clone());
        chain.statements.push(link?);
        let valid = chain.verify(
            (self.subject, &self.settings.entity_type),
            &top.anchor,
            &self.examiner,
        )?;
        self.resolved(top, valid)
    }

    /// The paths that go on through intermediates.
    async fn next_level(
        &self,
        paths: &[Path],
        onwards: Vec<(usize, String)>,
        anchors: &Anchors,
        seen: &mut Seen,
    ) -> Vec<Path> {
        self.ask_superiors(paths, &onwards, anchors, seen).await;
        let mut next = Vec::new();
        for (position, hint) in onwards {
            let Some(path) = paths.get(position) else {
                continue;
            };
            let pair = (hint.clone(), path.top.subject.clone());
            let found = (seen.configurations.get(&hint), seen.statements.get(&pair));
            let (Some(Ok((id, own, top))), Some(Ok(statement))) = found else {
                if let (Some(Err(error)), _) | (_, Some(Err(error))) = found {
                    self.path_ends(path, Some(&hint), error);
                }
                continue;
            };
            if next.len() >= PATHS_MAX {
                self.path_ends(path, Some(&hint), &"one path too many: it is not followed");
            } else {
                let mut chain = path.chain.clone();
                chain.entities.push(path.top.subject.clone());
                chain.statements.push(statement.clone());
                chain.intermediates.push((id.clone(), own.clone()));
                let top = top.clone();
                next.push(Path { chain, top });
            }
        }
        next
    }

    /// Fetches what is not known yet: each superior's configuration, then what it says of those below it, so that the
    /// first in turn are complete before the limit on fetches ends the last.
    async fn ask_superiors(
        &self,
        paths: &[Path],
        onwards: &[(usize, String)],
        anchors: &Anchors,
        seen: &mut Seen,
    ) {
        let mut wanted: Vec<(String, Vec<String>)> = Vec::new();
        for (position, hint) in onwards {
            let subject = paths.get(*position).map(|path| path.top.subject.clone());
            let Some(pair) = subject.map(|subject| (hint.clone(), subject)) else {
                continue;
            };
            let position = wanted.iter().position(|(known, _)| known == hint);
            let position = position.unwrap_or_else(|| {
                wanted.push((hint.clone(), Vec::new()));
                wanted.len().saturating_sub(1)
            });
            if let Some((_, subjects)) = wanted.get_mut(position)
                && !seen.statements.contains_key(&pair)
                && !subjects.contains(&pair.1)
            {
                subjects.push(pair.1);
            }
        }
        let fetches = wanted.into_iter().map(|(hint, subjects)| {
            let known = seen.configurations.get(&hint).cloned();
            self.ask(hint, subjects, known, anchors)
        });
        for asked in together(fetches.collect()).await {
            if let (false, Err(error)) = (asked.was_known, &asked.superior) {
                seen.failures.push(error.clone());
            }
            for (subject, link) in asked.links {
                seen.failures.extend(link.as_ref().err().cloned());
                seen.statements.insert((asked.hint.clone(), subject), link);
            }
            for (anchor, link) in asked.above {
                seen.statements.insert((anchor, asked.hint.clone()), link);
            }
            seen.configurations.insert(asked.hint, asked.superior);
        }
    }

    async fn ask(
        &self,
        hint: String,
        subjects: Vec<String>,
        known: Option<Superior>,
        anchors: &Anchors,
    ) -> Asked {
        let was_known = known.is_some();
        let superior = match known {
            Some(known) => known,
            None => self.superior(&hint).await,
        };
        let (mut links, mut above) = (Vec::new(), Vec::new());
        if let Ok((_, _, own)) = &superior {
            let below = async {
                for subject in subjects {
                    let link = self.own_statement(own, &subject).await;
                    links.push((subject, link));
                }
            };
            let anchors = async {
                for top in anchors.named_in(&own.authority_hints) {
                    let says = &top.anchor.configuration;
                    let link = self.statement(Lane::Configured, says, &own.subject).await;
                    above.push((top.anchor.id.to_string(), link));
                }
            };
            if was_known {
                below.await;
            } else {
                futures_util::future::join(below, anchors).await;
            }
        }
        Asked {
            hint,
            superior,
            was_known,
            links,
            above,
        }
    }

    async fn superior(&self, hint: &str) -> Superior {
        let id = EntityId::parse(hint, self.settings.development);
        let id = id.map_err(|fact| TrustError::EntityId {
            id: hint.to_owned(),
            fact,
        });
        // A malformed hint is a fault of the chain, not of the request.
        let id = id.map_err(|error| TrustError::NoPath {
            subject: self.subject.to_string(),
            failures: vec![error],
        })?;
        let (link, configuration) = self.configuration(&id).await?;
        Ok((id, link, configuration))
    }

    /// An intermediate's statement, verified with the intermediate's own keys so far.
    async fn own_statement(
        &self,
        superior: &EntityStatement,
        subject: &str,
    ) -> Result<Link, TrustError> {
        let link = self.statement(self.lane, superior, subject).await?;
        let about = (superior.subject.as_str(), subject);
        let believed = StatementKeys {
            keys: &superior.keys,
            whose: Whose::Own,
        };
        self.examiner.subordinate(about, &link, believed)?;
        Ok(link)
    }

    /// Fetches what a superior says of a subordinate (OpenID Federation 1.0 §8.1).
    async fn statement(
        &self,
        lane: Lane,
        superior: &EntityStatement,
        subject: &str,
    ) -> Result<Link, TrustError> {
        let url = fetch_url(superior, subject)?;
        let above = &superior.subject;
        let what = fmt::from_fn(|f| write!(f, "subordinate statement of {above} about {subject}"));
        let document = self.fetch(lane, &url, &what).await;
        let document = document.map_err(|error| unless_unknown(error, superior, subject, &url))?;
        Ok(Link {
            jws: document.text,
            url: Some(url),
        })
    }

    /// Whether an authority hint leads to an entity that is not on the path already.
    fn leads_up(&self, path: &Path, hint: &String) -> bool {
        let is_loop = *hint == path.top.subject || path.chain.entities.contains(hint);
        if is_loop {
            self.path_ends(path, Some(hint), &"a loop: it is not followed");
        }
        !is_loop
    }

    /// Writes down a path that ends before an anchor, at an authority hint or for want of one.
    fn path_ends(&self, path: &Path, hint: Option<&str>, error: &dyn fmt::Display) {
        let below = path.chain.entities.iter().chain([&path.top.subject]);
        let entities = below.map(String::as_str).chain(hint);
        self.recorder().path(entities, false, Some(error));
    }

    /// Writes down a path that ends at a configured anchor.
    fn path_reaches(&self, path: &Path, anchor: &str, error: Option<&TrustError>) {
        let below = path.chain.entities.iter().chain([&path.top.subject]);
        let entities = below.map(String::as_str).chain([anchor]);
        let error = error.map(|error| -> &dyn fmt::Display { error });
        self.recorder().path(entities, true, error);
    }

    /// One error for all that failed.
    pub(super) fn failure(&self, mut failures: Vec<TrustError>) -> TrustError {
        if failures.contains(&TrustError::Busy) {
            return TrustError::Busy;
        }
        match failures.len() {
            0 => TrustError::NoAnchor {
                subject: self.subject.to_string(),
            },
            1 => failures.remove(0),
            _ => TrustError::NoPath {
                subject: self.subject.to_string(),
                failures,
            },
        }
    }
}

/// A superior that answers 404 is reached and does not know the subject: the chain is false, not out of reach
/// (SPID/CIE FE-6, OpenID Federation 1.0 §8.9).
fn unless_unknown(
    error: TrustError,
    superior: &EntityStatement,
    subject: &str,
    url: &str,
) -> TrustError {
    match error {
        TrustError::Fetch { error, .. } if error.fact == (FetchFact::Status { code: 404 }) => {
            TrustError::BrokenLink(Box::new(BrokenLink {
                kind: DocumentKind::SubordinateStatement,
                issuer: superior.subject.clone(),
                subject: subject.to_owned(),
                url: Some(url.to_owned()),
                kid: None,
                fact: "the superior does not know this subordinate (HTTP status 404)".to_owned(),
                defect: Defect::NoMember,
            }))
        }
        other => other,
    }
}

/// Runs fetches, a few at a time, and keeps their order.
async fn together<F: Future>(fetches: Vec<F>) -> Vec<F::Output> {
    stream::iter(fetches).buffered(CONCURRENT).collect().await
}

/// The address of a superior's statement about `subject`.
pub(super) fn fetch_url(superior: &EntityStatement, subject: &str) -> Result<String, TrustError> {
    let missing = || TrustError::NoFetchEndpoint {
        entity: superior.subject.clone(),
    };
    let endpoint = superior.federation_endpoint("federation_fetch_endpoint");
    let mut url = Url::parse(endpoint.ok_or_else(missing)?).map_err(|_| missing())?;
    url.set_fragment(None);
    url.query_pairs_mut().append_pair("sub", subject);
    Ok(url.to_string())
}
