//! The static files: embedded in the binary, read once, addressed with a hash of their content.

use super::PageError;
use crate::secret::sha256;
use data_encoding::BASE64URL_NOPAD;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// Where the handlers serve [`Assets`], at the host root.
pub const STATIC_PATH: &str = "/static/";

/// Folders of an override that are descended into.
const MAX_FOLDER_DEPTH: usize = 8;

#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/static"]
struct StaticFiles;

/// One static file.
#[derive(Clone, Debug)]
pub struct Asset {
    /// The content.
    pub bytes: Cow<'static, [u8]>,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `ETag`, in its quotes; strong.
    pub etag: String,
    version: String,
}

impl Asset {
    pub(super) fn new(path: &str, bytes: Cow<'static, [u8]>) -> Self {
        let hash = BASE64URL_NOPAD.encode(&sha256(&bytes));
        let version: String = hash.chars().take(16).collect();
        Self {
            bytes,
            content_type: content_type(path),
            etag: format!("\"{version}\""),
            version,
        }
    }

    /// The hash of the content that stands in its URL.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether `version`, the `v` of a request's query, names this very content: then the answer never changes
    /// (`Cache-Control: public, max-age=31536000, immutable`).
    #[must_use]
    pub fn is_version(&self, version: &str) -> bool {
        self.version == version
    }
}

/// All static files, by path below [`STATIC_PATH`] (`varco.css`). A look-up is an exact comparison with the names that
/// exist, so that no request can leave the folder.
#[derive(Clone, Debug)]
pub struct Assets(BTreeMap<String, Asset>);

impl Assets {
    /// The embedded files, and those of the folder, which win.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn load(override_folder: Option<&Path>) -> Result<Self, PageError> {
        let mut files = BTreeMap::new();
        for path in StaticFiles::iter() {
            if let Some(file) = StaticFiles::get(&path) {
                files.insert(path.to_string(), Asset::new(&path, file.data));
            }
        }
        if let Some(folder) = override_folder {
            for (path, bytes) in read_folder(folder)? {
                let asset = Asset::new(&path, Cow::Owned(bytes));
                files.insert(path, asset);
            }
        }
        Ok(Self(files))
    }

    /// The file at this path below [`STATIC_PATH`].
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Asset> {
        self.0.get(path)
    }

    /// `/static/varco.css?v=…`; `None` when there is no such file.
    #[must_use]
    pub fn url(&self, path: &str) -> Option<String> {
        let version = &self.get(path)?.version;
        Some(format!("{STATIC_PATH}{path}?v={version}"))
    }

    /// The paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The files below a folder, by their path in it with `/` between parts; symbolic links to folders are not followed.
pub(super) fn read_folder(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, PageError> {
    let mut found = Vec::new();
    let mut waiting = vec![(folder.to_owned(), String::new(), 0_usize)];
    while let Some((folder, prefix, depth)) = waiting.pop() {
        let failed = |source| PageError::Folder {
            path: folder.clone(),
            source,
        };
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = format!("{prefix}{name}");
            if entry.file_type().map_err(failed)?.is_dir() {
                if depth < MAX_FOLDER_DEPTH {
                    waiting.push((entry.path(), format!("{path}/"), depth + 1));
                }
            } else {
                found.push((path, std::fs::read(entry.path()).map_err(failed)?));
            }
        }
    }
    Ok(found)
}

fn content_type(path: &str) -> &'static str {
    match mime_guess::from_path(path).first_raw() {
        Some("text/css") => "text/css; charset=utf-8",
        Some("text/javascript" | "application/javascript") => "text/javascript; charset=utf-8",
        Some("text/plain") => "text/plain; charset=utf-8",
        // The licences that come with third-party files have no extension.
        None => "text/plain; charset=utf-8",
        Some(other) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_their_exact_name_only() {
        let assets = Assets::load(None).unwrap();
        let css = assets.get("varco.css").unwrap();
        assert_eq!(css.content_type, "text/css; charset=utf-8");
        assert!(
            assets
                .url("varco.css")
                .unwrap()
                .starts_with("/static/varco.css?v=")
        );
        assert!(css.is_version(css.etag.trim_matches('"')));
        for path in [
            "",
            "../Cargo.toml",
            "/etc/passwd",
            "./varco.css",
            "VARCO.CSS",
            "varco.css\0",
            "vendor",
        ] {
            assert!(assets.get(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_folder_overrides_files_and_adds_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("brand")).unwrap();
        std::fs::write(folder.path().join("varco.css"), "body{}").unwrap();
        std::fs::write(folder.path().join("brand/own.svg"), "<svg/>").unwrap();
        let own = Assets::load(Some(folder.path())).unwrap();
        assert_eq!(own.get("varco.css").unwrap().bytes.as_ref(), b"body{}");
        assert_eq!(
            own.get("brand/own.svg").unwrap().content_type,
            "image/svg+xml"
        );
        let embedded = Assets::load(None).unwrap();
        assert_ne!(own.url("varco.css"), embedded.url("varco.css"));
        assert!(Assets::load(Some(&folder.path().join("absent"))).is_err());
    }

    #[test]
    fn every_file_that_the_style_sheets_name_exists() {
        let assets = Assets::load(None).unwrap();
        let css = String::from_utf8(assets.get("varco.css").unwrap().bytes.to_vec()).unwrap();
        let mut urls = 0;
        for rest in css.split("url(").skip(1) {
            let url = rest.split(')').next().unwrap().trim_matches(['"', '\'']);
            assert!(assets.get(url).is_some(), "{url}");
            urls += 1;
        }
        assert!(urls > 3);
    }
}
