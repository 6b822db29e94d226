//! Which level a login has to reach (SPID/CIE AZ-8).

use super::Provider;

impl Provider {
    /// The level to authenticate at: the first requested one that the configured methods can satisfy, possibly by
    /// a higher one, never by a lower one.
    ///
    /// `None`: no requested level can be reached.
    #[must_use]
    pub fn level_for(&self, acr_values: &[String]) -> Option<&str> {
        if acr_values.is_empty() {
            return self.satisfying(&self.settings.default_acr).or_else(|| {
                (!self.profile.levels_are_binding)
                    .then(|| self.weakest())
                    .flatten()
            });
        }
        let requested = acr_values
            .iter()
            .find_map(|requested| self.satisfying(requested));
        match requested {
            None if !self.profile.levels_are_binding => self.weakest(),
            found => found,
        }
    }

    /// Whether a session of `reached` can answer for `wanted`.
    #[must_use]
    pub fn suffices(&self, reached: &str, wanted: &str) -> bool {
        match (self.profile.rank(reached), self.profile.rank(wanted)) {
            (Some(reached), Some(wanted)) => reached >= wanted,
            _ => false,
        }
    }

    /// The lowest level of the password method that is at least `requested`.
    fn satisfying(&self, requested: &str) -> Option<&str> {
        let wanted = self.profile.rank(requested)?;
        self.settings
            .password_levels
            .iter()
            .filter_map(|level| Some((self.profile.rank(level)?, level.as_str())))
            .filter(|(rank, _)| *rank >= wanted)
            .min()
            .map(|(_, level)| level)
    }

    fn weakest(&self) -> Option<&str> {
        self.settings
            .password_levels
            .iter()
            .filter_map(|level| Some((self.profile.rank(level)?, level.as_str())))
            .min()
            .map(|(_, level)| level)
    }
}
