//! The private keys of the demonstration's entities, kept in files between runs.

use super::DemoError;
use super::private_file::write_private;
use crate::jose::{KeyKind, PrivateKey};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::OnceLock;

/// The keys of a relying party: those of the federation differ from those of the protocol (SPID/CIE AL-6).
#[derive(Clone, Debug)]
pub struct RelyingPartyKeys {
    /// Signs the entity configuration.
    pub federation: PrivateKey,
    /// Signs request objects and client assertions.
    pub signing: PrivateKey,
    /// Decrypts userinfo.
    pub encryption: PrivateKey,
}

/// All keys of the demonstration.
#[derive(Clone, Debug)]
pub struct DemoKeys {
    /// The trust anchor's federation key.
    pub trust_anchor: PrivateKey,
    /// The intermediate's federation key.
    pub intermediate: PrivateKey,
    /// Those of the relying party below the trust anchor: RSA.
    pub relying_party: RelyingPartyKeys,
    /// Those of the relying party below the intermediate: elliptic curves.
    pub aggregated_relying_party: RelyingPartyKeys,
}

const RSA: KeyKind = KeyKind::Rsa(2048);

impl DemoKeys {
    /// Reads the keys from `folder` (PKCS#8 files readable by their owner only); what misses is made. Some of the keys are
    /// RSA keys: not on an async thread.
    ///
    /// # Errors
    /// When a file cannot be read, written or understood.
    pub fn load_or_create(folder: &Path) -> Result<Self, DemoError> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| file_error(folder, &error.to_string()))?;
        Self::made_by(&|name, kind| load_or_create_key(&folder.join(format!("{name}.p8")), kind))
    }

    /// Keys for tests: elliptic curves where RSA is not needed, made once per process.
    ///
    /// # Errors
    /// When openssl cannot make a key.
    pub fn generate_fast() -> Result<Self, DemoError> {
        static KEYS: OnceLock<DemoKeys> = OnceLock::new();
        if let Some(keys) = KEYS.get() {
            return Ok(keys.clone());
        }
        let made = Self::made_by(&|name, kind| {
            let is_federation_key = !name.ends_with("signing") && !name.ends_with("encryption");
            let kind = if is_federation_key {
                KeyKind::P256
            } else {
                kind
            };
            Ok(PrivateKey::generate(kind)?)
        })?;
        Ok(KEYS.get_or_init(|| made).clone())
    }

    fn made_by(
        make: &dyn Fn(&str, KeyKind) -> Result<PrivateKey, DemoError>,
    ) -> Result<Self, DemoError> {
        let relying_party = |name: &str, protocol: KeyKind| {
            Ok::<_, DemoError>(RelyingPartyKeys {
                federation: make(&format!("{name}-federation"), RSA)?,
                signing: make(&format!("{name}-signing"), protocol)?,
                encryption: make(&format!("{name}-encryption"), protocol)?,
            })
        };
        Ok(Self {
            trust_anchor: make("trust-anchor", RSA)?,
            intermediate: make("intermediate", RSA)?,
            relying_party: relying_party("relying-party", RSA)?,
            aggregated_relying_party: relying_party("aggregated-relying-party", KeyKind::P256)?,
        })
    }
}

fn load_or_create_key(path: &Path, kind: KeyKind) -> Result<PrivateKey, DemoError> {
    match std::fs::read(path) {
        Ok(der) => {
            PrivateKey::from_pkcs8_der(&der).map_err(|error| file_error(path, &error.to_string()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = PrivateKey::generate(kind)?;
            write_key(path, &key)?;
            Ok(key)
        }
        Err(error) => Err(file_error(path, &error.to_string())),
    }
}

fn write_key(path: &Path, key: &PrivateKey) -> Result<(), DemoError> {
    write_private(path, key.to_pkcs8_der()?.expose())
        .map_err(|error| file_error(path, &error.to_string()))
}

fn file_error(path: &Path, reason: &str) -> DemoError {
    DemoError::KeyFile {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_kept_between_runs_and_readable_by_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("keys");
        let first = DemoKeys::load_or_create(&folder).unwrap();
        let second = DemoKeys::load_or_create(&folder).unwrap();
        assert_eq!(first.trust_anchor.kid(), second.trust_anchor.kid());
        assert_eq!(
            first.aggregated_relying_party.encryption.kid(),
            second.aggregated_relying_party.encryption.kid()
        );
        let mut files = 0;
        for entry in std::fs::read_dir(&folder).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            files += 1;
        }
        assert_eq!(files, 8);
    }

    #[test]
    fn a_damaged_key_file_is_named_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trust-anchor.p8");
        std::fs::write(&path, b"not a key").unwrap();
        let error = DemoKeys::load_or_create(folder.path()).unwrap_err();
        assert!(error.to_string().contains("trust-anchor.p8"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"not a key");
    }
}
