//! The provider's own resolver finds its way through the demonstration: two implementations that agree.

use super::*;
use crate::federation::trust_mark::TrustMarkStatus;
use crate::federation::{
    EntityId, Fetch, FetchError, FetchFact, Fetched, Fetching, Lane, ResolutionLimits, Resolver,
    Source, TrustAnchor, TrustSettings,
};
use std::net::{IpAddr, Ipv4Addr};

fn source() -> Source {
    Source::of(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Answers from the federation's own values.
struct InProcess(Arc<DemoFederation>);

impl InProcess {
    fn document(&self, url: &str) -> Option<String> {
        let url = url::Url::parse(url).ok()?;
        let mut segments = url.path_segments()?;
        let entity = segments.next()?;
        let superior = match entity {
            "ta" => Some(self.0.trust_anchor()),
            "sa" => Some(self.0.intermediate()),
            _ => None,
        };
        let document = match (segments.next()?, superior) {
            (".well-known", Some(superior)) => superior.entity_configuration(),
            (".well-known", None) => self.0.relying_party_at(entity)?.entity_configuration(),
            ("fetch", Some(superior)) => {
                let subject = url.query_pairs().find(|(name, _)| name == "sub")?.1;
                let issuer = url.query_pairs().find(|(name, _)| name == "iss");
                let issuer = issuer.map(|(_, issuer)| issuer.into_owned());
                return superior
                    .statement_about(&subject, issuer.as_deref())
                    .unwrap()
                    .ok();
            }
            _ => return None,
        };
        Some(document.unwrap())
    }

    fn answer(&self, url: &str, document: Option<String>) -> Result<Fetched, FetchError> {
        let body = document.ok_or(FetchError {
            url: url.to_owned(),
            fact: FetchFact::Status { code: 404 },
        })?;
        Ok(Fetched {
            status: 200,
            content_type: Some("application/entity-statement+jwt".to_owned()),
            body: body.into_bytes(),
            final_url: url.to_owned(),
            elapsed_ms: 0,
        })
    }
}

impl Fetch for InProcess {
    fn get_in<'a>(&'a self, _: Lane, url: &'a str, _: &'a str) -> Fetching<'a> {
        Box::pin(async move { self.answer(url, self.document(url)) })
    }

    fn post_form<'a>(
        &'a self,
        url: &'a str,
        fields: &'a [(String, String)],
        _: &'a str,
    ) -> Fetching<'a> {
        Box::pin(async move {
            let mark = fields.iter().find(|(name, _)| name == "trust_mark");
            let anchor = self.0.trust_anchor();
            let status = mark.and_then(|(_, mark)| anchor.mark_status_response(mark).unwrap());
            self.answer(url, status)
        })
    }
}

fn settings(world: &World, status: TrustMarkStatus) -> TrustSettings {
    let id = |text: &str| EntityId::parse(text, true).unwrap();
    let federation = &world.federation;
    TrustSettings {
        issuer_entity_id: id(&world.provider.issuer),
        anchors: vec![TrustAnchor {
            id: id(federation.trust_anchor().entity_id()),
            pinned_keys: Some(KeySet::from_json(&federation.jwks()).unwrap()),
        }],
        required_trust_marks: vec![federation.relying_party_mark_type()],
        trust_mark_status: status,
        leeway_seconds: 30,
        subject_leeway_seconds: 30,
        development: true,
        entity_type: "openid_relying_party".to_owned(),
    }
}

fn resolver(world: &World) -> Resolver {
    let fetch = Arc::new(InProcess(Arc::clone(&world.federation)));
    Resolver::new(fetch, world.clock.clone(), ResolutionLimits::default())
}

#[tokio::test]
async fn the_resolver_recognises_both_relying_parties() {
    // SPID/CIE FE-1 to FE-3, TM-2
    let world = world();
    let federation = &world.federation;
    for status in [TrustMarkStatus::Static, TrustMarkStatus::Dynamic] {
        for (relying_party, length) in [
            (federation.relying_party(), 3),
            (federation.aggregated_relying_party(), 4),
        ] {
            let subject = EntityId::parse(relying_party.entity_id(), true).unwrap();
            let resolved = resolver(&world)
                .resolve(&settings(&world, status), &subject, source(), None)
                .await
                .unwrap();
            assert_eq!(resolved.chain.len(), length);
            let metadata = &resolved.metadata["openid_relying_party"];
            assert_eq!(
                metadata["redirect_uris"],
                json!(relying_party.redirect_uris())
            );
            assert_eq!(metadata["jwks"], relying_party.protocol_metadata()["jwks"]);
        }
    }
}

#[tokio::test]
async fn the_resolver_refuses_a_revoked_mark_and_an_expelled_relying_party() {
    let world = world();
    let federation = &world.federation;
    let subject = EntityId::parse(federation.relying_party().entity_id(), true).unwrap();
    let mark_type = federation.relying_party_mark_type();
    let anchor = federation.trust_anchor();
    anchor.revoke_mark(&mark_type, subject.as_str());
    let dynamic = settings(&world, TrustMarkStatus::Dynamic);
    assert!(
        resolver(&world)
            .resolve(&dynamic, &subject, source(), None)
            .await
            .is_err()
    );
    let fixed = settings(&world, TrustMarkStatus::Static);
    assert!(
        resolver(&world)
            .resolve(&fixed, &subject, source(), None)
            .await
            .is_ok()
    );
    anchor.expel(subject.as_str());
    assert!(
        resolver(&world)
            .resolve(&fixed, &subject, source(), None)
            .await
            .is_err()
    );
}
