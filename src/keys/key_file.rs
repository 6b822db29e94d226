//! The key-encryption key: from `VARCO_KEY`, or from a file that only its owner reads.

use super::KeyError;
use crate::config::ServerSettings;
use crate::jose::KeyEncryptionKey;
use std::io::Write;
use std::path::Path;
use zeroize::Zeroizing;

/// A key file is one line.
const MOST_BYTES: u64 = 4096;

/// The key-encryption key of a configuration.
///
/// # Errors
/// `NoKeyFile`, `KeyFile`, `NoKey`.
pub fn load_key(settings: &ServerSettings) -> Result<KeyEncryptionKey, KeyError> {
    if let Some(key) = &settings.key {
        return KeyEncryptionKey::parse(key.expose())
            .map_err(|_| KeyError::NoKey("VARCO_KEY".to_owned()));
    }
    let file = &settings.key_file;
    let shown = file.display().to_string();
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => KeyError::NoKeyFile(shown.clone()),
        _ => KeyError::KeyFile {
            file: shown.clone(),
            reason: error.to_string(),
        },
    };
    let about = std::fs::metadata(file).map_err(unreadable)?;
    if about.len() > MOST_BYTES {
        return Err(KeyError::NoKey(shown));
    }
    warn_when_others_read(file, &about);
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(unreadable)?);
    KeyEncryptionKey::parse(&text).map_err(|_| KeyError::NoKey(shown))
}

/// Makes the key file unless there is one (or `VARCO_KEY`); whether it was made. Only its owner can read it.
///
/// # Errors
/// `KeyFile`.
pub fn make_key_file(settings: &ServerSettings) -> Result<bool, KeyError> {
    if settings.key.is_some() {
        return Ok(false);
    }
    let file = &settings.key_file;
    let failed = |error: std::io::Error| KeyError::KeyFile {
        file: file.display().to_string(),
        reason: error.to_string(),
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = match options.open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(failed(error)),
    };
    let text = KeyEncryptionKey::generate().to_text();
    opened
        .write_all(text.expose().as_bytes())
        .and_then(|()| opened.write_all(b"\n"))
        .and_then(|()| opened.sync_all())
        .map_err(failed)?;
    Ok(true)
}

#[cfg(unix)]
fn warn_when_others_read(file: &Path, about: &std::fs::Metadata) {
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 {
        log::warn!(
            "the key file {} can be read by other users of this machine: chmod 600",
            file.display()
        );
    }
}

#[cfg(not(unix))]
fn warn_when_others_read(_: &Path, _: &std::fs::Metadata) {}
