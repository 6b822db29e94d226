//! What may be wrong with what is said of a person: data, so that the command line and the desk say it in their words.
//!
//! One more: a variant, its row in `FaultKind::TEXTS`, its message `desk-fault-NAME` in every language.

use serde::{Deserialize, Serialize};

/// What is wrong, and what is expected. Holds no value that was typed: values are personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// The claim, member or column; empty when it is the whole line.
    pub field: String,
    /// A number or names that the message has beside the field.
    pub detail: String,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The line is too long.
    LineTooLong,
    /// The file broke off.
    Unreadable,
    /// Not UTF-8.
    Encoding,
    /// A line of JSON lines that is another value.
    NoObject,
    /// A line of JSON lines that is no JSON.
    NoJson,
    /// A member twice.
    MemberTwice,
    /// CSV without a first line.
    NoHeader,
    /// CSV with a column twice.
    ColumnTwice,
    /// CSV without usernames.
    NoUsernameColumn,
    /// CSV with too many or too few cells in a row.
    Ragged,
    /// A cell that has to be JSON and is not.
    CellNoJson,
    /// No username.
    NoUsername,
    /// Not a username.
    Username,
    /// A username again.
    UsernameAgain,
    /// Not a password.
    Password,
    /// Not a new password.
    NewPassword,
    /// Not an argon2id hash.
    PasswordHash,
    /// Both of them.
    BothPasswords,
    /// Not a secret of one-time codes.
    TotpSecret,
    /// Not text.
    NotText,
    /// Neither true nor false.
    NotBoolean,
    /// Not an object.
    NotObject,
    /// A member that nobody knows.
    UnknownMember,
    /// A claim that nobody knows.
    UnknownClaim,
    /// A claim under two names.
    TwoNames,
    /// A value that is too long or too deep.
    TooDeep,
    /// Not a SPID code.
    SpidCode,
    /// Not words.
    Words,
    /// Empty.
    Text,
    /// Not a day.
    Date,
    /// Neither of the two.
    Gender,
    /// Not a fiscal number.
    FiscalNumber,
    /// Not a VAT number.
    VatNumber,
    /// Not digits.
    Digits,
    /// Not an address.
    Email,
    /// Not an object of these members.
    Members,
}

impl FaultKind {
    /// Every kind with its name and what a command line says; `{}` is the field, `{#}` the detail.
    const TEXTS: [(Self, &'static str, &'static str); 36] = [
        (Self::LineTooLong, "line_too_long", "longer than {#} bytes"),
        (
            Self::Unreadable,
            "unreadable",
            "the file could not be read to its end",
        ),
        (
            Self::Encoding,
            "encoding",
            "not UTF-8; save the file in that encoding",
        ),
        (
            Self::NoObject,
            "no_object",
            "no JSON object; expected {\"username\": …} on one line",
        ),
        (
            Self::NoJson,
            "no_json",
            "no JSON; expected {\"username\": …} on one line",
        ),
        (
            Self::MemberTwice,
            "member_twice",
            "member {} twice in one object",
        ),
        (
            Self::NoHeader,
            "no_header",
            "no header line such as username,password,given_name",
        ),
        (
            Self::ColumnTwice,
            "column_twice",
            "a column twice; expected every column once",
        ),
        (
            Self::NoUsernameColumn,
            "no_username_column",
            "no column username; expected a header line such as username,password,given_name",
        ),
        (
            Self::Ragged,
            "ragged",
            "not {#} cells, as the header line has",
        ),
        (
            Self::CellNoJson,
            "cell_no_json",
            "{}: no JSON; expected {#}",
        ),
        (Self::NoUsername, "no_username", "no username"),
        (
            Self::Username,
            "username",
            "username: expected 1 to 255 bytes without control characters, and no space at either end",
        ),
        (
            Self::UsernameAgain,
            "username_again",
            "username of line {#} again; every username once",
        ),
        (
            Self::Password,
            "password",
            "password: a password has 1 to 1024 bytes",
        ),
        (
            Self::NewPassword,
            "new_password",
            "a new password has at least 8 characters, and at most 1024 bytes; several words are easy to keep in mind",
        ),
        (
            Self::PasswordHash,
            "password_hash",
            "password_hash: not an argon2id hash ($argon2id$v=19$m=…,t=…,p=…$salt$hash) with at most 256 MiB and 16 passes",
        ),
        (
            Self::BothPasswords,
            "both_passwords",
            "both password and password_hash; expected one of the two",
        ),
        (
            Self::TotpSecret,
            "totp_secret",
            "totp_secret: expected 10 to 128 bytes in Base32",
        ),
        (Self::NotText, "not_text", "{}: expected text"),
        (
            Self::NotBoolean,
            "not_boolean",
            "{}: expected true or false",
        ),
        (Self::NotObject, "not_object", "{}: expected an object"),
        (
            Self::UnknownMember,
            "unknown_member",
            "unknown member {}; expected {#}",
        ),
        (
            Self::UnknownClaim,
            "unknown_claim",
            "unknown claim {}; expected one of the attribute table, or one named in an issuer's `attributes`",
        ),
        (
            Self::TwoNames,
            "two_names",
            "{}: given under two names with different values",
        ),
        (Self::TooDeep, "too_deep", "{}: too long or too deep"),
        (
            Self::SpidCode,
            "spid_code",
            "{}: expected four letters of the identity provider and ten alphanumerics",
        ),
        (
            Self::Words,
            "words",
            "{}: expected words separated by single spaces",
        ),
        (Self::Text, "text", "{}: expected text that is not empty"),
        (Self::Date, "date", "{}: expected a date as YYYY-MM-DD"),
        (Self::Gender, "gender", "{}: expected female or male"),
        (
            Self::FiscalNumber,
            "fiscal_number",
            "{}: expected TINIT- and a codice fiscale (16 capital letters and digits, or 11 digits)",
        ),
        (
            Self::VatNumber,
            "vat_number",
            "{}: expected VATIT- and 11 digits",
        ),
        (Self::Digits, "digits", "{}: expected digits"),
        (
            Self::Email,
            "email",
            "{}: expected an electronic mail address",
        ),
        (
            Self::Members,
            "members",
            "{}: expected a JSON object with {#}",
        ),
    ];

    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::TEXTS.iter().map(|(kind, ..)| *kind)
    }

    fn row(self) -> (&'static str, &'static str) {
        Self::TEXTS
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or(("", ""), |(_, name, text)| (name, text))
    }

    /// In message keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Of a whole line.
    #[must_use]
    pub fn alone(self) -> Fault {
        self.of("", "")
    }

    /// Of a field.
    #[must_use]
    pub fn of(self, field: &str, detail: impl ToString) -> Fault {
        Fault {
            kind: self,
            field: field.chars().take(MOST_FIELD).collect(),
            detail: detail.to_string(),
        }
    }
}

/// Characters of a field's name that are repeated.
const MOST_FIELD: usize = 100;

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (_, text) = self.kind.row();
        // The detail first: a field may be called anything.
        let text = text.replacen("{#}", &self.detail, 1);
        f.write_str(&text.replacen("{}", &self.field, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_row_and_the_name_that_is_stored() {
        assert_eq!(FaultKind::all().count(), 36);
        for kind in FaultKind::all() {
            let stored = serde_json::to_value(kind).unwrap();
            assert_eq!(stored, kind.name());
        }
        let fault = FaultKind::CellNoJson.of("{#}", "{}");
        assert!(fault.to_string().contains("{#}") || fault.to_string().contains("{}"));
    }
}
