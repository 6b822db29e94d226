//! What a key signs to prove that it is there.

use super::super::second_factor::Keys;
use super::{HANDLE_BYTES, SEEN_BYTES, descriptor, handle, keep, rp_id, seen, usable};
use crate::endpoint::quote;
use crate::model::{AccountId, Authenticator, KeyCredential, Method};
use crate::provider::Provider;
use crate::store::key_challenge::{self, KeyChallenge};
use crate::store::throttle::{self, Allowance};
use crate::store::{DbConn, StoreError, authenticator};
use data_encoding::BASE64URL_NOPAD;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::auth::{AllowedCredentials, AuthenticationVerificationOptions};
use webauthn_rp::request::{Credentials as _, UserVerificationRequirement};
use webauthn_rp::response::auth::error::AuthCeremonyErr;
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{Backup, CredentialId};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, NonDiscoverableAuthentication,
    NonDiscoverableAuthenticationServerState, NonDiscoverableCredentialRequestOptions,
};

/// WebAuthn §6.1: the flags of the authenticator data, and "user verified" in them.
const FLAGS_AT: usize = 32;
const USER_VERIFIED: u8 = 0b100;

type PublicKey = StaticState<CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>>;

/// What came of an answer of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChecked {
    /// Right, and its challenge and counter are spent.
    Proven {
        /// Whose key it is.
        account: AccountId,
        /// Whether the key verified who holds it.
        method: Method,
    },
    /// It answers nothing that was asked on this page, or is no key of this person.
    Wrong,
    /// Nothing is waited for any more.
    Expired,
    /// The key did not verify who holds it, or can be copied to other devices.
    NotVerified,
    /// Its counter went back: two devices have the same key.
    Copied,
    /// Too many attempts; this one was not judged.
    Throttled {
        /// Seconds to wait.
        seconds: i64,
    },
}

/// Asks for a key: one of this person, or (`None`) any that knows its person, who has to be verified then. What the page's
/// script needs; `None` where there is no such key.
///
/// # Errors
/// The database's.
pub fn ask(
    conn: &mut DbConn,
    op: &Provider,
    (account, place): (Option<&AccountId>, &str),
    method: Method,
) -> Result<Option<String>, StoreError> {
    let now = op.now();
    let all = match account {
        Some(account) => authenticator::search(conn, account, now)?,
        None => Vec::new(),
    };
    let Some(rp_id) = op.key_scope().and_then(|(host, _)| rp_id(&host)) else {
        return Ok(None);
    };
    let verification = if method == Method::VerifiedKey {
        UserVerificationRequirement::Required
    } else {
        UserVerificationRequirement::Discouraged
    };
    let any = || {
        let options = DiscoverableCredentialRequestOptions::passkey(&rp_id);
        let (server, client) = options.start_ceremony().ok()?;
        Some(KeyChallenge {
            state: server.encode().ok()?,
            options: serde_json::to_string(&client).ok()?,
        })
    };
    let own = || {
        let mut allowed = AllowedCredentials::with_capacity(all.len());
        for key in usable(op, &all) {
            allowed.push(descriptor(key)?.into());
        }
        let options = NonDiscoverableCredentialRequestOptions::second_factor(&rp_id, allowed);
        let mut options = options.ok()?;
        options.options().user_verification = verification;
        let (server, client) = options.start_ceremony().ok()?;
        Some(KeyChallenge {
            state: server.encode().ok()?,
            options: serde_json::to_string(&client).ok()?,
        })
    };
    let made = if account.is_some() { own() } else { any() };
    keep(conn, place, made, now)
}

/// Judges the answer of a key to what [`ask`] asked at this place. What it writes (the spent challenge, the counter) has
/// to be committed whatever it says.
///
/// # Errors
/// The database's.
pub fn check(
    conn: &mut DbConn,
    op: &Provider,
    (account, place): (Option<&AccountId>, &str),
    (method, answer): (Method, &str),
) -> Result<KeyChecked, StoreError> {
    let now = op.now();
    if let Some(account) = account
        && let Some(seconds) = reserve(conn, op, account)?
    {
        return Ok(KeyChecked::Throttled { seconds });
    }
    let Some(challenge) = key_challenge::redeem(conn, place, now)? else {
        return Ok(KeyChecked::Expired);
    };
    let Some(answer) = Answer::parse(answer, account.is_some()) else {
        return Ok(KeyChecked::Wrong);
    };
    let found = authenticator::find_by_credential(conn, &answer.credential_id())?;
    let known = found.filter(|known| account.is_none_or(|account| known.account == *account));
    let Some((known, credential)) = known.and_then(|known| {
        let credential = known.key.clone()?;
        Some((known, credential))
    }) else {
        return Ok(KeyChecked::Wrong);
    };
    if account.is_none()
        && let Some(seconds) = reserve(conn, op, &known.account)?
    {
        return Ok(KeyChecked::Throttled { seconds });
    }
    let before = known.last_step.unwrap_or_default();
    let seen = match answer.verify(op, &challenge.state, (&known, &credential)) {
        Ok(seen) => seen,
        Err(refused) => {
            log::warn!(
                "event=security_key.refused account={} reason={}",
                known.account,
                quote(&refused)
            );
            return Ok(refused.checked());
        }
    };
    let verified = answer.is_verified() && seen.backup == Backup::NotEligible;
    if method == Method::VerifiedKey && !verified {
        return Ok(KeyChecked::NotVerified);
    }
    let after = i64::from(seen.sign_count);
    if !authenticator::count(conn, &known.id, (before, after), now)? {
        return Ok(KeyChecked::Copied);
    }
    let keys = Keys::new(&known.account, Method::SecurityKey);
    throttle::clear(conn, &keys.short)?;
    Ok(KeyChecked::Proven {
        account: known.account,
        method: if verified {
            Method::VerifiedKey
        } else {
            Method::SecurityKey
        },
    })
}

/// Counts an attempt by its person. Nobody guesses a signature; the limit is for the processor. Where nobody has said who
/// they are, the one whose key is named: the caller counts by address too.
fn reserve(
    conn: &mut DbConn,
    op: &Provider,
    account: &AccountId,
) -> Result<Option<i64>, StoreError> {
    let now = op.now();
    let limit = Allowance::per_minute(op.shared.server.throttle.per_account_per_minute);
    let keys = Keys::new(account, Method::SecurityKey);
    let until = throttle::reserve(conn, &keys.short, now, limit)?;
    Ok(until.map(|until| until.seconds_since(now).max(1)))
}

/// Why the answer of a known key does not count.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("what is kept of the key, or of the challenge, cannot be read")]
    Unreadable,
    #[error("{0}")]
    Ceremony(AuthCeremonyErr),
}

impl Refused {
    fn checked(&self) -> KeyChecked {
        match self {
            Self::Ceremony(AuthCeremonyErr::SignatureCounter) => KeyChecked::Copied,
            Self::Ceremony(AuthCeremonyErr::UserNotVerified) => KeyChecked::NotVerified,
            Self::Ceremony(AuthCeremonyErr::Timeout) => KeyChecked::Expired,
            Self::Ceremony(_) | Self::Unreadable => KeyChecked::Wrong,
        }
    }
}

/// What a key answered.
enum Answer {
    /// To who is known already.
    Own(NonDiscoverableAuthentication<HANDLE_BYTES>),
    /// With the name of its person.
    Any(DiscoverableAuthentication<HANDLE_BYTES>),
}

impl Answer {
    fn parse(text: &str, person_is_known: bool) -> Option<Self> {
        let bytes = text.as_bytes();
        if person_is_known {
            let answer = NonDiscoverableAuthentication::from_json_relaxed(bytes);
            answer.ok().map(Self::Own)
        } else {
            let answer = DiscoverableAuthentication::from_json_relaxed(bytes);
            answer.ok().map(Self::Any)
        }
    }

    fn credential_id(&self) -> String {
        match self {
            Self::Own(answer) => BASE64URL_NOPAD.encode(answer.raw_id().as_ref()),
            Self::Any(answer) => BASE64URL_NOPAD.encode(answer.raw_id().as_ref()),
        }
    }

    fn is_verified(&self) -> bool {
        let data = match self {
            Self::Own(answer) => answer.response().authenticator_data(),
            Self::Any(answer) => answer.response().authenticator_data(),
        };
        data.get(FLAGS_AT)
            .is_some_and(|flags| flags & USER_VERIFIED != 0)
    }

    /// The state of the key after a right answer.
    fn verify(
        &self,
        op: &Provider,
        state: &[u8],
        (known, credential): (&Authenticator, &KeyCredential),
    ) -> Result<DynamicState, Refused> {
        let (host, origin) = op.key_scope().ok_or(Refused::Unreadable)?;
        let rp_id = rp_id(&host).ok_or(Refused::Unreadable)?;
        let handle = handle(&known.account).ok_or(Refused::Unreadable)?;
        let id = BASE64URL_NOPAD.decode(credential.credential_id.as_bytes());
        let id = id.map_err(|_| Refused::Unreadable)?;
        let id = CredentialId::<&[u8]>::decode(&id).map_err(|_| Refused::Unreadable)?;
        let mut seen = seen(&credential.public_key).ok_or(Refused::Unreadable)?;
        let counter = known.last_step.unwrap_or_default();
        seen.sign_count = u32::try_from(counter).map_err(|_| Refused::Unreadable)?;
        let public_key = credential.public_key.get(1 + SEEN_BYTES..);
        let public_key = PublicKey::decode(public_key.unwrap_or_default());
        let public_key = public_key.map_err(|_| Refused::Unreadable)?;
        let stored = AuthenticatedCredential::new(id, &handle, public_key, seen);
        let mut stored = stored.map_err(|_| Refused::Unreadable)?;
        let origins = [origin.as_str()];
        let options = AuthenticationVerificationOptions::<'_, '_, &str, &str> {
            allowed_origins: &origins,
            error_on_unsolicited_extensions: false,
            ..Default::default()
        };
        match self {
            Self::Own(answer) => NonDiscoverableAuthenticationServerState::decode(state)
                .map_err(|_| Refused::Unreadable)?
                .verify(&rp_id, answer, &mut stored, &options),
            Self::Any(answer) => DiscoverableAuthenticationServerState::decode(state)
                .map_err(|_| Refused::Unreadable)?
                .verify(&rp_id, answer, &mut stored, &options),
        }
        .map_err(Refused::Ceremony)?;
        Ok(stored.dynamic_state())
    }
}
