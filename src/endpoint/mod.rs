//! The steps every protocol endpoint goes through, so that whoever has read one has read them all.
//!
//! ```text
//! parse_request ─► client_authentication ─► post_parse_request ─► process_request ─► do_response
//!   pure             async: may fetch           profile rules         one transaction      pure: signs and
//!                    keys, resolve chains                             (read or write)      serialises, after the commit
//! ```
//!
//! Nothing here or in an endpoint knows actix-web. To add an endpoint: implement [`Endpoint`], add its
//! [`crate::profile::Path`] to the profiles that offer it and its row to `web`'s route table.

mod inbound;
mod reply;

pub use inbound::{Caller, Inbound, Method, Posted, Upload};
pub use reply::{
    Body, CookieChange, Note, Page, RefusedAnswer, Reply, SessionChange, Trouble, quote,
};

use crate::federation::Source;
use crate::model::ClientId;
use crate::provider::{Provider, Refused};
use crate::store::{DbConn, StoreError};
use std::sync::Arc;

/// The media type of forms.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// How an endpoint uses the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Never waits for the writer.
    Read,
    /// One write transaction.
    Write,
}

/// A request whose sender is known and whose form the profile accepts.
///
/// Only [`run`] builds one: whoever holds a `Call` holds the proof that `client_authentication` and
/// `post_parse_request` succeeded.
#[derive(Debug)]
pub struct Call<E: Endpoint> {
    request: E::Accepted,
    client: E::Client,
    caller: Caller,
}

impl<E: Endpoint> Call<E> {
    /// What was asked.
    pub fn request(&self) -> &E::Accepted {
        &self.request
    }

    /// Who asked.
    pub fn client(&self) -> &E::Client {
        &self.client
    }

    /// From where.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// What `process_request` decided. Either way, what it wrote is kept: a refusal may have effects (a consumed
/// code, a revoked family of tokens).
#[derive(Debug)]
pub enum Decision<E: Endpoint> {
    /// Yes.
    Granted(E::Response),
    /// No, and what was written stays.
    Refused(E::Error),
}

/// One protocol endpoint.
pub trait Endpoint: Sized + Send + Sync + 'static {
    /// Well-formed, not yet trusted.
    type Request: Send;
    /// Who sent it; `()` where the protocol has no client authentication.
    type Client: Send + Sync + 'static;
    /// After the profile's rules: what `process_request` works on.
    type Accepted: Send + Sync + 'static;
    /// The decision's content with all that answering needs (destination, algorithms, the RP's key).
    type Response: Send + Sync + 'static;
    /// Every way this endpoint says no.
    type Error: From<StoreError> + Send + 'static;

    /// How it uses the database.
    const ACCESS: Access;

    /// The media types of bodies that it reads; others are refused before they are.
    const BODIES: &'static [&'static str] = &[FORM];

    /// Reads the parameters.
    ///
    /// # Errors
    /// They are malformed.
    fn parse_request(op: &Provider, inbound: &Inbound) -> Result<Self::Request, Self::Error>;

    /// Whom a refused request names: for the log and the list of refusals, and never trusted for anything.
    fn unverified_client(_inbound: &Inbound) -> Option<ClientId> {
        None
    }

    /// Finds out who sent it; may resolve a trust chain.
    ///
    /// # Errors
    /// The sender is unknown or did not prove who it is.
    fn client_authentication(
        op: &Provider,
        inbound: &Inbound,
        request: &Self::Request,
    ) -> impl Future<Output = Result<Self::Client, Self::Error>> + Send;

    /// Runs the profile's rules.
    ///
    /// # Errors
    /// The first rule that the request breaks.
    fn post_parse_request(
        op: &Provider,
        inbound: &Inbound,
        request: Self::Request,
        client: &Self::Client,
    ) -> Result<Self::Accepted, Self::Error>;

    /// Runs inside one transaction: a [`Decision`] commits it, an `Err` rolls it back.
    ///
    /// # Errors
    /// The database failed, or the request is refused without effects.
    fn process_request(
        op: &Provider,
        tx: &mut DbConn,
        call: &Call<Self>,
    ) -> Result<Decision<Self>, Self::Error>;

    /// Tells this node's memory what was committed, so that the next request meets it.
    fn after_commit(_op: &Provider, _response: &Self::Response) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Signs and serialises, after the commit.
    fn do_response(
        op: &Provider,
        caller: &Caller,
        outcome: Result<Self::Response, Self::Error>,
    ) -> Reply;
}

/// Drives one request through an endpoint.
pub async fn run<E: Endpoint>(op: Arc<Provider>, inbound: Inbound) -> Reply {
    let caller = inbound.caller();
    let outcome = match admit::<E>(&op, &inbound).await {
        Ok(call) => decide::<E>(&op, call).await,
        Err(error) => Err(error),
    };
    let mut reply = E::do_response(&op, &caller, outcome);
    keep_refusal::<E>(&op, &inbound, &mut reply);
    reply
}

/// Names the RP in the log line of a refusal, and keeps the refusal for its developers.
fn keep_refusal<E: Endpoint>(op: &Provider, inbound: &Inbound, reply: &mut Reply) {
    let Some(note) = reply.note.as_mut().filter(|note| note.refused.is_some()) else {
        return;
    };
    if note.field("client_id").is_none()
        && let Some(named) = E::unverified_client(inbound)
    {
        note.fields.push(("client_id", named.into()));
    }
    let (Some(answer), Some(client_id)) = (&note.refused, note.field("client_id")) else {
        return;
    };
    let kept = op.keep_refusal(
        Source::of(inbound.address),
        &Refused {
            reference: &inbound.request_id,
            unverified_client_id: client_id,
            event: note.event,
            code: answer.code.as_str(),
            description: &answer.description,
            reason: &answer.reason,
        },
    );
    if let Body::Page(page) = &mut reply.body
        && let Page::Refusal { kept: shown, .. } = page.as_mut()
    {
        *shown = kept;
    }
}

async fn admit<E: Endpoint>(op: &Provider, inbound: &Inbound) -> Result<Call<E>, E::Error> {
    let request = E::parse_request(op, inbound)?;
    let client = E::client_authentication(op, inbound, &request).await?;
    let request = E::post_parse_request(op, inbound, request, &client)?;
    Ok(Call {
        request,
        client,
        caller: inbound.caller(),
    })
}

async fn decide<E: Endpoint>(op: &Arc<Provider>, call: Call<E>) -> Result<E::Response, E::Error> {
    let provider = op.clone();
    let job = move |tx: &mut DbConn| -> Result<Decision<E>, E::Error> {
        E::process_request(&provider, tx, &call)
    };
    let decision = match E::ACCESS {
        Access::Read => op.shared.store.read(job).await?,
        Access::Write => op.shared.store.write(job).await?,
    };
    match decision {
        Decision::Granted(response) => {
            E::after_commit(op, &response).await;
            Ok(response)
        }
        Decision::Refused(error) => Err(error),
    }
}
