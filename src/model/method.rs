//! How people prove who they are, as data: which factors a method proves, and what tokens call it.
//!
//! One more method (a code by e-mail): a variant, its row in [`Method::FACTS`], how a person has it
//! (`authn::second_factor`), a module in `authn` that verifies it, and its page in `ui::login::step`. Which levels a
//! combination of factors reaches is a table in `provider::levels`.

use serde::{Deserialize, Serialize};

/// What a method proves (NIST SP 800-63-4 §2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// Something that the person knows.
    Knowledge,
    /// Something that the person has.
    Possession,
    /// A key that does not leave its device, and that the device uses only after it has verified who holds it: more than
    /// one factor in itself, and nothing that could be typed at a false page (NIST SP 800-63B-4 §3.1.7).
    Strong,
    /// A confirmation that the identity provider's own authentication service vouches for; what it is worth, the
    /// configuration says.
    External,
}

/// A way to prove who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A password.
    Password,
    /// A time-based one-time code of an app or a device (RFC 6238).
    Totp,
    /// The identity provider's own authentication service.
    External,
    /// A code sent by e-mail.
    #[serde(rename = "email")]
    EmailCode,
    /// A security key that somebody touched (WebAuthn, user presence).
    SecurityKey,
    /// A security key that verified who touched it, by PIN or finger (WebAuthn, user verification).
    VerifiedKey,
    /// The certificate of a card, as the reverse proxy passed it on.
    Certificate,
    /// One of the codes on paper, for when the device is not at hand.
    Recovery,
}

/// What is known of a method.
struct Facts {
    method: Method,
    /// In the configuration, the database, addresses of pages and the log.
    name: &'static str,
    proves: &'static [Factor],
    /// RFC 8176 §2.
    amr: &'static [&'static str],
}

impl Method {
    const FACTS: [Facts; 8] = [
        Facts {
            method: Self::Password,
            name: "password",
            proves: &[Factor::Knowledge],
            amr: &["pwd"],
        },
        Facts {
            method: Self::Totp,
            name: "totp",
            proves: &[Factor::Possession],
            amr: &["otp"],
        },
        Facts {
            method: Self::External,
            name: "external",
            proves: &[Factor::External],
            // The configuration says.
            amr: &[],
        },
        Facts {
            method: Self::EmailCode,
            name: "email",
            proves: &[Factor::Possession],
            amr: &["otp"],
        },
        Facts {
            method: Self::SecurityKey,
            name: "security_key",
            proves: &[Factor::Possession],
            amr: &["hwk", "user"],
        },
        Facts {
            method: Self::VerifiedKey,
            name: "verified_key",
            proves: &[Factor::Knowledge, Factor::Possession, Factor::Strong],
            amr: &["hwk", "user"],
        },
        Facts {
            method: Self::Certificate,
            name: "certificate",
            proves: &[Factor::Knowledge, Factor::Possession, Factor::Strong],
            amr: &["sc", "pin"],
        },
        Facts {
            method: Self::Recovery,
            name: "recovery",
            proves: &[Factor::Possession],
            amr: &["otp"],
        },
    ];

    fn facts(self) -> &'static Facts {
        let [
            password,
            totp,
            external,
            email_code,
            security_key,
            verified_key,
            certificate,
            recovery,
        ] = &Self::FACTS;
        match self {
            Self::Password => password,
            Self::Totp => totp,
            Self::External => external,
            Self::EmailCode => email_code,
            Self::SecurityKey => security_key,
            Self::VerifiedKey => verified_key,
            Self::Certificate => certificate,
            Self::Recovery => recovery,
        }
    }

    /// Every method, in the order in which they are offered.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::FACTS.iter().map(|facts| facts.method)
    }

    /// The name in the configuration, the database, addresses of pages and the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The method of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|method| method.name() == name)
    }

    /// The method that stands for it in `second_factors`: what the person registers.
    #[must_use]
    pub fn setting(self) -> Self {
        match self {
            Self::VerifiedKey => Self::SecurityKey,
            Self::Password
            | Self::Totp
            | Self::External
            | Self::EmailCode
            | Self::SecurityKey
            | Self::Certificate
            | Self::Recovery => self,
        }
    }

    /// Whether it says itself who uses it, so that a login can begin with it.
    #[must_use]
    pub fn identifies(self) -> bool {
        match self {
            Self::VerifiedKey | Self::Certificate => true,
            Self::Password
            | Self::Totp
            | Self::External
            | Self::EmailCode
            | Self::SecurityKey
            | Self::Recovery => false,
        }
    }

    /// Whether it proves a factor.
    #[must_use]
    pub fn proves(self, factor: Factor) -> bool {
        self.facts().proves.contains(&factor)
    }
}

/// The methods by which somebody proved who they are, each once, in that order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Methods(Vec<Method>);

impl Methods {
    /// One.
    #[must_use]
    pub fn only(method: Method) -> Self {
        Self(vec![method])
    }

    /// With one more.
    #[must_use]
    pub fn and(mut self, method: Method) -> Self {
        if !self.0.contains(&method) {
            self.0.push(method);
        }
        self
    }

    /// Whether a factor was proven.
    #[must_use]
    pub fn prove(&self, factor: Factor) -> bool {
        self.0.iter().any(|method| method.proves(factor))
    }

    /// `password totp`, as the database and the log have it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|method| method.name()).collect();
        names.join(" ")
    }

    /// What [`Methods::to_text`] wrote; `None` when a name is unknown.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        text.split_whitespace()
            .map(Method::from_name)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// The `amr` of a token (RFC 8176 §2): each method's values, those of the external method as it is configured, and
    /// `mfa` for more than one factor.
    #[must_use]
    pub fn amr(&self, external: &[&'static str]) -> Vec<&'static str> {
        let mut values: Vec<&'static str> = Vec::new();
        let values_of = |method: &Method| match method {
            Method::External => external.to_vec(),
            other => other.facts().amr.to_vec(),
        };
        for value in self.0.iter().flat_map(values_of) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let beside = self.prove(Factor::Possession) || self.prove(Factor::External);
        if self.prove(Factor::Knowledge) && beside {
            values.push("mfa");
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_found_by_its_name_and_stands_in_its_own_row() {
        for facts in &Method::FACTS {
            assert_eq!(facts.method.facts().name, facts.name);
            assert_eq!(Method::from_name(facts.name), Some(facts.method));
        }
        assert_eq!(Method::from_name("Password"), None);
    }

    #[test]
    fn amr_names_each_value_once_and_says_when_factors_were_combined() {
        let password = Methods::only(Method::Password);
        assert_eq!(password.amr(&[]), ["pwd"]);
        let confirmed = password.clone().and(Method::External);
        assert_eq!(confirmed.amr(&["mca", "pwd"]), ["pwd", "mca", "mfa"]);
        let alone = Methods::only(Method::External);
        assert_eq!(alone.amr(&["mca", "fpt"]), ["mca", "fpt"]);
        let both = password.and(Method::Totp).and(Method::Totp);
        assert_eq!(both.amr(&[]), ["pwd", "otp", "mfa"]);
        assert_eq!(
            both.clone().and(Method::Recovery).amr(&[]),
            ["pwd", "otp", "mfa"]
        );
        let key = Methods::only(Method::VerifiedKey);
        assert_eq!(key.amr(&[]), ["hwk", "user", "mfa"], "alone");
        assert_eq!(both.to_text(), "password totp");
        assert_eq!(Methods::from_text("password totp"), Some(both));
        assert_eq!(Methods::from_text("password palm"), None);
        assert_eq!(Methods::from_text(""), Some(Methods::default()));
    }
}
