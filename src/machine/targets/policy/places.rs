//! Finds the files of the policy stores of a machine.

use crate::registry::KeyName;
use crate::targets::{Answer, KeyFacts, KeyQuery, Reason, TargetError, Unread, profiles};

use super::{PolicyScope, PolicyStore};

/// The name of the folder with the local GPO of administrators: the SID of their group.
const ADMINISTRATORS: &str = "S-1-5-32-544";
/// The name of the folder with the local GPO of all users who are not administrators: the SID of the group Users.
const USERS: &str = "S-1-5-32-545";

/// Where the file of a policy store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::targets) struct Place {
    pub(in crate::targets) store: PolicyStore,
    /// The path on the machine of a folder, such as `C:\WINDOWS`, below which the file is; `None` if the machine has no
    /// such folder, and the reason if its path is not known. `local` and an image follow no link below this folder.
    pub(in crate::targets) folder: Result<Option<String>, Unread>,
    /// The path of the file below `folder`.
    pub(in crate::targets) below: String,
}

impl Place {
    /// Returns the path of the file for facts and messages, as described in [`super::StoreFacts::path`].
    pub(super) fn path(&self) -> String {
        let folder = match (&self.folder, self.store) {
            (Ok(Some(folder)), _) => folder.trim_end_matches('\\'),
            (_, PolicyStore::Applied) => "",
            _ => "%SystemRoot%",
        };
        match folder {
            "" => self.below.clone(),
            folder => format!("{folder}\\{}", self.below),
        }
    }
}

/// Returns where the files of all policy stores of a scope are.
///
/// # Errors
///
/// Returns an error only if the target as a whole cannot be read.
pub(super) fn places(
    mut ask: impl FnMut(&KeyQuery) -> Result<Answer<KeyFacts>, TargetError>,
    scope: &PolicyScope,
) -> Result<Vec<Place>, TargetError> {
    let system_root = profiles::system_root(&mut ask)?;
    let system_root = system_root.and_then(|root| {
        root.ok_or_else(|| {
            Unread::new(
                Reason::Unknown,
                "the registry contains no value SystemRoot, so the folder of this file is not known",
            )
        })
    });
    let local = |store: PolicyStore, below: String| Place {
        store,
        folder: system_root.clone().map(Some),
        below: format!("System32\\{below}"),
    };
    Ok(match scope {
        PolicyScope::Machine => {
            let folder = profiles::program_data(&mut ask, &system_root)?.map(Some);
            let applied = Place { store: PolicyStore::Applied, folder, below: "ntuser.pol".to_owned() };
            vec![local(PolicyStore::Local, r"GroupPolicy\Machine\Registry.pol".to_owned()), applied]
        }
        PolicyScope::User(sid) => {
            let folder = match KeyName::new(sid) {
                Ok(name) => profiles::folder_of(&mut ask, &name, &system_root)?,
                Err(error) => Err(Unread::new(Reason::Unsupported, error.to_string())),
            };
            let own = |store, sid: &str| local(store, format!(r"GroupPolicyUsers\{sid}\User\Registry.pol"));
            vec![
                local(PolicyStore::Local, r"GroupPolicy\User\Registry.pol".to_owned()),
                own(PolicyStore::NonAdministrators, USERS),
                own(PolicyStore::Administrators, ADMINISTRATORS),
                own(PolicyStore::User, sid),
                Place { store: PolicyStore::Applied, folder, below: "ntuser.pol".to_owned() },
            ]
        }
    })
}
