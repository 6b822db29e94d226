//! `varco demo seed`: a data set of the size of a busy provider, made up and the same for the same seed. It goes through the
//! functions of the store that the program itself writes with, in batches, so that it is what a year of use leaves behind.

mod people;

use super::arguments::SeedOptions;
use super::output::Output;
use super::{Console, Done, Failure, World};
use crate::accounts::hash_password;
use crate::clock::UtcTime;
use crate::model::{
    Account, AccountId, AuthorizationCode, AuthorizationRequest, ClientId, ClientMetadata,
    CodeHash, CodeState, Destination, Grant, GrantId, IssuerId, LoginEvent, Method, Methods,
    Origin, Prompt, Refusal, RelyingParty, ResolvedTrust, ResponseMode, RpToleranceOverride,
    Session, SessionId, Token, TokenId, TokenKind, TokenState,
};
use crate::profile::Profile;
use crate::store::login_count::{self, CountRow, LoginResult, Span};
use crate::store::{
    DbConn, StoreError, account, authorization_code, client, grant, login_event, refusal, session,
    token,
};
use people::Dice;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of a transaction.
const BATCH: u64 = 2_000;
const DAY: i64 = 86_400;
/// The time that the logins are spread over.
const DAYS: u64 = 365;
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

/// What the rows of all tables have in common.
struct Plan {
    options: SeedOptions,
    /// With their levels.
    issuers: Vec<(IssuerId, Vec<String>)>,
    password_hash: String,
    now: UtcTime,
}

/// A login, before it is written.
struct Drawn {
    rp: u64,
    person: u64,
    issuer: IssuerId,
    acr: String,
    result: LoginResult,
    at: UtcTime,
}

impl Plan {
    /// Each row has its own dice: so a row is the same whatever comes before it.
    fn dice(&self, table: u64, row: u64) -> Dice {
        Dice::new(self.options.seed, table, row)
    }

    fn account_id(&self, n: u64) -> AccountId {
        AccountId::new(format!("seed-{}-a{n}", self.options.seed))
    }

    fn client_id(&self, n: u64) -> ClientId {
        ClientId::new(format!(
            "https://rp{n}.seed{}.example.it",
            self.options.seed
        ))
    }

    /// An RP is known to one issuer.
    fn issuer_of(&self, rp: u64) -> Option<&(IssuerId, Vec<String>)> {
        let issuers = u64::try_from(self.issuers.len()).unwrap_or_default();
        let place = rp.checked_rem(issuers).unwrap_or_default();
        self.issuers.get(usize::try_from(place).unwrap_or_default())
    }

    fn person(&self, n: u64) -> Account {
        let mut dice = self.dice(1, n);
        let (name, attributes) = people::person(&mut dice, n);
        // Names repeat between data sets; usernames must not, or a person would be somebody else's.
        let username = match self.options.seed {
            1 => name,
            seed => format!("{name}.{seed}"),
        };
        let made = self.now.plus_seconds(-days(&mut dice, 1_000));
        Account {
            id: self.account_id(n),
            username,
            password_hash: Some(self.password_hash.clone()),
            enabled: !dice.chance(2),
            attributes,
            created_at: made,
            updated_at: made,
        }
    }

    fn relying_party(&self, n: u64) -> Option<RelyingParty> {
        let mut dice = self.dice(2, n);
        let name = people::organization(&mut dice, n);
        let (issuer, _) = self.issuer_of(n)?;
        let client_id = self.client_id(n);
        let resolved_at = self.now.plus_seconds(-within(&mut dice, DAY));
        let trust = ResolvedTrust {
            trust_anchor: "https://ta.seed.example.it".to_owned(),
            chain: vec!["header.payload.signature".to_owned(); 3],
            trust_marks: Vec::new(),
            metadata: serde_json::Map::new(),
            expires_at: self.now.plus_seconds(within(&mut dice, 2 * DAY)),
            resolved_at,
        };
        Some(RelyingParty {
            issuer: issuer.clone(),
            metadata: ClientMetadata {
                client_name: [(String::new(), name)].into(),
                redirect_uris: vec![format!("{client_id}/callback")],
                response_types: vec!["code".to_owned()],
                grant_types: vec!["authorization_code".to_owned(), "refresh_token".to_owned()],
                ..ClientMetadata::default()
            },
            client_id,
            jwks: json!({ "keys": [] }),
            origin: Origin::Federation(trust),
            enabled: !dice.chance(1),
            tolerance: RpToleranceOverride::default(),
            updated_at: resolved_at,
        })
    }

    fn login(&self, n: u64) -> Option<Drawn> {
        let mut dice = self.dice(3, n);
        let rp = dice.popular_below(self.options.rps);
        let person = dice.below(self.options.users);
        let (issuer, levels) = self.issuer_of(rp)?;
        let result = match dice.below(100) {
            0..88 => LoginResult::Granted,
            88..92 => LoginResult::Denied,
            _ => LoginResult::Failed,
        };
        // By day more than by night.
        let hour = if dice.chance(80) {
            7 + dice.below(14)
        } else {
            dice.below(24)
        };
        let hour = i64::try_from(hour).unwrap_or_default();
        let ago = days(&mut dice, DAYS);
        let at =
            self.now.0 - ago - self.now.0.rem_euclid(DAY) + hour * 3_600 + within(&mut dice, 3_600);
        Some(Drawn {
            rp,
            person,
            issuer: issuer.clone(),
            acr: dice.pick(levels).cloned().unwrap_or_default(),
            result,
            at: UtcTime(at.min(self.now.0)),
        })
    }
}

fn days(dice: &mut Dice, most: u64) -> i64 {
    i64::try_from(dice.below(most)).unwrap_or_default() * DAY
}

fn within(dice: &mut Dice, seconds: i64) -> i64 {
    let most = u64::try_from(seconds).unwrap_or_default();
    i64::try_from(dice.below(most)).unwrap_or_default()
}

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
    let mut counts: BTreeMap<CountRow, i64> = BTreeMap::new();
    in_batches(world, console, ("people", options.users), |from, until| {
        let plan = plan.clone();
        move |tx: &mut DbConn| {
            (from..until).try_for_each(|n| account::upsert(tx, &plan.person(n)).map(drop))
        }
    })?;
    in_batches(world, console, ("RPs", options.rps), |from, until| {
        let plan = plan.clone();
        move |tx: &mut DbConn| {
            (from..until)
                .filter_map(|n| plan.relying_party(n))
                .try_for_each(|party| client::upsert(tx, &party).map(drop))
        }
    })?;
    in_batches(world, console, ("logins", options.logins), |from, until| {
        (from..until)
            .filter_map(|n| plan.login(n))
            .for_each(|login| tally(&plan, &login, &mut counts));
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
    })?;
    in_batches(
        world,
        console,
        ("refusals", options.rps / 2),
        |from, until| {
            let plan = plan.clone();
            move |tx: &mut DbConn| {
                let all: Vec<Refusal> = (from..until).filter_map(|n| refused(&plan, n)).collect();
                refusal::insert(tx, &all)
            }
        },
    )?;
    output.text(&format!(
        "{} people (password: {PASSWORD}), {} RPs and {} logins",
        options.users, options.rps, options.logins
    ));
    output.json(json!({ "users": options.users, "rps": options.rps, "logins": options.logins }));
    Ok(())
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

fn refused(plan: &Plan, n: u64) -> Option<Refusal> {
    let mut dice = plan.dice(5, n);
    let rp = dice.popular_below(plan.options.rps);
    let (issuer, _) = plan.issuer_of(rp)?;
    let (event, code) = *dice.pick(&[
        ("authorization.refused", "invalid_request"),
        ("authorization.refused", "invalid_client"),
        ("token.refused", "invalid_grant"),
        ("token.refused", "invalid_client"),
        ("userinfo.refused", "invalid_token"),
    ])?;
    Some(Refusal {
        reference: format!("seed-{}-{n}", plan.options.seed),
        issuer: issuer.clone(),
        unverified_client_id: plan.client_id(rp),
        refused_at: plan.now.plus_seconds(-within(&mut dice, 30 * DAY)),
        event: event.to_owned(),
        code: code.to_owned(),
        description: "made up".to_owned(),
        reason: "made up".to_owned(),
    })
}
