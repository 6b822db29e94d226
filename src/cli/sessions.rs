//! `varco session`: the desk's section of sessions and tokens, for scripts.

use super::arguments::sessions::{NodeArguments, SessionCommand};
use super::output::Output;
use super::{Console, Done, Failure, World};
use crate::administration::sessions::{self, Found, MOST_SOUGHT_BYTES, Sought, Target, Tree};
use crate::clock::UtcTime;
use crate::model::{
    Account, CodeState, Grant, GrantId, IssuerId, Session, SessionId, TokenId, TokenKind,
    TokenState,
};
use crate::store::grant::GrantsOf;
use crate::store::keyset::{CursorText as _, TimeCursor};
use crate::store::{DbConn, StoreError, account, grant, session};
use serde_json::{Value, json};
use std::io::Read as _;

/// Rows of a list.
const PER_PAGE: u32 = 100;

pub(super) fn run(
    world: &World,
    command: SessionCommand,
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    match command {
        SessionCommand::Find { sought, page } => {
            let sought = match sought.as_str() {
                "-" => first_line(console)?,
                _ => sought,
            };
            let issuers: Vec<IssuerId> = world
                .settings
                .issuers
                .iter()
                .map(|issuer| IssuerId::new(issuer.id.clone()))
                .collect();
            let found = world
                .store
                .read_blocking(|conn| sessions::find(conn, &issuers, &sought))?;
            let after = cursor(page.after.as_deref())?;
            match found {
                None => Err(Failure::Failed(
                    "nothing was found; what has expired is removed after some time".to_owned(),
                )),
                Some(Found::Grant(id, sought)) => show_tree(world, &id, (&sought, after), output),
                Some(Found::Session(id)) => show_list(world, &GrantsOf::Session(id), after, output),
                Some(Found::Grants(of)) => show_list(world, &of, after, output),
                Some(Found::Person(id)) => show_list(world, &GrantsOf::Account(id), after, output),
            }
        }
        SessionCommand::Show { id, page } => {
            let after = cursor(page.after.as_deref())?;
            let wanted = GrantId::new(id.clone());
            let is_grant = world
                .store
                .read_blocking(|conn| grant::find(conn, &wanted))?
                .is_some();
            match is_grant {
                true => show_tree(world, &wanted, (&Sought::Grant, after), output),
                false => show_list(world, &GrantsOf::Session(SessionId::new(id)), after, output),
            }
        }
        SessionCommand::End {
            id,
            offline,
            reason,
        } => {
            let id = SessionId::new(id);
            let target = match offline {
                true => Target::SessionAndOffline(id),
                false => Target::Session(id),
            };
            revoke(world, target, reason.reason, output)
        }
        SessionCommand::Revoke { node, reason } => {
            revoke(world, target_of(node)?, reason.reason, output)
        }
    }
}

fn first_line(console: &mut Console<'_>) -> Result<String, Failure> {
    let most = u64::try_from(MOST_SOUGHT_BYTES).unwrap_or(u64::MAX);
    let mut text = String::new();
    console.input.take(most).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn cursor(text: Option<&str>) -> Result<Option<TimeCursor>, Failure> {
    match text {
        None => Ok(None),
        Some(text) => TimeCursor::from_text(text).map(Some).ok_or_else(|| {
            Failure::UsedWrongly("--after takes what the output before says as `next`".to_owned())
        }),
    }
}

fn target_of(node: NodeArguments) -> Result<Target, Failure> {
    let token = node.token.map(|id| Target::Token(TokenId::new(id)));
    let code = node.code_of.map(|id| Target::Code(GrantId::new(id)));
    let grant = node.grant.map(|id| Target::Grant(GrantId::new(id)));
    token.or(code).or(grant).ok_or_else(|| {
        Failure::UsedWrongly("say what to revoke: --token, --code-of or --grant".to_owned())
    })
}

fn revoke(world: &World, target: Target, reason: String, output: &mut Output) -> Done {
    let (actor, now) = (world.actor.clone(), world.now);
    let action = target.action();
    let revoked = world
        .store
        .write_blocking(move |tx| sessions::revoke(tx, &actor, (&target, &reason), now))?;
    let counts: serde_json::Map<String, Value> = revoked
        .counts()
        .into_iter()
        .map(|(name, count)| (name.to_owned(), json!(count)))
        .collect();
    for (name, count) in revoked.counts() {
        if count > 0 {
            output.text(&format!("{action}: {count} {}", name.replace('_', " ")));
        }
    }
    output.json(json!({ "action": action, "revoked": counts }));
    Ok(())
}

fn grant_json(known: &Grant, now: UtcTime) -> Value {
    json!({
        "id": known.id,
        "issuer": known.issuer,
        "client_id": known.client_id,
        "account": known.account,
        "session": known.session,
        "subject": known.subject,
        "acr": known.acr,
        "offline_access": known.offline_access,
        "refreshes": known.refresh_count,
        "created_at": known.created_at.to_rfc3339(),
        "expires_at": known.expires_at.to_rfc3339(),
        "revoked_at": known.revoked_at.map(UtcTime::to_rfc3339),
        "state": grant_state(known, now),
    })
}

fn grant_state(known: &Grant, now: UtcTime) -> &'static str {
    match known.revoked_at {
        Some(_) => "revoked",
        None if now < known.expires_at => "live",
        None => "expired",
    }
}

fn session_json(known: &Session, now: UtcTime) -> Value {
    json!({
        "id": known.id,
        "issuer": known.issuer,
        "account": known.account,
        "acr": known.acr,
        "methods": known.methods.to_text(),
        "authenticated_at": known.authenticated_at.to_rfc3339(),
        "expires_at": known.expires_at.to_rfc3339(),
        "ended_at": known.ended_at.map(UtcTime::to_rfc3339),
        "browser": known.browser,
        "address": known.address,
        "alive": known.is_alive(now),
    })
}

/// Of whom a list is, and their sessions.
struct Owner {
    person: Option<Account>,
    sessions: Vec<Session>,
    more: bool,
}

fn owner(conn: &mut DbConn, of: &GrantsOf, now: UtcTime) -> Result<Owner, StoreError> {
    let none = Owner {
        person: None,
        sessions: Vec::new(),
        more: false,
    };
    match of {
        GrantsOf::Session(id) => Ok(Owner {
            sessions: session::find(conn, id)?.into_iter().collect(),
            ..none
        }),
        GrantsOf::Account(id) => {
            let mut sessions = session::alive_of(conn, id, now, PER_PAGE.saturating_add(1))?;
            let most = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
            let more = sessions.len() > most;
            sessions.truncate(most);
            Ok(Owner {
                person: account::find(conn, id)?,
                sessions,
                more,
            })
        }
        GrantsOf::Client(..) | GrantsOf::Subject(_) => Ok(none),
    }
}

fn tell_owner(owner: &Owner, now: UtcTime, output: &mut Output) {
    if let Some(person) = &owner.person {
        output.text(&format!("user {}, account {}", person.username, person.id));
    }
    for known in &owner.sessions {
        let state = match known.is_alive(now) {
            true => "alive",
            false => "ended",
        };
        output.text(&format!(
            "session {} at {}: {state}, account {}, {}, since {}",
            known.id,
            known.issuer,
            known.account,
            known.acr,
            known.authenticated_at.to_rfc3339()
        ));
    }
    if owner.more {
        output.text("there are more sessions; `varco user end-sessions` ends them all");
    }
}

fn show_list(world: &World, of: &GrantsOf, after: Option<TimeCursor>, output: &mut Output) -> Done {
    let now = world.now;
    let (page, owner) = world.store.read_blocking(|conn| {
        let page = grant::search(conn, of, after.as_ref(), PER_PAGE)?;
        Ok::<_, StoreError>((page, owner(conn, of, now)?))
    })?;
    if owner.person.is_none() && owner.sessions.is_empty() && page.rows.is_empty() {
        return Err(Failure::Failed(
            "there is no such session or grant, or it ended long ago and was removed".to_owned(),
        ));
    }
    tell_owner(&owner, now, output);
    let rows: Vec<Vec<String>> = page
        .rows
        .iter()
        .map(|row| {
            vec![
                row.created_at.to_rfc3339(),
                grant_state(row, now).to_owned(),
                row.client_id.to_string(),
                row.subject.clone(),
                row.id.to_string(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        output.table(&["GIVEN", "STATE", "CLIENT", "SUBJECT", "GRANT"], &rows);
    }
    let next = page.next.as_ref().map(TimeCursor::to_text);
    if let Some(next) = &next {
        output.text(&format!("there are more: --after {next}"));
    }
    let sessions: Vec<Value> = owner
        .sessions
        .iter()
        .map(|known| session_json(known, now))
        .collect();
    let mut document = json!({
        "grants": page.rows.iter().map(|row| grant_json(row, now)).collect::<Vec<_>>(),
        "next": next,
    });
    if let Value::Object(members) = &mut document {
        match &owner.person {
            Some(person) => {
                let user = json!({ "id": person.id, "username": person.username });
                members.insert("user".to_owned(), user);
                members.insert("sessions".to_owned(), sessions.into());
                members.insert("more_sessions".to_owned(), owner.more.into());
            }
            None => {
                let only = sessions.into_iter().next();
                members.insert("session".to_owned(), only.into());
            }
        }
    }
    output.json(document);
    Ok(())
}

fn show_tree(
    world: &World,
    id: &GrantId,
    (sought, before): (&Sought, Option<TimeCursor>),
    output: &mut Output,
) -> Done {
    let now = world.now;
    let found = world
        .store
        .read_blocking(|conn| sessions::tree(conn, id, before.as_ref(), now))?;
    let Some(tree) = found else {
        return Err(Failure::Failed("there is no such grant".to_owned()));
    };
    let known = &tree.grant;
    output.text(&format!("session {}", known.session));
    output.text(&format!(
        "└ grant {} to {}: {}, subject {}",
        known.id,
        known.client_id,
        grant_state(known, now),
        known.subject
    ));
    if let Some(code) = &tree.code {
        let sought = if *sought == Sought::Code { " ◄" } else { "" };
        output.text(&format!(
            "  └ code: {}{sought}",
            code_state(&tree, now, code.state)
        ));
    }
    for token in &tree.tokens {
        let mark = if *sought == Sought::Token(token.id.clone()) {
            " ◄"
        } else {
            ""
        };
        output.text(&format!(
            "    {} {:>3} {} {}: {}, until {}{mark}",
            if token.kind == TokenKind::Access {
                "├"
            } else {
                "└"
            },
            token.generation,
            kind(token.kind),
            token.id,
            token_state(token.state, now < token.expires_at),
            token.expires_at.to_rfc3339()
        ));
    }
    let next = tree.older.as_ref().map(TimeCursor::to_text);
    if let Some(next) = &next {
        output.text(&format!("there are older tokens: --after {next}"));
    }
    let tokens: Vec<Value> = tree
        .tokens
        .iter()
        .map(|token| {
            json!({
                "jti": token.id,
                "kind": kind(token.kind),
                "generation": token.generation,
                "state": token_state(token.state, now < token.expires_at),
                "issued_at": token.issued_at.to_rfc3339(),
                "expires_at": token.expires_at.to_rfc3339(),
            })
        })
        .collect();
    output.json(json!({
        "session": tree.session.as_ref().map(|known| session_json(known, now)),
        "grant": grant_json(known, now),
        "code": tree.code.as_ref().map(|code| json!({
            "state": code_state(&tree, now, code.state),
            "expires_at": code.expires_at.to_rfc3339(),
        })),
        "tokens": tokens,
        "next": next,
    }));
    Ok(())
}

fn code_state(tree: &Tree, now: UtcTime, state: CodeState) -> &'static str {
    match state {
        CodeState::Redeemed => "redeemed",
        CodeState::Issued if tree.code_is_open(now) => "live",
        CodeState::Issued => "expired",
    }
}

fn kind(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Access => "access",
        TokenKind::Refresh => "refresh",
    }
}

fn token_state(state: TokenState, in_time: bool) -> &'static str {
    match state {
        TokenState::Live if in_time => "live",
        TokenState::Live => "expired",
        TokenState::Rotated => "rotated",
        TokenState::Revoked => "revoked",
    }
}
