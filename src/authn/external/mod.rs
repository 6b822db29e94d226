//! The identity provider's own authentication service, for example its app: asked over HTTP, answering with signatures.
//!
//! ```text
//! browser                      Varco                                        service                    the person's app
//!   │ "confirm with the app"     │                                             │                             │
//!   ├──────────POST─────────────►│ begin: throttled, a number, a row           │                             │
//!   │◄── page: "number 47" ──────┤                                             │                             │
//!   │ poll (page or script)      │                                             │                             │
//!   ├───────────────────────────►│ ask: POST, signed request {txn, jti, …} ───►│ first of its txn: "log in   │
//!   │                            │   at most one under way, one a second       │ at RP? which number?" ─────►│
//!   │                            │◄── signed answer {nonce = jti, "pending"} ──┤                             │
//!   │◄── still waiting ──────────┤                                             │◄──────────── "yes, 47" ─────┤
//!   ├───────────────────────────►│ ask ───────────────────────────────────────►│                             │
//!   │                            │◄── {nonce, "approved", acr} ────────────────┤                             │
//!   │◄── changed: load the page ─┤ settle                                      │                             │
//!   ├───────────────────────────►│ redeem, once: the login goes on             │                             │
//! ```
//!
//! There is one message in each direction ([`protocol`]): the first request of a transaction begins it, every further one
//! asks what came of it. So a lost request or answer does no harm, and the service keeps nothing but its transactions.
//!
//! What is trusted: an answer that the service's pinned keys signed, to this very request (`nonce`), of this transaction,
//! person and issuer, at a level that is asked for and that the configuration allows. Everything else proves nothing: it
//! is written into the log, the page says that the service cannot be reached, and the person waits or goes another way.
//!
//! Alone (`levels_alone`) it is begun by whoever types a username. Nobody may learn by that which names exist, or who has
//! the app: the service is asked for an unknown name too, under an identifier that is nobody's, and a refusal looks like
//! silence until the time is over. A phone rings four times an hour for it, then less ([`begin_alone`]).
//!
//! Whoever knows a password can make the person's phone ring. So attempts are counted per person, refusals thrice, and
//! the number has to be recognised in the app: who did not begin the login does not see it.

pub mod protocol;

use crate::clock::UtcTime;
use crate::config::ExternalMethodSettings;
use crate::endpoint::quote;
use crate::model::{AccountId, ExternalLogin, ExternalState, ExternalTrouble, Interaction};
use crate::provider::Provider;
use crate::random;
use crate::store::throttle::{self, Allowance};
use crate::store::{DbConn, StoreError, external_login};
use protocol::{Question, Status};
use std::sync::Arc;
use std::time::Duration;

/// So long a page waits for the service, which has longer; an answer that comes later is written when it comes, for the next page.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longer than any request takes: a node that dies keeps nobody waiting for more.
const ASK_SECONDS: i64 = 8;
/// From an answer to the next request.
const REST_SECONDS: i64 = 1;

/// Attempts that nobody confirmed, within an hour. Whoever makes them knows the password, so that no stranger can shut
/// the owner out; the other methods have counts of their own.
const PROMPTS: Allowance = Allowance {
    attempts: 5,
    window_seconds: 3_600,
    first_block_seconds: 900,
    longest_block_seconds: 86_400,
};
/// Phones that ring for a name that a stranger may have typed, within an hour: those, the one that locks, and none until
/// the hour is over, or whoever waits for every block to end makes it ring six times. That shuts the owner out of this
/// method alone, which the page says; with the password, and by every other method, they log in all the same.
const PROMPTS_ALONE: Allowance = Allowance {
    attempts: 3,
    first_block_seconds: 3_600,
    ..PROMPTS
};
/// What a refusal in the app counts beside the attempt itself: a phone that rang for somebody else's login.
const REFUSAL_COUNTS: usize = 2;

/// What came of an attempt to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The service will be asked.
    Yes,
    /// Too many attempts: not before then.
    Locked {
        /// Until when.
        until: UtcTime,
    },
}

/// Whose confirmation a login waits for, and at which level.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The login.
    pub interaction: &'a Interaction,
    /// The person.
    pub account: &'a AccountId,
    /// The level to reach.
    pub level: &'a str,
}

/// Begins a transaction; the next poll asks the service. Counted before it is sent.
///
/// # Errors
/// The database's.
pub fn begin(
    conn: &mut DbConn,
    op: &Provider,
    method: &ExternalMethodSettings,
    wanted: Wanted<'_>,
) -> Result<Begun, StoreError> {
    let now = op.now();
    let key = throttle_key(wanted.account);
    if let Some(until) = throttle::reserve(conn, &key, now, prompts(op))? {
        return Ok(Begun::Locked { until });
    }
    start(conn, now.plus_seconds(method.timeout_seconds), wanted, now)?;
    Ok(Begun::Yes)
}

/// Begins a transaction for whoever typed a username, before anything is proven. `found` is whose it is; for nobody's it
/// goes the same way, to somebody who does not exist.
///
/// # Errors
/// The database's.
pub fn begin_alone(
    conn: &mut DbConn,
    op: &Provider,
    method: &ExternalMethodSettings,
    (interaction, level): (&Interaction, &str),
    (username, found): (&str, Option<AccountId>),
) -> Result<Begun, StoreError> {
    let now = op.now();
    let allowance = Allowance {
        attempts: PROMPTS_ALONE.attempts.min(prompts(op).attempts),
        ..PROMPTS_ALONE
    };
    if let Some(until) = throttle::reserve(conn, &alone_key(username), now, allowance)? {
        return Ok(Begun::Locked { until });
    }
    let wanted = Wanted {
        interaction,
        account: &found.unwrap_or_else(|| AccountId::new(random::identifier())),
        level,
    };
    start(conn, now.plus_seconds(method.timeout_seconds), wanted, now)?;
    Ok(Begun::Yes)
}

fn start(
    conn: &mut DbConn,
    end: UtcTime,
    wanted: Wanted<'_>,
    now: UtcTime,
) -> Result<(), StoreError> {
    let new = ExternalLogin {
        interaction: wanted.interaction.id.clone(),
        transaction: random::identifier(),
        account: wanted.account.clone(),
        browser: wanted.interaction.browser,
        level: wanted.level.to_owned(),
        number: number(),
        state: ExternalState::Waiting,
        trouble: None,
        requests: 0,
        next_request_at: now,
        created_at: now,
        expires_at: end.min(wanted.interaction.expires_at),
    };
    external_login::begin(conn, &new)
}

/// Two digits, of which the first is none that gets lost.
fn number() -> String {
    let drawn = u64::from_be_bytes(random::bytes()) % 90;
    (drawn + 10).to_string()
}

fn throttle_key(account: &AccountId) -> String {
    format!("external login {account}")
}

fn alone_key(username: &str) -> String {
    format!("external login alone {username}")
}

/// Who switches the limit of a minute off (a load test) wants no lock either.
fn prompts(op: &Provider) -> Allowance {
    let off = op.shared.server.throttle.per_account_per_minute == 0;
    Allowance {
        attempts: if off { 0 } else { PROMPTS.attempts },
        ..PROMPTS
    }
}

/// The operator lets a locked person try again.
///
/// # Errors
/// The database's.
pub fn unlock(conn: &mut DbConn, account: &AccountId) -> Result<(), StoreError> {
    throttle::clear(conn, &throttle_key(account))
}

/// As [`unlock`], for logins that begin with it.
///
/// # Errors
/// The database's.
pub(super) fn unlock_alone(conn: &mut DbConn, username: &str) -> Result<(), StoreError> {
    throttle::clear(conn, &alone_key(username))
}

/// What is said of a login where the person confirms it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What the person logs in with; for nobody the identifier that stands for them.
    pub username: String,
    /// The relying party's name.
    pub rp_name: String,
    /// The language of the page.
    pub language: String,
    /// Nothing else was proven: nobody is told that the service, or the person, says no.
    pub alone: bool,
}

/// Asks the service what came of a transaction, unless it was asked a moment ago; answers how things stand.
///
/// # Errors
/// The database's.
pub async fn poll(
    op: &Arc<Provider>,
    known: ExternalLogin,
    shown: Shown,
) -> Result<ExternalLogin, StoreError> {
    let now = op.now();
    let Some(method) = &op.settings.external_method else {
        return Ok(known);
    };
    if known.state != ExternalState::Waiting || now >= known.expires_at {
        return Ok(known);
    }
    let (most, asked) = (method.timeout_seconds, known.clone());
    let until = now.plus_seconds(ASK_SECONDS);
    let store = &op.shared.store;
    let may_ask = store
        .write(move |tx| external_login::ask(tx, &asked, (now, until), most))
        .await?;
    if may_ask {
        let asking = tokio::spawn(ask(op.clone(), known.clone(), shown));
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(Ok(done)) => done?,
            Ok(Err(broken)) => log::error!("event=external.broken reason={}", quote(broken)),
            // It goes on; nobody looks at an empty page meanwhile.
            Err(_late) => {}
        }
    }
    let id = known.interaction.clone();
    let found = store.read(move |conn| external_login::find(conn, &id));
    // Begun anew in another tab, or given up: whoever asked for this one waits in vain.
    let same = |found: &ExternalLogin| found.transaction == known.transaction;
    Ok(found.await?.filter(same).unwrap_or(ExternalLogin {
        state: ExternalState::Unavailable,
        ..known
    }))
}

/// Asks, and writes what came of it.
async fn ask(op: Arc<Provider>, login: ExternalLogin, shown: Shown) -> Result<(), StoreError> {
    let Some(method) = &op.settings.external_method else {
        return Ok(());
    };
    let question = Question {
        op: &op,
        method,
        login: &login,
        shown: &shown,
    };
    let answer = question.ask().await;
    let (now, allowance) = (op.now(), prompts(&op));
    let (mut state, mut trouble) = outcome(&op, &login, answer);
    if shown.alone {
        (state, trouble) = untold(&login, state, trouble);
    }
    let key = throttle_key(&login.account);
    op.shared
        .store
        .write(move |tx| -> Result<(), StoreError> {
            let Some(state) = state else {
                let next = now.plus_seconds(REST_SECONDS);
                return external_login::rest(tx, &login, trouble, next);
            };
            if external_login::settle(tx, &login, state, now)? && state == ExternalState::Denied {
                for _ in 0..REFUSAL_COUNTS {
                    let _blocked = throttle::reserve(tx, &key, now, allowance)?;
                }
            }
            Ok(())
        })
        .await
}

/// A no that nobody is told goes on as if nobody had answered, the requests too; a yes that follows it counts for nothing.
fn untold(
    login: &ExternalLogin,
    state: Option<ExternalState>,
    trouble: Option<ExternalTrouble>,
) -> (Option<ExternalState>, Option<ExternalTrouble>) {
    let refused = login.trouble == Some(ExternalTrouble::Refused);
    match state {
        Some(ExternalState::Approved) if !refused => (state, trouble),
        Some(_) => (None, Some(ExternalTrouble::Refused)),
        None if refused => (None, Some(ExternalTrouble::Refused)),
        None => (None, trouble),
    }
}

/// What an answer means, with a line in the log for whatever is none.
fn outcome(
    op: &Provider,
    login: &ExternalLogin,
    answer: Result<Status, protocol::Failure>,
) -> (Option<ExternalState>, Option<ExternalTrouble>) {
    match answer {
        Ok(Status::Pending) => (None, None),
        Ok(Status::Approved) => (Some(ExternalState::Approved), None),
        Ok(Status::Denied) => (Some(ExternalState::Denied), None),
        Ok(Status::Unavailable) => (Some(ExternalState::Unavailable), None),
        Err(failure) => {
            log::warn!(
                "event=external.failed issuer={} account={} transaction={} reason={}",
                op.issuer.as_str(),
                login.account,
                login.transaction,
                quote(&failure)
            );
            (None, Some(failure.trouble()))
        }
    }
}

/// Spends an approval: the login that it was given for goes on, once.
///
/// # Errors
/// The database's.
pub fn redeem(
    conn: &mut DbConn,
    approved: &ExternalLogin,
    now: UtcTime,
) -> Result<bool, StoreError> {
    let spent = external_login::redeem(conn, approved, now)?;
    if spent {
        throttle::clear(conn, &throttle_key(&approved.account))?;
    }
    Ok(spent)
}

/// As [`redeem`], where the login began with it.
///
/// # Errors
/// The database's.
pub fn redeem_alone(
    conn: &mut DbConn,
    (approved, username): (&ExternalLogin, &str),
    now: UtcTime,
) -> Result<bool, StoreError> {
    let spent = external_login::redeem(conn, approved, now)?;
    if spent {
        unlock_alone(conn, username)?;
    }
    Ok(spent)
}
