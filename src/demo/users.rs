//! The people of the demonstration: invented, with fiscal codes whose check characters are right.

/// JSON lines for the identity registry, in the import form of INTERFACE.md ("Users for import"): one object a line with
/// `username`, `password`, `enabled` and `attributes` (the claims of spec/spid-cie.md without namespace).
///
/// The passwords are published on purpose: this is only ever loaded by the demonstration and by tests.
#[must_use]
pub const fn users() -> &'static str {
    include_str!("users.jsonl")
}

/// `(username, password)` of the people in [`users`], for the welcome page and the terminal.
#[must_use]
pub const fn credentials() -> [(&'static str, &'static str); 4] {
    [
        ("ada", "ada-demo"),
        ("bruno", "bruno-demo"),
        ("chiara", "chiara-demo"),
        ("dario", "dario-demo"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_printed_credential_belongs_to_a_user_with_a_fiscal_number() {
        let users: Vec<Value> = users()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(users.len(), credentials().len());
        for (user, (username, password)) in users.iter().zip(credentials()) {
            assert_eq!(user["username"], username);
            assert_eq!(user["password"], password);
            let fiscal_number = user["attributes"]["fiscal_number"].as_str().unwrap();
            assert_eq!(fiscal_number.len(), "TINIT-".len() + 16);
            assert_eq!(user["attributes"]["spid_code"].as_str().unwrap().len(), 14);
        }
    }
}
