//! Newtypes for what must not be mixed.

use crate::{random, secret};
use serde::{Deserialize, Serialize};

macro_rules! text_identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

macro_rules! random_identifier {
    ($($name:ident),*) => { $(
        impl $name {
            /// A new random key of 128 bits.
            #[must_use]
            pub fn random() -> Self {
                Self(random::identifier())
            }
        }
    )* };
}

text_identifier! {
    /// An issuer's identifier: its URL, byte for byte as configured.
    IssuerId
}
text_identifier! {
    /// A relying party's `client_id`: its entity identifier in the federations, any text for registered clients.
    ClientId
}
text_identifier! {
    /// The key of an account; never leaves the provider (RPs get pairwise subjects, SPID/CIE TM-3).
    AccountId
}
text_identifier! {
    /// The key of a grant: what one user allowed one RP in one login.
    GrantId
}
text_identifier! {
    /// The key of one authorization request on its way through login and consent; appears in page addresses, no secret.
    InteractionId
}
text_identifier! {
    /// The key of a single sign-on session; known to the browser only inside the session store.
    SessionId
}
text_identifier! {
    /// A token's `jti`: a version 4 UUID.
    TokenId
}
text_identifier! {
    /// The key of an operator.
    OperatorId
}
random_identifier!(AccountId, GrantId, InteractionId, SessionId, OperatorId);

impl TokenId {
    /// A new version 4 UUID (SPID/CIE TK-4).
    #[must_use]
    pub fn random() -> Self {
        Self(random::uuid4())
    }
}

/// SHA-256 of an authorization code: the only form in which codes are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodeHash(pub [u8; 32]);

impl CodeHash {
    /// The hash of a code as the RP presents it.
    #[must_use]
    pub fn of(code: &str) -> Self {
        Self(secret::sha256(code.as_bytes()))
    }
}

/// SHA-256 of a browser cookie, session key or recovery code: the only form in which they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SecretHash(pub [u8; 32]);

impl SecretHash {
    /// The hash of a secret text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(secret::sha256(text.as_bytes()))
    }
}
