//! How keys are described: the tables in `tables.rs` are values of these types.

/// What a key's value is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number within bounds.
    Integer { least: i64, most: i64 },
    /// Text that is not empty.
    Text,
    /// As `Text`; never shown in a message.
    Secret,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// An https URL (http in development), kept byte for byte.
    WebAddress,
    /// `#rrggbb`.
    Colour,
    /// `ADDRESS:PORT`.
    SocketAddress,
    /// A list of networks or addresses.
    Networks,
    /// A file or folder, relative to the configuration's folder.
    Path,
    /// A list of texts.
    Texts,
    /// A list of https URLs (http in development).
    WebAddresses,
    /// A level: its URI, or `SpidL1`, `SpidL2`, `SpidL3`.
    Level,
    /// A list of levels.
    Levels,
    /// A list of these texts, each at most once.
    Choices(&'static [&'static str]),
    /// A list of claims of the attribute table, under any of their names.
    Claims,
    /// Claim → attribute or list of attributes.
    ClaimMap,
    /// Claim → label, or language → label.
    Labels,
    /// A label, or language → label.
    Label,
    /// A JWKS, as a table or as JSON text.
    Jwks,
    /// A table; absent counts as empty.
    Section(&'static Section),
    /// A table that may be absent.
    OptionalSection(&'static Section),
    /// A list of tables.
    Sections(&'static Section),
}

/// A key.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name in the file.
    pub(super) name: &'static str,
    /// What its value is.
    pub(super) kind: Kind,
    /// The default as a TOML literal.
    pub(super) default: Option<&'static str>,
    /// For a key without default: a TOML literal for the example.
    pub(super) example: &'static str,
    /// One or more lines for the example configuration.
    pub(super) about: &'static str,
}

/// The keys of a table.
#[derive(Debug)]
pub(super) struct Section {
    /// In the order of the example.
    pub(super) keys: &'static [Key],
}

impl Section {
    /// The key of a name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The known name that an unknown one most probably stands for.
    pub(super) fn nearest(&self, unknown: &str) -> Option<&'static str> {
        nearest(unknown, self.keys.iter().map(|key| key.name))
    }
}

/// The name that the unknown one begins, or that of smallest edit distance unless even that is far off.
pub(super) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.collect();
    if let Some(longer) = known
        .iter()
        .find(|name| unknown.len() > 3 && name.starts_with(unknown))
    {
        return Some(longer);
    }
    let limit = unknown.chars().count().min(64) / 3 + 2;
    known
        .into_iter()
        .map(|name| (distance(unknown, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein's distance of the first 64 characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.chars().take(64).enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        let mut next = vec![before];
        for (to, above) in right.iter().zip(row.iter().skip(1)) {
            let cost = usize::from(from != *to);
            before = (diagonal + cost).min(before + 1).min(above + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_that_was_mistyped() {
        let names = ["listen", "public_url", "profile"];
        assert_eq!(nearest("lisen", names.into_iter()), Some("listen"));
        assert_eq!(nearest("publicurl", names.into_iter()), Some("public_url"));
        assert_eq!(nearest("quite_another", names.into_iter()), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
