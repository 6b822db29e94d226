//! Passwords: argon2id (RFC 9106) with OWASP's parameters, in a queue that cannot grow without bound.

use crate::random;
use crate::secret::{self, Secret};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::BASE64_NOPAD;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// KiB, passes, lanes.
type Costs = (u32, u32, u32);
const OURS: Costs = (MEMORY_KIB, PASSES, LANES);
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// Imported hashes may cost more than ours, but no login may take a gigabyte or a minute.
const MOST_MEMORY_KIB: u32 = 262_144;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 16;
/// NIST SP 800-63B-4 §3.1.1: characters of a person's password that a second factor may join.
const LEAST_PASSWORD: usize = 8;
/// Longer ones are nobody's password.
const MOST_PASSWORD_BYTES: usize = 1024;
/// Logins that wait for each one that is being computed; together about two seconds.
const QUEUE_PER_CORE: usize = 64;

/// Why a password could not be hashed or compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many logins wait already: HTTP 503.
    #[error("too many logins at once")]
    Busy,
    /// Empty or longer than 1024 bytes.
    #[error("a password has 1 to 1024 bytes")]
    Length,
    /// Not a PHC string of argon2id version 19 within bounds.
    #[error(
        "not an argon2id hash ($argon2id$v=19$m=…,t=…,p=…$salt$hash) with at most 256 MiB and 16 passes"
    )]
    MalformedHash,
    /// argon2 refused.
    #[error("argon2: {0}")]
    Argon2(String),
}

/// Whether it is as long as a new password of a person has to be, whoever gives it. Files may bring shorter ones, which
/// people have already.
#[must_use]
pub fn is_long_enough(password: &str) -> bool {
    password.chars().count() >= LEAST_PASSWORD && password.len() <= MOST_PASSWORD_BYTES
}

/// Hashes a password; takes tens of milliseconds of one core: not on an async thread.
///
/// # Errors
/// `Length`, `Argon2`.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    hash_in(&mut Vec::new(), password)
}

fn hash_in(memory: &mut Vec<Block>, password: &str) -> Result<String, PasswordError> {
    if password.is_empty() || password.len() > MOST_PASSWORD_BYTES {
        return Err(PasswordError::Length);
    }
    let salt = random::bytes::<SALT_BYTES>();
    let mut hash = [0; HASH_BYTES];
    compute(memory, OURS, (password.as_bytes(), &salt), &mut hash)?;
    Ok(format!(
        "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
        BASE64_NOPAD.encode(&salt),
        BASE64_NOPAD.encode(&hash)
    ))
}

/// Whether a password is that of a hash. Without one (nobody of that name, or no password login) it takes the time of
/// our own hashes and answers no. Not on an async thread.
///
/// # Errors
/// `MalformedHash` (after the same time), `Argon2`.
pub fn verify_password(hash: Option<&str>, password: &str) -> Result<bool, PasswordError> {
    verify_in(&mut Vec::new(), hash, password)
}

fn verify_in(
    memory: &mut Vec<Block>,
    hash: Option<&str>,
    password: &str,
) -> Result<bool, PasswordError> {
    let parsed = hash.map(Phc::parse).transpose();
    let stored = match &parsed {
        Ok(Some(stored)) if password.len() <= MOST_PASSWORD_BYTES => stored,
        _ => &Phc {
            costs: OURS,
            salt: vec![0; SALT_BYTES],
            hash: vec![0; HASH_BYTES],
        },
    };
    let mut found = vec![0; stored.hash.len()];
    let bounded = password
        .as_bytes()
        .get(..password.len().min(MOST_PASSWORD_BYTES))
        .unwrap_or_default();
    compute(memory, stored.costs, (bounded, &stored.salt), &mut found)?;
    let equal = secret::equal(&found, &stored.hash);
    let real = parsed?.is_some() && password.len() <= MOST_PASSWORD_BYTES;
    Ok(equal && real)
}

/// Whether text is a hash that [`verify_password`] accepts.
///
/// # Errors
/// `MalformedHash`.
pub fn check_hash(hash: &str) -> Result<(), PasswordError> {
    Phc::parse(hash).map(|_| ())
}

struct Phc {
    costs: Costs,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Phc {
    fn parse(text: &str) -> Result<Self, PasswordError> {
        Self::read(text).ok_or(PasswordError::MalformedHash)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let mut costs = parts.next()?.split(',');
        let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse::<u32>().ok();
        let costs = (cost("m=")?, cost("t=")?, cost("p=")?);
        let salt = BASE64_NOPAD.decode(parts.next()?.as_bytes()).ok()?;
        let hash = BASE64_NOPAD.decode(parts.next()?.as_bytes()).ok()?;
        let within = costs.0 <= MOST_MEMORY_KIB
            && (1..=MOST_PASSES).contains(&costs.1)
            && (1..=MOST_LANES).contains(&costs.2)
            && costs.0 >= costs.2.saturating_mul(8)
            && (8..=64).contains(&salt.len())
            && (16..=64).contains(&hash.len())
            && parts.next().is_none();
        within.then_some(Self { costs, salt, hash })
    }
}

fn compute(
    memory: &mut Vec<Block>,
    (memory_kib, passes, lanes): Costs,
    (password, salt): (&[u8], &[u8]),
    out: &mut [u8],
) -> Result<(), PasswordError> {
    let failed = |error: argon2::Error| PasswordError::Argon2(error.to_string());
    let params = Params::new(memory_kib, passes, lanes, Some(out.len())).map_err(failed)?;
    memory.resize(params.block_count(), Block::default());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password, salt, out, memory)
        .map_err(failed)
}

/// The memory of hashes that are done, for those to come. Left to the allocator, every thread that ever hashed would
/// keep 19 MiB.
#[derive(Default)]
struct Memories(Mutex<Vec<Vec<Block>>>);

impl Memories {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<Block>) -> T) -> T {
        let mut memory = self.lock().pop().unwrap_or_default();
        let result = work(&mut memory);
        // An imported hash may have needed more than all others ever will.
        if memory.len() <= usize::try_from(MEMORY_KIB).unwrap_or_default() {
            self.lock().push(memory);
        }
        result
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Memories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memories").finish_non_exhaustive()
    }
}

/// The queue: as many hashes at once as there are cores, each 19 MiB; a bounded number waits; the rest is told so at once.
#[derive(Clone, Debug)]
pub struct PasswordHasher {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    memories: Arc<Memories>,
}

impl Default for PasswordHasher {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::new(cores, cores.saturating_mul(QUEUE_PER_CORE))
    }
}

impl PasswordHasher {
    /// At most `running` at once, and `waiting` behind them.
    #[must_use]
    pub fn new(running: usize, waiting: usize) -> Self {
        let running = running.clamp(1, 1024);
        Self {
            running: Arc::new(Semaphore::new(running)),
            admitted: Arc::new(Semaphore::new(running.saturating_add(waiting.min(1 << 20)))),
            memories: Arc::default(),
        }
    }

    /// As [`verify_password`], queued.
    ///
    /// # Errors
    /// `Busy`, and those of [`verify_password`].
    pub async fn verify(
        &self,
        hash: Option<String>,
        password: Secret<String>,
    ) -> Result<bool, PasswordError> {
        self.run(move |memory| verify_in(memory, hash.as_deref(), password.expose()))
            .await
    }

    /// As [`hash_password`], queued.
    ///
    /// # Errors
    /// `Busy`, and those of [`hash_password`].
    pub async fn hash(&self, password: Secret<String>) -> Result<String, PasswordError> {
        self.run(move |memory| hash_in(memory, password.expose()))
            .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = self
            .admitted
            .clone()
            .try_acquire_owned()
            .map_err(|_| PasswordError::Busy)?;
        let turn = self
            .running
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| PasswordError::Busy)?;
        let memories = self.memories.clone();
        // The permits go with the work: a browser that gives up frees its place only when the hash is done.
        tokio::task::spawn_blocking(move || {
            let result = memories.with(work);
            drop((turn, place));
            result
        })
        .await
        .unwrap_or_else(|error| Err(PasswordError::Argon2(error.to_string())))
    }
}
