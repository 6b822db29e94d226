use super::*;
use crate::clock::UtcTime;
use crate::config::{Environment, ServerSettings, parse};
use crate::jose::SignatureAlgorithm;
use std::path::Path;

const ISSUER: &str = "https://login.example.it/spid";
const DAY: i64 = 86_400;
const START: UtcTime = UtcTime(1_800_000_000);

struct World {
    folder: tempfile::TempDir,
    settings: ServerSettings,
    store: Store,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let store = Store::open(&settings.database(true)).unwrap();
        Self {
            folder,
            settings,
            store,
        }
    }

    fn initialised() -> Self {
        let world = Self::new();
        init(&world.store, &world.settings, START).unwrap();
        world
    }

    fn issuer(&self) -> &IssuerSettings {
        &self.settings.issuers[0]
    }

    fn key(&self) -> KeyEncryptionKey {
        load_key(&self.settings).unwrap()
    }

    fn rings(&self, now: UtcTime) -> Rings {
        load_rings(&self.store, &self.key(), &IssuerId::new(ISSUER), now).unwrap()
    }

    fn signer(&self, now: UtcTime) -> String {
        let rings = self.rings(now);
        let key = rings.protocol.signing_key(SignatureAlgorithm::Es256);
        key.unwrap().kid().to_owned()
    }

    fn federation_signer(&self, now: UtcTime) -> String {
        let rings = self.rings(now);
        let key = rings.federation.signing_key(SignatureAlgorithm::Es256);
        key.unwrap().kid().to_owned()
    }

    fn rotate(&self, ring: RingName, immediately: bool, now: UtcTime) -> Vec<Change> {
        let when = match immediately {
            true => When::Immediately,
            false => When::Soonest,
        };
        self.rotate_when(ring, when, now)
    }

    fn rotate_when(&self, ring: RingName, when: When, now: UtcTime) -> Vec<Change> {
        let whose = (self.issuer(), &self.key());
        rotate(&self.store, whose, (ring, when), now, |_, _| Ok(())).unwrap()
    }

    fn retire(&self, kid: &str, immediately: bool, now: UtcTime) -> Result<Change, KeyError> {
        let how = (kid, immediately);
        retire(&self.store, self.issuer(), how, now, |_, _| Ok(()))
    }
}

fn settings(folder: &Path) -> ServerSettings {
    let text = format!(
        "[[issuer]]\nid = \"{ISSUER}\"\nfederation_signing_alg = \"ES256\"\npairwise_salt = \"zLhUyYd0uPfjGWBaT7m3QeKx\"\n"
    );
    parse(&text, folder, &Environment::default()).unwrap()
}

fn verifies(rings: &Rings, kid: &str) -> bool {
    rings.protocol.verification_keys().find(kid).is_some()
}

#[test]
fn init_makes_the_key_file_for_its_owner_only_and_every_key_once() {
    let world = World::new();
    let made = init(&world.store, &world.settings, START).unwrap();
    assert!(made.iter().any(|key| key.ring == RingName::Federation));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let about = std::fs::metadata(&world.settings.key_file).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
    }
    assert!(
        init(&world.store, &world.settings, START)
            .unwrap()
            .is_empty()
    );
    require_keys(world.issuer(), &world.rings(START)).unwrap();
}

#[test]
fn an_issuer_without_keys_is_told_what_to_run() {
    let world = World::new();
    make_key_file(&world.settings).unwrap();
    let error = require_keys(world.issuer(), &world.rings(START)).unwrap_err();
    assert!(error.to_string().contains("varco keys init"));
}

#[test]
fn a_protocol_key_is_published_before_it_signs_and_verifies_until_the_last_token_ends() {
    let world = World::initialised();
    let old = world.signer(START);
    let before = world.rings(START).version;
    world.rotate(RingName::Protocol, false, START);
    let rings = world.rings(START);
    assert!(rings.version > before);
    assert_eq!(rings.next_change, Some(START.plus_seconds(DAY)));
    assert_eq!(world.signer(START.plus_seconds(DAY - 1)), old);
    let new = world.signer(START.plus_seconds(DAY));
    assert_ne!(new, old);
    assert!(verifies(&rings, &new), "published at once");
    assert!(rings.protocol.published_jwks().to_string().contains(&new));
    let last_token = DAY + 30 * DAY;
    assert!(verifies(&world.rings(START.plus_seconds(last_token)), &old));
    assert!(!verifies(
        &world.rings(START.plus_seconds(last_token + DAY)),
        &old
    ));
}

#[test]
fn in_an_emergency_a_new_key_signs_at_once_even_during_a_rotation() {
    let world = World::initialised();
    let old = world.signer(START);
    world.rotate(RingName::Protocol, false, START);
    assert_eq!(world.signer(START), old);
    world.rotate(RingName::Protocol, true, START);
    assert_ne!(world.signer(START), old);
    assert!(verifies(&world.rings(START), &old));
    world.retire(&old, true, START).unwrap();
    assert!(!verifies(&world.rings(START), &old));
}

#[test]
fn what_was_encrypted_to_an_old_key_can_still_be_read() {
    let world = World::initialised();
    let before = world.rings(START).protocol.decryption_keys().len();
    world.rotate(RingName::Protocol, false, START);
    assert_eq!(
        world.rings(START).protocol.decryption_keys().len(),
        2 * before
    );
}

#[test]
fn a_federation_key_signs_only_after_the_operator_says_that_it_is_attested() {
    let world = World::initialised();
    let old = world.federation_signer(START);
    let made = world.rotate(RingName::Federation, false, START);
    assert_eq!(made[0].at, UNSCHEDULED);
    let later = START.plus_seconds(100 * DAY);
    assert_eq!(world.federation_signer(later), old);
    let jwks = world.rings(later).federation.published_jwks().to_string();
    assert!(jwks.contains(&made[0].kid), "the superior can fetch it");
    world.rotate(RingName::Federation, false, later);
    assert_eq!(world.federation_signer(later), made[0].kid);
    let end = world.rings(later.plus_seconds(3 * DAY));
    assert_eq!(end.historical.len(), 1);
    assert_eq!(end.historical[0].kid, old);
}

#[test]
fn the_only_key_of_its_kind_is_not_retired() {
    let world = World::initialised();
    let kid = world.signer(START);
    let refused = world.retire(&kid, false, START);
    assert!(matches!(refused, Err(KeyError::LastOfItsKind { .. })));
    let unknown = world.retire("nothing", false, START);
    assert!(matches!(unknown, Err(KeyError::Unknown { .. })));
}

#[test]
fn a_generated_key_waits_and_is_taken_by_the_next_rotation() {
    let world = World::initialised();
    let what = (RingName::Protocol, KeyKind::P256, KeyUse::Signature);
    let whose = (world.issuer(), &world.key());
    let made = generate(&world.store, whose, what, START, |_, _| Ok(())).unwrap();
    let later = START.plus_seconds(2 * DAY);
    assert_ne!(world.signer(later), made.kid);
    world.rotate(RingName::Protocol, false, later);
    assert_eq!(
        world.signer(later),
        made.kid,
        "it was published long enough"
    );
}

#[test]
fn another_key_file_is_named_and_a_lost_one_is_not_silently_replaced() {
    let world = World::initialised();
    let old = world.signer(START);
    let file = &world.settings.key_file;
    let kept = std::fs::read(file).unwrap();
    std::fs::remove_file(file).unwrap();
    let lost = init(&world.store, &world.settings, START).unwrap_err();
    assert!(matches!(lost, KeyError::NoKeyFile(_)));
    assert!(lost.to_string().contains("--replace-lost"));
    make_key_file(&world.settings).unwrap();
    let wrong = init(&world.store, &world.settings, START).unwrap_err();
    assert!(wrong.to_string().contains("is not the one"), "{wrong}");
    std::fs::write(file, kept).unwrap();
    assert_eq!(world.signer(START), old);
    std::fs::write(file, "no key").unwrap();
    let broken = load_key(&world.settings).unwrap_err();
    assert!(matches!(broken, KeyError::NoKey(_)));
    std::fs::remove_file(file).unwrap();
    replace_lost(&world.store, &world.settings, START).unwrap();
    assert_ne!(world.signer(START), old);
    assert!(world.folder.path().join("varco.key").exists());
}

#[test]
fn the_key_may_come_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.key = Some(KeyEncryptionKey::generate().to_text());
    assert!(!make_key_file(&settings).unwrap());
    load_key(&settings).unwrap();
    assert!(!settings.key_file.exists());
}

#[test]
fn a_rotation_at_a_chosen_time_waits_for_it_and_is_never_earlier_than_the_publication_allows() {
    for (days, signs_after) in [(0, 1), (10, 10)] {
        let world = World::initialised();
        let old = world.signer(START);
        let chosen = START.plus_seconds(days * DAY);
        world.rotate_when(RingName::Protocol, When::At(chosen), START);
        let lifetime = world.issuer().lifetimes.entity_configuration;
        let signs = START.plus_seconds((signs_after * DAY).max(lifetime));
        let before = UtcTime(signs.0.max(chosen.0) - 1);
        assert_eq!(world.signer(before), old);
        assert_ne!(world.signer(before.plus_seconds(1)), old);
        // The successor cannot be taken away: the old key stops at that time.
        let new = world.signer(before.plus_seconds(1));
        let refused = world.retire(&new, false, START);
        assert!(matches!(refused, Err(KeyError::LastOfItsKind { .. })));
    }
}

#[test]
fn a_rotation_that_cannot_be_told_of_did_not_happen() {
    let world = World::initialised();
    let old = world.signer(START);
    let whose = (world.issuer(), &world.key());
    let how = (RingName::Protocol, When::Immediately);
    let failed = rotate(&world.store, whose, how, START, |_, _| {
        Err(StoreError::Migration("the trail is full".to_owned()))
    });
    assert!(failed.is_err());
    assert_eq!(world.signer(START), old);
}
