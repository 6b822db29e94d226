//! Who runs a command, for the trail: the account of the machine that the process has, which its caller cannot choose.
//! What the environment says (`SUDO_USER`) stands beside it as what it is, a claim.

use super::environment::Environment;

/// The real user, the effective one, … of a process (proc(5)).
const STATUS: &str = "/proc/self/status";
/// The machine's accounts (passwd(5)).
const PASSWD: &str = "/etc/passwd";
/// Characters of a claim that are kept: no account is called longer (useradd(8)).
const MOST_CLAIM: usize = 32;

/// An account of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineAccount {
    /// The process's real user id; `None` on a system without `/proc`.
    pub uid: Option<u32>,
    /// Its name, if `/etc/passwd` has one.
    pub name: Option<String>,
}

impl MachineAccount {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let uid = std::fs::read_to_string(STATUS)
            .ok()
            .and_then(|status| real_uid(&status));
        let name = uid.and_then(|uid| {
            let accounts = std::fs::read(PASSWD).ok()?;
            name_of(&String::from_utf8_lossy(&accounts), uid)
        });
        Self { uid, name }
    }

    /// As in the trail: `anna`, `uid 1000`, `root, sudo by anna`. On a system that does not tell the user id, what the
    /// environment claims, in parentheses, which no account has.
    #[must_use]
    pub fn describe(&self, environment: &Environment) -> String {
        let claim = |name: &str| environment.claim(name).map(tidy).unwrap_or_default();
        let known = self
            .name
            .clone()
            .or(self.uid.map(|uid| format!("uid {uid}")));
        let who = known.unwrap_or_else(|| {
            let says = [claim("USER"), claim("LOGNAME")];
            let says = says.into_iter().find(|name| !name.is_empty());
            says.map_or_else(
                || "(account not told)".to_owned(),
                |name| format!("(says {name})"),
            )
        });
        match claim("SUDO_USER") {
            by if by.is_empty() || by == who => who,
            by => format!("{who}, sudo by {by}"),
        }
    }
}

/// One word: a claim must not look like more than one.
fn tidy(claim: &str) -> String {
    let fits = |letter: &char| letter.is_alphanumeric() || "._-@+$\\".contains(*letter);
    claim.chars().filter(fits).take(MOST_CLAIM).collect()
}

fn real_uid(status: &str) -> Option<u32> {
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    ids.split_whitespace().next()?.parse().ok()
}

fn name_of(accounts: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let of = fields.nth(1)?;
        (of == uid && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::{MachineAccount, name_of, real_uid};
    use crate::config::Environment;

    #[test]
    fn the_real_user_is_read_from_what_the_kernel_says_and_named_by_the_machines_list() {
        let status = "Name:\tvarco\nUmask:\t0022\nUid:\t1000\t0\t0\t0\nGid:\t5\t5\t5\t5\n";
        assert_eq!(real_uid(status), Some(1000));
        assert_eq!(real_uid("Name:\tvarco\n"), None);
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\nbroken\nanna:x:1000:1000::/home/anna:/bin/sh\n";
        assert_eq!(name_of(accounts, 0).as_deref(), Some("root"));
        assert_eq!(name_of(accounts, 1000).as_deref(), Some("anna"));
        // A group, or a part of a number, is no user.
        assert_eq!(name_of(accounts, 100), None);
        let this = MachineAccount::of_process();
        assert!(this.uid.is_some());
    }

    #[test]
    fn what_the_environment_claims_never_takes_the_place_of_the_account() {
        let account = |uid, name: Option<&str>| MachineAccount {
            uid,
            name: name.map(str::to_owned),
        };
        let lies = Environment::from([("USER", "olga"), ("LOGNAME", "olga")]);
        let says = |known: &MachineAccount| known.describe(&lies);
        assert_eq!(says(&account(Some(1000), Some("anna"))), "anna");
        assert_eq!(says(&account(Some(1000), None)), "uid 1000");
        assert_eq!(says(&account(None, None)), "(says olga)");
        let sudo = Environment::from([("SUDO_USER", "anna"), ("USER", "root")]);
        let root = account(Some(0), Some("root"));
        assert_eq!(root.describe(&sudo), "root, sudo by anna");
        let hostile = Environment::from([("SUDO_USER", "a, sudo by\n(b)\u{202e}")]);
        assert_eq!(root.describe(&hostile), "root, sudo by asudobyb");
        let nothing = account(None, None).describe(&Environment::default());
        assert_eq!(nothing, "(account not told)");
    }
}
