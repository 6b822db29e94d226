//! The fields of an RP that operators write, and what can be wrong with them.

/// A field, in the order of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The name that people see.
    Name,
    /// The organisation behind it.
    Organization,
    /// One a line.
    RedirectUris,
    /// `private_key_jwt`, ….
    AuthMethod,
    /// A JWKS.
    Jwks,
    /// Or where it is.
    JwksUri,
    /// Words; empty: all that the issuer has.
    Scope,
    /// Seconds; empty: the issuer's.
    AccessSeconds,
    /// As above.
    IdTokenSeconds,
    /// As above.
    RefreshSeconds,
    /// A picture for the consent page.
    LogoUri,
    /// The RP's home page.
    ClientUri,
    /// Its privacy policy.
    PolicyUri,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Name,
        Self::Organization,
        Self::RedirectUris,
        Self::AuthMethod,
        Self::Jwks,
        Self::JwksUri,
        Self::Scope,
        Self::AccessSeconds,
        Self::IdTokenSeconds,
        Self::RefreshSeconds,
        Self::LogoUri,
        Self::ClientUri,
        Self::PolicyUri,
    ];

    /// Its name in the form and in message keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Organization => "organization_name",
            Self::RedirectUris => "redirect_uris",
            Self::AuthMethod => "auth_method",
            Self::Jwks => "jwks",
            Self::JwksUri => "jwks_uri",
            Self::Scope => "scope",
            Self::AccessSeconds => "access_token",
            Self::IdTokenSeconds => "id_token",
            Self::RefreshSeconds => "refresh_token",
            Self::LogoUri => "logo_uri",
            Self::ClientUri => "client_uri",
            Self::PolicyUri => "policy_uri",
        }
    }

    /// Its option on the command line.
    #[must_use]
    pub const fn option(self) -> &'static str {
        match self {
            Self::Name => "--name",
            Self::Organization => "--organization",
            Self::RedirectUris => "--redirect-uri",
            Self::AuthMethod => "--auth-method",
            Self::Jwks => "--jwks-file",
            Self::JwksUri => "--jwks-uri",
            Self::Scope => "--scope",
            Self::AccessSeconds => "--access-token-seconds",
            Self::IdTokenSeconds => "--id-token-seconds",
            Self::RefreshSeconds => "--refresh-token-seconds",
            Self::LogoUri => "--logo-uri",
            Self::ClientUri => "--client-uri",
            Self::PolicyUri => "--policy-uri",
        }
    }
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Nothing was written.
    Missing,
    /// Longer than anything sensible.
    TooLong,
    /// More than 50.
    TooMany,
    /// The same twice.
    Twice,
    /// Line breaks or other control characters.
    Control,
    /// Spaces, or letters beyond ASCII.
    NotAscii,
    /// No absolute URI.
    NotAbsolute,
    /// It has a `#`.
    Fragment,
    /// It has a user before an `@`.
    Credentials,
    /// It has a `*`: they are compared byte for byte.
    Wildcard,
    /// http beyond this machine.
    NotHttps,
    /// A scheme of browsers.
    Scheme,
    /// No https address.
    NotWeb,
    /// The issuer does not have it.
    NotOffered,
    /// `openid` is not among the scopes.
    NoOpenid,
    /// No JWKS.
    NotJwks,
    /// Private keys stay with the RP.
    PrivateKey,
    /// No key that can be used.
    NoUsableKey,
    /// `private_key_jwt` without keys.
    KeysNeeded,
    /// Keys, and the address of others.
    EitherKeys,
    /// No whole number of seconds in the bounds.
    Seconds,
    /// Not a value of the kind that the member has.
    Misshapen,
    /// A member that is not known here.
    UnknownMember,
}

impl Problem {
    /// In message keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.texts().0
    }

    /// For the command line.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        self.texts().1
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Missing => ("missing", "expected a value"),
            Self::TooLong => ("too_long", "too long"),
            Self::TooMany => ("too_many", "at most 50"),
            Self::Twice => ("twice", "is there twice"),
            Self::Control => (
                "control",
                "expected text without line breaks and control characters",
            ),
            Self::NotAscii => ("not_ascii", "expected a URI in ASCII without spaces"),
            Self::NotAbsolute => ("not_absolute", "expected an absolute URI"),
            Self::Fragment => ("fragment", "expected a URI without fragment"),
            Self::Credentials => ("credentials", "expected a URI without credentials"),
            Self::Wildcard => ("wildcard", "wildcards do not work: list every URI in full"),
            Self::NotHttps => (
                "not_https",
                "expected https; http is for loopback addresses",
            ),
            Self::Scheme => (
                "scheme",
                "expected https, http on a loopback address, or a scheme of the application's own",
            ),
            Self::NotWeb => ("not_web", "expected an https address"),
            Self::NotOffered => ("not_offered", "this issuer does not offer it"),
            Self::NoOpenid => ("no_openid", "expected openid among them"),
            Self::NotJwks => ("not_jwks", "expected a JWKS: {\"keys\": [...]}"),
            Self::PrivateKey => (
                "private_key",
                "has a private key: give the public half only, and use another key from now on",
            ),
            Self::NoUsableKey => ("no_usable_key", "no usable public key"),
            Self::KeysNeeded => (
                "keys_needed",
                "private_key_jwt needs the RP's public keys, or their address (--jwks-uri)",
            ),
            Self::EitherKeys => (
                "either_keys",
                "give the keys or the address where they are, not both",
            ),
            Self::Seconds => (
                "seconds",
                "expected a whole number of seconds, from 30 to the issuer's own lifetime",
            ),
            Self::Misshapen => ("misshapen", "a value of another kind was expected"),
            Self::UnknownMember => ("unknown_member", "this member is not known here"),
        }
    }
}

/// A fault of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which field.
    pub field: Field,
    /// Which of its values, where it has several.
    pub value: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

impl Fault {
    pub(super) fn of(field: Field, problem: Problem) -> Self {
        Self {
            field,
            value: None,
            problem,
        }
    }

    /// One line for the command line.
    #[must_use]
    pub fn line(&self) -> String {
        let option = self.field.option();
        match &self.value {
            Some(value) => format!("{option} {value}: {}", self.problem.expected()),
            None => format!("{option}: {}", self.problem.expected()),
        }
    }
}
