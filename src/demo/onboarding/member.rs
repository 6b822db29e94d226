//! Who joined, kept in a file.

use super::JoinError;
use crate::clock::UtcTime;
use crate::demo::private_file::write_private;
use crate::demo::{DemoError, EntityType};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const FILE: &str = "members.json";
const MEMBERS_MAX: usize = 500;

/// The superior of a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Below {
    /// The trust anchor.
    #[default]
    #[serde(rename = "ta")]
    TrustAnchor,
    /// The intermediate.
    #[serde(rename = "sa")]
    Intermediate,
}

/// An entity that joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its identifier.
    pub entity_id: String,
    /// What it is.
    pub entity_type: EntityType,
    /// What people call it, for its trust mark.
    pub name: String,
    /// Its superior.
    pub below: Below,
    /// Whether its mark is that of a private relying party.
    pub private: bool,
    /// Its public federation keys, `{"keys": […]}`.
    pub jwks: Value,
    /// When it joined first.
    pub joined_at: UtcTime,
    /// When it was looked at last.
    pub refreshed_at: UtcTime,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    members: Vec<Member>,
}

/// The members, in the order in which they joined; what is in memory is in the file.
pub(super) struct Members {
    file: PathBuf,
    kept: Mutex<Kept>,
}

impl Members {
    pub(super) fn load(folder: &Path) -> Result<Self, DemoError> {
        let file = folder.join(FILE);
        let kept = match std::fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| error.to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Kept::default()),
            Err(error) => Err(error.to_string()),
        };
        match kept {
            Ok(kept) => Ok(Self {
                file,
                kept: Mutex::new(kept),
            }),
            Err(reason) => Err(DemoError::File { path: file, reason }),
        }
    }

    pub(super) fn all(&self) -> Vec<Member> {
        self.kept().members.clone()
    }

    /// Keeps a member; the one of the same identifier goes. Answers the one that is kept, with the time of joining of the
    /// old one, and the old one.
    pub(super) fn keep(&self, mut member: Member) -> Result<(Member, Option<Member>), JoinError> {
        let mut kept = self.kept();
        let mut members = kept.members.clone();
        let position = members
            .iter()
            .position(|known| known.entity_id == member.entity_id);
        let old = match position.and_then(|position| members.get_mut(position)) {
            Some(known) => {
                member.joined_at = known.joined_at;
                Some(std::mem::replace(known, member.clone()))
            }
            None => None,
        };
        if old.is_none() {
            if members.len() >= MEMBERS_MAX {
                return Err(JoinError::Full(MEMBERS_MAX));
            }
            members.push(member.clone());
        }
        self.write(&mut kept, members)?;
        Ok((member, old))
    }

    /// Forgets a member.
    pub(super) fn forget(&self, entity_id: &str) -> Result<Member, JoinError> {
        let mut kept = self.kept();
        let mut members = kept.members.clone();
        let position = members
            .iter()
            .position(|member| member.entity_id == entity_id)
            .ok_or_else(|| JoinError::NotAMember(entity_id.to_owned()))?;
        let forgotten = members.remove(position);
        self.write(&mut kept, members)?;
        Ok(forgotten)
    }

    fn write(&self, kept: &mut Kept, members: Vec<Member>) -> Result<(), DemoError> {
        let failed = |reason: String| DemoError::File {
            path: self.file.clone(),
            reason,
        };
        let new = Kept { members };
        let text = serde_json::to_vec_pretty(&new).map_err(|error| failed(error.to_string()))?;
        write_private(&self.file, &text).map_err(|error| failed(error.to_string()))?;
        *kept = new;
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn member(number: usize) -> Member {
        Member {
            entity_id: format!("http://127.0.0.1:9000/{number}/"),
            entity_type: EntityType::RelyingParty,
            name: "RP".to_owned(),
            below: Below::Intermediate,
            private: true,
            jwks: json!({"keys": []}),
            joined_at: UtcTime(10),
            refreshed_at: UtcTime(10),
        }
    }

    #[test]
    fn members_are_found_again_and_keep_the_time_at_which_they_joined() {
        let folder = tempfile::tempdir().unwrap();
        let members = Members::load(folder.path()).unwrap();
        let (one, old) = members.keep(member(1)).unwrap();
        assert_eq!((&one, old), (&member(1), None));
        members.keep(member(2)).unwrap();
        let later = Member {
            below: Below::TrustAnchor,
            joined_at: UtcTime(20),
            refreshed_at: UtcTime(20),
            ..member(1)
        };
        let (again, old) = members.keep(later.clone()).unwrap();
        assert_eq!(
            (again.joined_at, again.refreshed_at),
            (UtcTime(10), UtcTime(20))
        );
        assert_eq!(old, Some(member(1)));
        let loaded = Members::load(folder.path()).unwrap();
        assert_eq!(loaded.all(), [again, member(2)]);
        assert_eq!(loaded.forget(&member(2).entity_id).unwrap(), member(2));
        assert!(matches!(
            loaded.forget(&member(2).entity_id),
            Err(JoinError::NotAMember(_))
        ));
        assert_eq!(Members::load(folder.path()).unwrap().all().len(), 1);
    }

    #[test]
    fn there_is_an_end_to_the_list_and_what_is_refused_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let members = Members::load(folder.path()).unwrap();
        for number in 0..MEMBERS_MAX {
            members.keep(member(number)).unwrap();
        }
        assert!(matches!(
            members.keep(member(MEMBERS_MAX)),
            Err(JoinError::Full(_))
        ));
        members.keep(member(0)).unwrap();
        std::fs::remove_dir_all(folder.path()).unwrap();
        assert!(matches!(
            members.forget(&member(0).entity_id),
            Err(JoinError::Demo(_))
        ));
        assert_eq!(members.all().len(), MEMBERS_MAX);
    }

    #[test]
    fn a_damaged_file_is_named_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        std::fs::write(&file, "{").unwrap();
        let error = Members::load(folder.path()).err().unwrap().to_string();
        assert!(error.contains("members.json"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), b"{");
    }
}
