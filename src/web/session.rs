//! Sessions in the database through actix-session: its map holds one opaque id, the facts are typed rows.

use crate::clock::Clock;
use crate::endpoint::quote;
use crate::model::{SecretHash, SessionId};
use crate::provider::{Provider, Shared};
use crate::random;
use crate::secret;
use crate::store::purge::SESSION_GRACE_SECONDS;
use crate::store::{Store, StoreError, web_session};
use crate::ui::desk;
use actix_session::config::{CookieContentSecurity, PersistentSession};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Key, SameSite};
use std::collections::HashMap;
use std::sync::Arc;

/// The only key of the map.
const SESSION: &str = "session";
/// Stands in the map instead when the database could not be asked, so that the page can say so in the visitor's language:
/// an error here would reach the browser as JSON.
const UNAVAILABLE: &str = "unavailable";

/// The table of browser sessions.
#[derive(Clone)]
pub(super) struct DatabaseSessions {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl DatabaseSessions {
    fn expiry(&self, ttl: Duration) -> crate::clock::UtcTime {
        self.clock.now().plus_seconds(ttl.whole_seconds())
    }
}

fn hash(key: &SessionKey) -> SecretHash {
    SecretHash::of(key.as_ref())
}

impl SessionStore for DatabaseSessions {
    async fn load(
        &self,
        session_key: &SessionKey,
    ) -> Result<Option<HashMap<String, String>>, LoadError> {
        let (key, now) = (hash(session_key), self.clock.now());
        let found = match self
            .store
            .read(move |connection| web_session::find(connection, &key, now))
            .await
        {
            Ok(found) => found,
            Err(error) => {
                let error: StoreError = error;
                log::error!("event=session.unreadable reason={}", quote(error));
                return Ok(Some(HashMap::from([(
                    UNAVAILABLE.to_owned(),
                    "true".to_owned(),
                )])));
            }
        };
        // A state that cannot be read is a session that is not there.
        Ok(found.and_then(|state| serde_json::from_str(&state).ok()))
    }

    async fn save(
        &self,
        session_state: HashMap<String, String>,
        ttl: &Duration,
    ) -> Result<SessionKey, SaveError> {
        let text = random::token();
        let key = SecretHash::of(&text);
        let expires_at = self.expiry(*ttl);
        let state = serde_json::to_string(&session_state)
            .map_err(|error| SaveError::Serialization(error.into()))?;
        self.store
            .write(move |tx| web_session::insert(tx, &key, &state, expires_at))
            .await
            .map_err(|error: StoreError| SaveError::Other(error.into()))?;
        SessionKey::try_from(text).map_err(|error| SaveError::Other(error.into()))
    }

    async fn update(
        &self,
        session_key: SessionKey,
        session_state: HashMap<String, String>,
        ttl: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        let key = hash(&session_key);
        let expires_at = self.expiry(*ttl);
        let state = serde_json::to_string(&session_state)
            .map_err(|error| UpdateError::Serialization(error.into()))?;
        let updated = self
            .store
            .write(move |tx| web_session::update(tx, &key, &state, expires_at))
            .await
            .map_err(|error: StoreError| UpdateError::Other(error.into()))?;
        if updated {
            return Ok(session_key);
        }
        // Deleted meanwhile: a new key, never the old one again.
        self.save(session_state, ttl)
            .await
            .map_err(|error| match error {
                SaveError::Serialization(error) => UpdateError::Serialization(error),
                SaveError::Other(error) => UpdateError::Other(error),
            })
    }

    async fn update_ttl(
        &self,
        session_key: &SessionKey,
        ttl: &Duration,
    ) -> Result<(), anyhow::Error> {
        let (key, expires_at) = (hash(session_key), self.expiry(*ttl));
        self.store
            .write(move |tx| web_session::update_ttl(tx, &key, expires_at))
            .await
            .map(|_| ())
            .map_err(|error: StoreError| error.into())
    }

    async fn delete(&self, session_key: &SessionKey) -> Result<(), anyhow::Error> {
        let key = hash(session_key);
        self.store
            .write(move |tx| web_session::delete(tx, &key))
            .await
            .map_err(|error: StoreError| error.into())
    }
}

/// The middleware of one issuer's pages: its own cookie, so that issuers share no single sign-on.
pub(super) fn middleware(op: &Provider) -> SessionMiddleware<DatabaseSessions> {
    // The session itself ends in time: see `ui::draft` for what its cookie is good for afterwards.
    let lifetime = op.settings.lifetimes.session;
    let seconds = lifetime.saturating_add(SESSION_GRACE_SECONDS);
    build(&op.shared, op.cookie_name(), seconds)
}

/// The middleware of the desk.
pub(super) fn desk_middleware(shared: &Shared) -> SessionMiddleware<DatabaseSessions> {
    let name = desk::cookie_name(&shared.server);
    build(shared, name, desk::SESSION_SECONDS)
}

fn build(shared: &Shared, name: String, seconds: i64) -> SessionMiddleware<DatabaseSessions> {
    let store = DatabaseSessions {
        store: shared.store.clone(),
        clock: shared.clock.clone(),
    };
    SessionMiddleware::builder(store, cookie_key(shared))
        .cookie_name(name)
        .cookie_secure(!shared.server.development)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path("/".to_owned())
        .cookie_content_security(CookieContentSecurity::Signed)
        .session_lifecycle(PersistentSession::default().session_ttl(Duration::seconds(seconds)))
        .build()
}

/// The same on every node: derived of the key-encryption key.
fn cookie_key(shared: &Shared) -> Key {
    let text = shared.key_encryption_key.to_text();
    let half =
        |name: &str| secret::sha256(format!("varco cookie {name} {}", text.expose()).as_bytes());
    Key::from(&[half("sign"), half("verify")].concat())
}

/// The browser has a session, and the database could not be asked for it.
pub(super) struct Unavailable;

/// What the browser's session stands for.
///
/// # Errors
/// Nobody knows.
pub(super) fn current(session: &Session) -> Result<Option<SessionId>, Unavailable> {
    if session.contains_key(UNAVAILABLE) {
        return Err(Unavailable);
    }
    let id = session.get::<String>(SESSION).ok().flatten();
    Ok(id.map(SessionId::new))
}

/// After a login: the cookie changes, whatever it was (no session fixation).
pub(super) fn start(session: &Session, id: &SessionId) -> bool {
    session.renew();
    session.insert(SESSION, id.as_str()).is_ok()
}
