//! `varco demo ta`: asks the demonstration that runs in another terminal, and says in plain words what came of it.

use crate::cli::{Superior, TaCommand, Told};
use crate::demo::EntityType;
use crate::demo::onboarding::{Below, Joined, Member, Order, order};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

/// `varco demo ta …` for the demonstration of a data folder.
///
/// # Errors
/// What happened, and what to do.
pub fn demo_ta(data: &Path, command: TaCommand) -> Result<Told, String> {
    let asked = match &command {
        TaCommand::Add {
            entity_id,
            below,
            private,
        } => Order::Add {
            entity_id: entity_id.clone(),
            below: match below {
                Superior::Ta => Below::TrustAnchor,
                Superior::Sa => Below::Intermediate,
            },
            private: *private,
        },
        TaCommand::List => Order::List,
        TaCommand::Remove { entity_id } => Order::Remove {
            entity_id: entity_id.clone(),
        },
    };
    let answer = super::run(async {
        let answer = order(data, &asked).await;
        answer.map_err(|error| error.to_string())
    })?;
    match command {
        TaCommand::Add { .. } => {
            let text = joined(&read(answer.clone())?, data);
            let document = answer;
            Ok(Told { text, document })
        }
        TaCommand::List => {
            let members: Vec<Member> = read(answer)?;
            Ok(Told {
                text: listed(&members),
                document: json!({ "members": members }),
            })
        }
        TaCommand::Remove { .. } => {
            let member: Member = read(answer.clone())?;
            Ok(Told {
                text: format!(
                    "{} is out of the federation and its trust mark is revoked. An issuer that knows it goes on \
                     accepting it until the trust chain that it keeps has ended (at most two days)",
                    member.entity_id
                ),
                document: answer,
            })
        }
    }
}

fn read<T: DeserializeOwned>(answer: Value) -> Result<T, String> {
    serde_json::from_value(answer)
        .map_err(|error| format!("the running demonstration is of another version: {error}"))
}

const fn kind(entity_type: EntityType) -> &'static str {
    match entity_type {
        EntityType::Provider => "provider (openid_provider)",
        EntityType::RelyingParty => "relying party (openid_relying_party)",
        EntityType::Intermediate => "intermediate (federation_entity)",
    }
}

fn joined(joined: &Joined, data: &Path) -> String {
    let verb = match joined.refreshed {
        true => "was looked at again as",
        false => "joined as",
    };
    let mut text = format!(
        "{} {verb} a{} {}, below {}.\nIts federation keys are attested there, and it has this trust mark, of type {}:\n\n{}\n\n",
        joined.entity_id,
        if joined.entity_type == EntityType::Intermediate {
            "n"
        } else {
            ""
        },
        kind(joined.entity_type),
        joined.superior,
        joined.trust_mark_type,
        joined.trust_mark,
    );
    let done = |done: bool| if done { "[done] " } else { "[to do]" };
    let lines = [
        "What its entity configuration has to say (then run this command again):".to_owned(),
        format!(
            "  {} add to authority_hints: \"{}\"",
            done(joined.names_superior),
            joined.superior
        ),
        format!(
            "  {} put this trust mark into trust_marks: {{\"trust_mark_type\": \"{}\", \"trust_mark\": \"the mark above\"}}",
            done(joined.shows_mark),
            joined.trust_mark_type
        ),
        format!(
            "          or fetch it, now and before it ends, from {}",
            joined.trust_mark_address
        ),
    ];
    text.push_str(&lines.join("\n"));
    text.push('\n');
    if joined.entity_type == EntityType::Provider {
        let anchor = &joined.trust_anchor;
        // Writing to a String does not fail.
        let _written = write!(
            text,
            "And what its own configuration has to say: the trust anchor {} with the keys\n{}\n",
            anchor.id, anchor.jwks
        );
    }
    text.push_str("\nWould it be accepted now?\n");
    for judgement in &joined.judgements {
        let verdict = match &judgement.refusal {
            None => "yes".to_owned(),
            Some(reason) => format!("no: {reason}"),
        };
        let _written = writeln!(text, "  {}: {verdict}", judgement.by);
    }
    let refusing = joined.judgements.iter().find(|one| one.refusal.is_some());
    if let (Some(refusing), EntityType::RelyingParty) = (refusing, joined.entity_type) {
        let _written = writeln!(
            text,
            "  The whole evaluation: varco --config {}/varco.toml rp check {} --issuer {}",
            data.display(),
            joined.entity_id,
            refusing.by
        );
    }
    text.trim_end().to_owned()
}

fn listed(members: &[Member]) -> String {
    if members.is_empty() {
        return "nobody has joined yet: `varco demo ta add URL`".to_owned();
    }
    let lines: Vec<String> = members
        .iter()
        .map(|member| {
            let below = match member.below {
                Below::TrustAnchor => "trust anchor",
                Below::Intermediate => "intermediate",
            };
            format!(
                "{}  {}{}, below the {below}, since {}, looked at {}",
                member.entity_id,
                if member.private { "private " } else { "" },
                kind(member.entity_type),
                member.joined_at.to_rfc3339(),
                member.refreshed_at.to_rfc3339()
            )
        })
        .collect();
    lines.join("\n")
}
