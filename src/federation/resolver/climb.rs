//! Climbing `authority_hints`, level by level, to a configured trust anchor (SPID/CIE FE-2, FE-7).
//!
//! Level by level makes the shortest path win; a path that fails does not hide one that holds; loops end because no entity
//! stands twice on a path; what two paths share (a diamond) is fetched once.

use super::Resolved;
use super::discovery::{Anchors, Discovery, Usable};
use crate::federation::entity_id::EntityId;
use crate::federation::entity_statement::EntityStatement;
use crate::federation::error::{BrokenLink, Defect, DocumentKind, TrustError};
use crate::federation::fetch::{FetchFact, Lane};
use crate::federation::trust_chain::{Link, UnverifiedChain, broken};
use futures_util::stream::{self, StreamExt};
use std::collections::HashMap;
use url::Url;

/// Fetches at a time within one resolution.
const CONCURRENT: usize = 4;
/// Paths followed at a time; the limit on fetches keeps honest federations far below.
const PATHS_MAX: usize = 64;

type Configurations = HashMap<String, Result<(EntityId, Link, EntityStatement), TrustError>>;
type Statements = HashMap<(String, String), Result<Link, TrustError>>;

/// A way from the subject up to an entity whose superiors are to be asked.
#[derive(Clone)]
struct Path {
    chain: UnverifiedChain,
    top: EntityStatement,
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
            paths = self.next_level(&paths, &steps, &mut seen).await;
            if paths.is_empty() {
                break;
            }
        }
        Err(self.failure(seen.failures))
    }

    /// Where each path may go: pairs of path and superior. Loops end here.
    fn steps_up(&self, paths: &[Path], failures: &mut Vec<TrustError>) -> Vec<(usize, String)> {
        let mut steps = Vec::new();
        for (position, path) in paths.iter().enumerate() {
            let entity = &path.top.subject;
            let hints = &path.top.authority_hints;
            let limit = self.inner.limits.authority_hints;
            if hints.is_empty() {
                failures.push(TrustError::NoAuthorityHints {
                    entity: entity.clone(),
                });
            } else if hints.len() > limit {
                failures.push(TrustError::TooManyHints {
                    entity: entity.clone(),
                    found: hints.len(),
                    limit,
                });
            } else {
                let onwards = hints
                    .iter()
                    .filter(|hint| *hint != entity && !path.chain.entities.contains(hint));
                steps.extend(onwards.map(|hint| (position, hint.clone())));
            }
        }
        steps
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
            if let Some(error) = anchors.unusable(hint) {
                seen.failures.push(error.clone());
            }
            let (Some(path), Some(top)) = (paths.get(*position), anchors.usable(hint)) else {
                continue;
            };
            let outcome = self.end_at(path, top, &mut seen.statements).await;
            match outcome {
                Ok(resolved) => return Some(resolved),
                Err(error) => {
                    let what = format!("verify the chain up to {hint}");
                    self.step(&what, None, &error.to_string(), 0);
                    seen.failures.push(error);
                }
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
        let valid = chain.verify(self.subject, &top.anchor, self.moment)?;
        let what = format!("verify the chain up to {}", top.anchor.id);
        self.step(&what, None, "ok", 0);
        self.resolved(top, valid)
    }

    /// The paths that go on through intermediates.
    async fn next_level(
        &self,
        paths: &[Path],
        steps: &[(usize, String)],
        seen: &mut Seen,
    ) -> Vec<Path> {
        let is_anchor = |hint: &str| self.settings.anchors.iter().any(|a| a.id.as_str() == hint);
        let onwards: Vec<&(usize, String)> =
            steps.iter().filter(|(_, hint)| !is_anchor(hint)).collect();
        let mut wanted: Vec<String> = Vec::new();
        for (_, hint) in &onwards {
            if !seen.configurations.contains_key(hint) && !wanted.contains(hint) {
                wanted.push(hint.clone());
            }
        }
        let fetches = wanted.into_iter().map(|hint| async move {
            let superior = self.superior(&hint).await;
            (hint, superior)
        });
        let fetched = together(fetches.collect()).await;
        for (hint, outcome) in fetched {
            if let Err(error) = &outcome {
                seen.failures.push(error.clone());
            }
            seen.configurations.insert(hint, outcome);
        }
        self.fetch_statements(paths, &onwards, seen).await;
        let mut next = Vec::new();
        for (position, hint) in onwards {
            let Some(path) = paths.get(*position) else {
                continue;
            };
            let pair = (hint.clone(), path.top.subject.clone());
            let (Some(Ok((id, own, top))), Some(Ok(statement))) =
                (seen.configurations.get(hint), seen.statements.get(&pair))
            else {
                continue;
            };
            if next.len() < PATHS_MAX {
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

    async fn fetch_statements(
        &self,
        paths: &[Path],
        onwards: &[&(usize, String)],
        seen: &mut Seen,
    ) {
        let mut wanted = Vec::new();
        for (position, hint) in onwards {
            let Some(path) = paths.get(*position) else {
                continue;
            };
            let Some(Ok((_, _, superior))) = seen.configurations.get(hint) else {
                continue;
            };
            let pair = (hint.clone(), path.top.subject.clone());
            let listed = wanted.iter().any(|(known, _)| *known == pair);
            if !seen.statements.contains_key(&pair) && !listed {
                wanted.push((pair, superior.clone()));
            }
        }
        let fetches = wanted.into_iter().map(|(pair, superior)| async move {
            let link = self.own_statement(&superior, &pair.1).await;
            (pair, link)
        });
        let fetched = together(fetches.collect()).await;
        for (pair, outcome) in fetched {
            if let Err(error) = &outcome {
                seen.failures.push(error.clone());
            }
            seen.statements.insert(pair, outcome);
        }
    }

    async fn superior(&self, hint: &str) -> Result<(EntityId, Link, EntityStatement), TrustError> {
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
        EntityStatement::verify_subordinate(&link.jws, about, &superior.keys, self.moment)
            .map_err(|fault| broken(DocumentKind::SubordinateStatement, about, &link, fault))?;
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
        let what = format!(
            "subordinate statement of {} about {subject}",
            superior.subject
        );
        let document = self.fetch(lane, &url, &what).await;
        let document = document.map_err(|error| unless_unknown(error, superior, subject, &url))?;
        Ok(Link {
            jws: document.text,
            url: Some(url),
        })
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
