//! What the rows of a data set are, each made from nothing but its number.

use super::people::{self, Dice};
use crate::administration::users;
use crate::cli::arguments::SeedOptions;
use crate::clock::UtcTime;
use crate::model::{
    Account, AccountId, Actor, ClientId, ClientMetadata, Deed, IssuerId, Origin, Refusal,
    RelyingParty, ResolvedTrust, RpToleranceOverride, Via,
};
use crate::store::login_count::LoginResult;
use serde_json::json;

pub(super) const DAY: i64 = 86_400;
/// The time that the logins are spread over.
const DAYS: u64 = 365;

/// What the rows of all tables have in common.
pub(super) struct Plan {
    pub(super) options: SeedOptions,
    /// With their levels.
    pub(super) issuers: Vec<(IssuerId, Vec<String>)>,
    pub(super) password_hash: String,
    pub(super) now: UtcTime,
}

/// A login, before it is written.
pub(super) struct Drawn {
    pub(super) rp: u64,
    pub(super) person: u64,
    pub(super) issuer: IssuerId,
    pub(super) acr: String,
    pub(super) result: LoginResult,
    pub(super) at: UtcTime,
}

impl Plan {
    /// Each row has its own dice: so a row is the same whatever comes before it.
    pub(super) fn dice(&self, table: u64, row: u64) -> Dice {
        Dice::new(self.options.seed, table, row)
    }

    pub(super) fn account_id(&self, n: u64) -> AccountId {
        AccountId::new(format!("seed-{}-a{n}", self.options.seed))
    }

    pub(super) fn client_id(&self, n: u64) -> ClientId {
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

    pub(super) fn person(&self, n: u64) -> Account {
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
            // Whoever looks at the data set logs in as the first one, who has the longest history.
            enabled: !dice.chance(2) || n == 0,
            attributes,
            created_at: made,
            updated_at: made,
        }
    }

    pub(super) fn relying_party(&self, n: u64) -> Option<RelyingParty> {
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

    /// Who logs in: one of a hundred people does twenty times as often as the others, and one person all day.
    fn somebody(&self, dice: &mut Dice) -> u64 {
        match dice.below(100) {
            0 => 0,
            1..21 => dice.below((self.options.users / 100).max(1)),
            _ => dice.below(self.options.users),
        }
    }

    /// A day after the other, as logins come: the rows of a day lie together then.
    fn days_ago(&self, n: u64) -> i64 {
        let passed = n.saturating_mul(DAYS).checked_div(self.options.logins);
        let left = DAYS
            .saturating_sub(1)
            .saturating_sub(passed.unwrap_or_default());
        i64::try_from(left).unwrap_or_default()
    }

    pub(super) fn login(&self, n: u64) -> Option<Drawn> {
        let mut dice = self.dice(3, n);
        let rp = dice.popular_below(self.options.rps);
        let person = self.somebody(&mut dice);
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
        let today = self.now.0 - self.now.0.rem_euclid(DAY);
        let at = today - self.days_ago(n) * DAY + hour * 3_600 + within(&mut dice, 3_600);
        // Today has only begun.
        let at = if at > self.now.0 { at - DAY } else { at };
        Some(Drawn {
            rp,
            person,
            issuer: issuer.clone(),
            acr: dice.pick(levels).cloned().unwrap_or_default(),
            result,
            at: UtcTime(at),
        })
    }

    pub(super) fn refused(&self, n: u64) -> Option<Refusal> {
        let mut dice = self.dice(5, n);
        let rp = dice.popular_below(self.options.rps);
        let (issuer, _) = self.issuer_of(rp)?;
        let (event, code) = *dice.pick(&[
            ("authorization.refused", "invalid_request"),
            ("authorization.refused", "invalid_client"),
            ("token.refused", "invalid_grant"),
            ("token.refused", "invalid_client"),
            ("userinfo.refused", "invalid_token"),
        ])?;
        Some(Refusal {
            reference: format!("seed-{}-{n}", self.options.seed),
            issuer: issuer.clone(),
            unverified_client_id: self.client_id(rp),
            refused_at: self.now.plus_seconds(-within(&mut dice, 30 * DAY)),
            event: event.to_owned(),
            code: code.to_owned(),
            description: "made up".to_owned(),
            reason: "made up".to_owned(),
        })
    }

    /// What an operator did, the oldest first.
    pub(super) fn deed(&self, n: u64) -> (Actor, Deed, UtcTime) {
        let mut dice = self.dice(6, n);
        let deeds = i64::try_from(self.options.users / 10).unwrap_or(i64::MAX);
        let age = deeds.saturating_sub(i64::try_from(n).unwrap_or_default());
        let year = DAY.saturating_mul(i64::try_from(DAYS).unwrap_or_default());
        let ago = year
            .saturating_mul(age)
            .checked_div(deeds)
            .unwrap_or_default();
        let names = ["olga", "piero", "quinto", "rosa"];
        let actor = Actor {
            name: (*dice.pick(&names).unwrap_or(&"olga")).to_owned(),
            via: Via::Desk,
            address: format!("192.0.2.{}", dice.below(254)),
        };
        let enabled = dice.chance(50);
        let person = self.account_id(dice.below(self.options.users));
        let deed = Deed {
            action: if enabled {
                "user.enable"
            } else {
                "user.disable"
            },
            subject: users::subject(&person),
            before: Some(json!({ "enabled": !enabled })),
            after: Some(json!({ "enabled": enabled })),
        };
        (actor, deed, self.now.plus_seconds(-ago))
    }
}

fn days(dice: &mut Dice, most: u64) -> i64 {
    i64::try_from(dice.below(most)).unwrap_or_default() * DAY
}

fn within(dice: &mut Dice, seconds: i64) -> i64 {
    let most = u64::try_from(seconds).unwrap_or_default();
    i64::try_from(dice.below(most)).unwrap_or_default()
}
