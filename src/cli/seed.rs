//! `varco demo seed`: a data set of the size of a busy provider, made up and the same for the same seed. It goes through the
//! functions of the store that the program itself writes with, in batches, so that it is what a year of use leaves behind.

mod people;
mod plan;

use super::arguments::SeedOptions;
use super::output::Output;
use super::{Console, Done, Failure, World};
use crate::accounts::hash_password;
use crate::model::{
    AuthorizationCode, AuthorizationRequest, ClientId, CodeHash, CodeState, Destination, Grant,
    GrantId, IssuerId, LoginEvent, Method, Methods, Prompt, Refusal, ResponseMode, Session,
    SessionId, Token, TokenId, TokenKind, TokenState,
};
use crate::profile::Profile;
use crate::provider::CONSENT_NOTICE_SECONDS;
use crate::store::login_count::{self, CountRow, LoginResult, Span};
use crate::store::{
    DbConn, StoreError, account, authorization_code, client, grant, login_event,
    refresh_statistics, refusal, session, token, trail,
};
use plan::{DAY, Drawn, Plan};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of a transaction.
const BATCH: u64 = 2_000;
/// Logins so young have sessions, grants and tokens.
const FRESH_SECONDS: i64 = 30 * DAY;
/// Everybody's.
const PASSWORD: &str = "varco-seed-password";
const ATTRIBUTES: [&str; 5] = [
    "given_name",
    "family_name",
    "fiscal_number",
    "email",
    "birthdate",
];

pub(super) fn run(
    world: &World,
    options: SeedOptions,
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    let issuers: Vec<(IssuerId, Vec<String>)> = world
        .settings
        .issuers
        .iter()
        .filter_map(|issuer| {
            let profile = Profile::find(issuer.profile.as_str())?;
            let levels = profile.levels.iter().map(|level| (*level).to_owned());
            Some((IssuerId::new(issuer.id.clone()), levels.collect()))
        })
        .collect();
    let password_hash =
        hash_password(PASSWORD).map_err(|error| Failure::Failed(error.to_string()))?;
    let plan = Arc::new(Plan {
        options: options.clone(),
        issuers,
        password_hash,
        now: world.now,
    });
    require_absence(world, &plan)?;
    write_parties(world, &plan, console)?;
    write_logins(world, &plan, console)?;
    let made = |n| plan.refused(n);
    let refusals = plan.options.rps / 2;
    in_batches(world, console, ("refusals", refusals), |from, until| {
        let all: Vec<Refusal> = (from..until).filter_map(made).collect();
        move |tx: &mut DbConn| refusal::insert(tx, &all)
    })?;
    let deeds = plan.options.users / 10;
    in_batches(world, console, ("deeds", deeds), |from, until| {
        let plan = plan.clone();
        move |tx: &mut DbConn| {
            (from..until).try_for_each(|n| {
                let (actor, deed, at) = plan.deed(n);
                trail::insert(tx, &actor, &deed, at)
            })
        }
    })?;
    world.store.write_blocking(refresh_statistics)?;
    output.text(&format!(
        "{} people (password: {PASSWORD}), {} RPs and {} logins",
        options.users, options.rps, options.logins
    ));
    output.json(json!({ "users": options.users, "rps": options.rps, "logins": options.logins }));
    Ok(())
}

/// Counters would count twice what is there.
fn require_absence(world: &World, plan: &Plan) -> Done {
    let first = plan.account_id(0);
    let known = world
        .store
        .read_blocking(move |conn| account::find(conn, &first))?;
    match known {
        None => Ok(()),
        Some(_) => Err(Failure::Failed(format!(
            "the data set {seed}, or the beginning of one that was interrupted, is in this database already; \
             `--seed {next}` makes another one beside it",
            seed = plan.options.seed,
            next = plan.options.seed.saturating_add(1),
        ))),
    }
}

fn write_parties(world: &World, plan: &Arc<Plan>, console: &mut Console<'_>) -> Done {
    let people = ("people", plan.options.users);
    in_batches(world, console, people, |from, until| {
        let plan = plan.clone();
        move |tx: &mut DbConn| {
            let all: Vec<_> = (from..until).map(|n| plan.person(n)).collect();
            account::upsert_all(tx, &all).map(drop)
        }
    })?;
    in_batches(world, console, ("RPs", plan.options.rps), |from, until| {
        let plan = plan.clone();
        move |tx: &mut DbConn| {
            (from..until)
                .filter_map(|n| plan.relying_party(n))
                .try_for_each(|party| client::upsert(tx, &party).map(drop))
        }
    })
}

fn write_logins(world: &World, plan: &Arc<Plan>, console: &mut Console<'_>) -> Done {
    let mut counts: BTreeMap<CountRow, i64> = BTreeMap::new();
    let logins = ("logins", plan.options.logins);
    in_batches(world, console, logins, |from, until| {
        (from..until)
            .filter_map(|n| plan.login(n))
            .for_each(|login| tally(plan, &login, &mut counts));
        let plan = plan.clone();
        move |tx: &mut DbConn| (from..until).try_for_each(|n| write_login(tx, &plan, n))
    })?;
    let rows: Arc<[(CountRow, i64)]> = counts.into_iter().collect();
    let all = u64::try_from(rows.len()).unwrap_or_default();
    in_batches(world, console, ("counters", all), |from, until| {
        let rows = rows.clone();
        let range =
            usize::try_from(from).unwrap_or_default()..usize::try_from(until).unwrap_or_default();
        move |tx: &mut DbConn| {
            let batch = rows.get(range).unwrap_or_default();
            batch
                .iter()
                .try_for_each(|(row, number)| login_count::add(tx, row, *number))
        }
    })
}

/// Writes rows a batch at a time, and says how far it is.
fn in_batches<W>(
    world: &World,
    console: &mut Console<'_>,
    (what, rows): (&str, u64),
    mut batch: impl FnMut(u64, u64) -> W,
) -> Done
where
    W: FnOnce(&mut DbConn) -> Result<(), StoreError> + Send + 'static,
{
    let mut from = 0;
    while from < rows {
        let until = from.saturating_add(BATCH).min(rows);
        world.store.write_blocking(batch(from, until))?;
        from = until;
        if from == rows || from % (50 * BATCH) == 0 {
            // Nobody needs to hear it.
            let _unheard = writeln!(console.err, "{what}: {from} of {rows}");
        }
    }
    Ok(())
}

/// As [`login_count::count`] would, without a statement a login.
fn tally(plan: &Plan, login: &Drawn, counts: &mut BTreeMap<CountRow, i64>) {
    let mut add = |client_id: Option<ClientId>, span: Span| {
        let alike = span != Span::Month;
        let row = CountRow {
            client_id,
            span: span.seconds(),
            bucket_at: span.bucket_of(login.at),
            issuer: login.issuer.clone(),
            acr: if alike {
                login.acr.clone()
            } else {
                String::new()
            },
            result: if alike { login.result.name() } else { "" },
        };
        *counts.entry(row).or_default() += 1;
    };
    add(None, Span::Hour);
    add(None, Span::Day);
    add(Some(plan.client_id(login.rp)), Span::Day);
    if login.result == LoginResult::Granted {
        add(Some(plan.client_id(login.rp)), Span::Month);
    }
}

/// What a login leaves behind; of an old one, only its line in the history.
fn write_login(tx: &mut DbConn, plan: &Plan, n: u64) -> Result<(), StoreError> {
    let Some(login) = plan
        .login(n)
        .filter(|login| login.result == LoginResult::Granted)
    else {
        return Ok(());
    };
    let mut dice = plan.dice(4, n);
    let grant_id = GrantId::new(format!("seed-{}-g{n}", plan.options.seed));
    let event = LoginEvent {
        id: format!("seed-{}-e{n}", plan.options.seed),
        issuer: login.issuer.clone(),
        account: plan.account_id(login.person),
        client_id: plan.client_id(login.rp),
        rp_name: people::organization(&mut plan.dice(2, login.rp), login.rp),
        acr: login.acr.clone(),
        attributes: ATTRIBUTES.map(str::to_owned).into(),
        browser: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
            .to_owned(),
        address: format!("198.51.100.{}", dice.below(254)),
        occurred_at: login.at,
        grant: grant_id,
        access_until: login.at.plus_seconds(900),
        revoked_at: dice.chance(3).then(|| login.at.plus_seconds(600)),
    };
    login_event::insert(tx, &event)?;
    if plan.now.seconds_since(login.at) > FRESH_SECONDS {
        return Ok(());
    }
    write_grant(tx, plan, &event, n)
}

fn write_grant(tx: &mut DbConn, plan: &Plan, event: &LoginEvent, n: u64) -> Result<(), StoreError> {
    let session_id = SessionId::new(format!("seed-{}-s{n}", plan.options.seed));
    let methods = Methods::only(Method::Password);
    session::insert(
        tx,
        &Session {
            id: session_id.clone(),
            issuer: event.issuer.clone(),
            account: event.account.clone(),
            acr: event.acr.clone(),
            methods: methods.clone(),
            authenticated_at: event.occurred_at,
            browser: event.browser.clone(),
            address: event.address.clone(),
            expires_at: event.occurred_at.plus_seconds(FRESH_SECONDS),
            ended_at: None,
        },
    )?;
    let new = Grant {
        id: event.grant.clone(),
        issuer: event.issuer.clone(),
        client_id: event.client_id.clone(),
        account: event.account.clone(),
        session: session_id,
        subject: format!("seed-{n}"),
        acr: event.acr.clone(),
        methods,
        authenticated_at: event.occurred_at,
        request: request(event),
        offline_access: true,
        refresh_count: 1,
        created_at: event.occurred_at,
        expires_at: event.occurred_at.plus_seconds(FRESH_SECONDS),
        revoked_at: event.revoked_at,
    };
    grant::insert(tx, &new)?;
    authorization_code::insert(
        tx,
        &AuthorizationCode {
            hash: CodeHash::of(&format!("seed-{}-c{n}", plan.options.seed)),
            grant: new.id.clone(),
            client_id: new.client_id.clone(),
            expires_at: event.occurred_at.plus_seconds(600),
            state: CodeState::Redeemed,
        },
    )?;
    for (kind, generation, name) in [(TokenKind::Access, 0, "t"), (TokenKind::Refresh, 0, "r")] {
        token::insert(
            tx,
            &Token {
                id: TokenId::new(format!("seed-{}-{name}{n}", plan.options.seed)),
                kind,
                grant: new.id.clone(),
                generation,
                client_id: new.client_id.clone(),
                issued_at: event.occurred_at,
                expires_at: new.expires_at,
                state: match event.revoked_at {
                    Some(_) => TokenState::Revoked,
                    None => TokenState::Live,
                },
            },
        )?;
    }
    // Whose access ends soon was told so when it was time, and is not sent a letter now.
    let told_at = new.expires_at.plus_seconds(-CONSENT_NOTICE_SECONDS);
    if told_at <= plan.now {
        grant::note_end_told(tx, &new.id, told_at)?;
    }
    Ok(())
}

fn request(event: &LoginEvent) -> AuthorizationRequest {
    AuthorizationRequest {
        client_id: event.client_id.clone(),
        destination: Destination {
            redirect_uri: format!("{}/callback", event.client_id),
            response_mode: ResponseMode::Query,
            state: None,
        },
        scope: vec!["openid".to_owned(), "offline_access".to_owned()],
        nonce: None,
        code_challenge: None,
        prompt: Prompt::default(),
        acr_values: vec![event.acr.clone()],
        userinfo_claims: Vec::new(),
        id_token_claims: Vec::new(),
        max_age: None,
        ui_locales: Vec::new(),
    }
}
