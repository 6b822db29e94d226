//! Which level a login has to reach, and what has to be proven for it (SPID/CIE AZ-8).
//!
//! ```text
//! acr_values ──level_for──► level to reach ──next_factor(proven)──► the factor to ask for next, until there is none
//! ```

use super::Provider;
use crate::config::IssuerSettings;
use crate::model::{Factor, Method, Methods};

/// Factors that together reach the levels which the configuration says.
struct Way {
    /// In the order in which they are asked for.
    factors: &'static [Factor],
    levels: fn(&IssuerSettings) -> &[String],
}

/// Every way to log in; of two that are equally long, the first is asked for.
static WAYS: [Way; 5] = [
    Way {
        factors: &[Factor::Knowledge],
        levels: |settings| &settings.password_levels,
    },
    Way {
        factors: &[Factor::Knowledge, Factor::Possession],
        levels: |settings| &settings.second_factor_levels,
    },
    Way {
        factors: &[Factor::Knowledge, Factor::External],
        levels: |settings| match &settings.external_method {
            Some(method) => &method.levels,
            None => &[],
        },
    },
    Way {
        factors: &[Factor::Strong],
        levels: |settings| &settings.strong_levels,
    },
    Way {
        factors: &[Factor::External],
        levels: |settings| match &settings.external_method {
            Some(method) => &method.levels_alone,
            None => &[],
        },
    },
];

impl Provider {
    /// Whether people may use a method here.
    #[must_use]
    pub fn accepts(&self, method: Method) -> bool {
        match method {
            Method::Password => true,
            Method::Certificate => self.settings.client_certificate.is_some(),
            Method::Totp | Method::External | Method::EmailCode | Method::Recovery => {
                self.settings.second_factors.contains(&method)
            }
            Method::SecurityKey | Method::VerifiedKey => {
                self.settings.second_factors.contains(&method.setting())
                    && self.key_scope().is_some()
            }
        }
    }

    /// Where browsers use security keys of this issuer: its host, and the origin of its pages. `None` for an issuer at an IP
    /// address, where browsers use none (WebAuthn §5.1.3, step 8).
    #[must_use]
    pub fn key_scope(&self) -> Option<(String, String)> {
        let url = url::Url::parse(&self.settings.id).ok()?;
        let host = url.domain()?.to_owned();
        Some((host, url.origin().ascii_serialization()))
    }

    /// The address of an issuer that would take security keys, if it had a host name.
    #[must_use]
    pub fn no_keys_at(&self) -> Option<String> {
        let wanted = self.settings.second_factors.contains(&Method::SecurityKey);
        (wanted && self.key_scope().is_none()).then(|| self.settings.id.clone())
    }

    /// What tokens call the external method.
    #[must_use]
    pub fn external_amr(&self) -> &[&'static str] {
        let method = self.settings.external_method.as_ref();
        method.map_or(&[], |method| &method.amr)
    }

    /// The level to authenticate at: the first requested one that the configured methods can satisfy, possibly by
    /// a higher one, never by a lower one.
    ///
    /// `None`: no requested level can be reached.
    #[must_use]
    pub fn level_for(&self, acr_values: &[String]) -> Option<&str> {
        if acr_values.is_empty() {
            let default = &self.settings.default_acr;
            if self.profile.levels_are_binding {
                return self.satisfying(default);
            }
            // Nobody asked for a level: a second factor is not demanded of people for it.
            return self.by_password(default).or_else(|| self.weakest());
        }
        let requested = acr_values
            .iter()
            .find_map(|requested| self.satisfying(requested));
        match requested {
            None if !self.profile.levels_are_binding => self.weakest(),
            found => found,
        }
    }

    /// The lowest level that a password alone reaches and that is at least `wanted`.
    fn by_password(&self, wanted: &str) -> Option<&str> {
        let wanted = self.profile.rank(wanted)?;
        let levels = self.settings.password_levels.iter();
        levels
            .filter_map(|level| Some((self.profile.rank(level)?, level.as_str())))
            .filter(|(rank, _)| *rank >= wanted)
            .min()
            .map(|(_, level)| level)
    }

    /// Whether a session of `reached` can answer for `wanted`.
    #[must_use]
    pub fn suffices(&self, reached: &str, wanted: &str) -> bool {
        match (self.profile.rank(reached), self.profile.rank(wanted)) {
            (Some(reached), Some(wanted)) => reached >= wanted,
            _ => false,
        }
    }

    /// The factor to ask for next on the shortest way to a level; `None`: what was proven reaches it. A level that no
    /// way reaches (the configuration changed meanwhile) asks for knowledge for ever.
    #[must_use]
    pub fn next_factor(&self, level: &str, proven: &Methods) -> Option<Factor> {
        let missing = |way: &'static Way| {
            let open = way.factors.iter().filter(|factor| !proven.prove(**factor));
            (open.clone().count(), open.copied().next())
        };
        self.ways_to(level)
            .map(missing)
            .min_by_key(|(count, _)| *count)
            .map_or(Some(Factor::Knowledge), |(_, next)| next)
    }

    /// Whether a login may begin with a method instead of a password: one that says who uses it, or the external one where
    /// it reaches the level alone.
    #[must_use]
    pub fn begins_with(&self, method: Method, level: &str) -> bool {
        let alone = || self.next_factor(level, &Methods::only(method)).is_none();
        method.identifies() || (method == Method::External && alone())
    }

    /// The methods that may be asked for next: those that prove what is missing on any way to the level.
    pub fn next_methods(&self, level: &str, proven: &Methods) -> impl Iterator<Item = Method> {
        let missing: Vec<Factor> = self
            .ways_to(level)
            .flat_map(|way| way.factors.iter().copied())
            .filter(|factor| !proven.prove(*factor))
            .collect();
        self.methods()
            .filter(move |method| missing.iter().any(|factor| method.proves(*factor)))
    }

    /// The methods that people may use here.
    fn methods(&self) -> impl Iterator<Item = Method> {
        Method::all().filter(|method| self.accepts(*method))
    }

    /// The ways that people have here.
    fn ways(&self) -> impl Iterator<Item = &'static Way> {
        let can_prove = |factor: &Factor| self.methods().any(|method| method.proves(*factor));
        WAYS.iter()
            .filter(move |way| way.factors.iter().all(can_prove))
    }

    /// The ways that reach a level, or a higher one.
    fn ways_to(&self, level: &str) -> impl Iterator<Item = &'static Way> {
        self.ways().filter(move |way| {
            let mut levels = (way.levels)(&self.settings).iter();
            levels.any(|reached| self.suffices(reached, level))
        })
    }

    /// The levels that can be reached, with their ranks.
    fn reachable(&self) -> impl Iterator<Item = (usize, &str)> {
        self.ways()
            .flat_map(|way| (way.levels)(&self.settings))
            .filter_map(|level| Some((self.profile.rank(level)?, level.as_str())))
    }

    /// The lowest level within reach that is at least `requested`.
    fn satisfying(&self, requested: &str) -> Option<&str> {
        let wanted = self.profile.rank(requested)?;
        self.reachable()
            .filter(|(rank, _)| *rank >= wanted)
            .min()
            .map(|(_, level)| level)
    }

    fn weakest(&self) -> Option<&str> {
        self.reachable().min().map(|(_, level)| level)
    }
}
