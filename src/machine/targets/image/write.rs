//! Writes changes to an image: to its hives and, if requested, to its local GPO.

use std::borrow::Cow;

use crate::{
    registry::{PolicyBranch, RootKey},
    targets::{KeyChange, WriteError, WriteFailure, profiles},
};

use super::{
    ImageTarget,
    policy::{LocalPolicy, USERS_POLICY},
};

/// The changes to make in the hives, and the changes to make in the local GPO.
type Split<'a> = (Cow<'a, [KeyChange]>, Vec<KeyChange>);

impl ImageTarget {
    /// Checks in memory whether the changes can be written to the hives and the local GPO.
    pub(super) fn rehearse_all(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        let (in_hives, in_policy) = self.split(changes)?;
        self.ready_users(&in_hives)?;
        self.registry.rehearse(&in_hives)?;
        if in_policy.is_empty() { Ok(()) } else { self.open_policy()?.rehearse(&in_policy) }
    }

    /// Writes the changes to the hives and the local GPO.
    pub(super) fn write_all(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        let (in_hives, in_policy) = self.split(changes)?;
        self.ready_users(&in_hives)?;
        if in_policy.is_empty() {
            return self.registry.write(&in_hives);
        }
        let written = self.write_both(&in_hives, &in_policy);
        // The next question reads the policy from disk again.
        self.policy = None;
        self.volume.forget();
        written
    }

    /// Divides the changes into those to make in the hives and those to make in the local GPO. Unless the operator
    /// chose the local GPO, all of them are made in the hives.
    ///
    /// # Errors
    /// If the operator chose the local GPO, returns an error for a change in a policy branch of users, and for a change
    /// of `SystemRoot` together with changes in the local GPO.
    pub(super) fn split<'a>(&self, changes: &'a [KeyChange]) -> Result<Split<'a>, WriteError> {
        if !self.through_policy {
            return Ok((Cow::Borrowed(changes), Vec::new()));
        }
        let (mut in_hives, mut in_policy) = (Vec::new(), Vec::new());
        for change in changes {
            match change.key.one_name(false).policy_branch() {
                None => in_hives.push(change.clone()),
                Some(PolicyBranch::Machine) => in_policy.push(change.clone()),
                Some(PolicyBranch::User) => {
                    let detail = USERS_POLICY.to_owned();
                    return Err(WriteError::Unsupported { place: change.key.to_string(), detail });
                }
            }
        }
        match in_hives.iter().find(|change| !in_policy.is_empty() && profiles::moves_windows(change)) {
            Some(change) => {
                let detail = "this key determines where the local GPO is: after it changes, kbfix could not undo \
                    the changes of this run in the local GPO; change this key in a run of its own";
                Err(WriteError::Unsupported { place: change.key.to_string(), detail: detail.to_owned() })
            }
            None => Ok((Cow::Owned(in_hives), in_policy)),
        }
    }

    /// Reads the policy file of the local GPO, for a change to it.
    fn open_policy(&mut self) -> Result<LocalPolicy, WriteError> {
        let place = self.named.display().to_string();
        self.volume.forget();
        let system_root = self.system_root().map_err(|error| error.refusal(&place))?;
        match LocalPolicy::open(&mut self.volume, &system_root) {
            Ok(Ok(policy)) => Ok(policy),
            Ok(Err(why)) => Err(WriteError::Unsupported { place, detail: why.to_string() }),
            Err(error) => Err(error.refusal(&place)),
        }
    }

    /// Writes the hives first and the local GPO last. The local GPO is prepared before the first write, so that most
    /// errors occur before anything is written.
    fn write_both(&mut self, in_hives: &[KeyChange], in_policy: &[KeyChange]) -> Result<(), WriteFailure> {
        let mut policy = self.open_policy()?;
        let begun = policy.begin(in_policy)?;
        self.registry.write(in_hives)?;
        begun.finish(in_policy).map_err(|failure| {
            let begun = [in_hives, &failure.begun].concat();
            WriteFailure { begun, ..failure }
        })
    }

    /// Prepares the users' hives if one of the changes is below `HKU`.
    ///
    /// # Errors
    /// If a change is below `HKU`, returns an error if the users' hives cannot be found, or if another change of the
    /// run could alter which hive belongs to which user.
    fn ready_users(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        if !changes.iter().any(|change| change.key.path.root() == RootKey::Hku) {
            return Ok(());
        }
        let detail = match self.mount_users() {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(why.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(detail) = detail {
            return Err(WriteError::Unsupported { place: self.named.display().to_string(), detail });
        }
        match changes.iter().find(|change| profiles::names_hives(change)) {
            Some(change) => {
                let detail = "a change of this key can alter where the hives of users are, so this run's changes in \
                    those hives could not be undone; change this key in a run of its own";
                Err(WriteError::Unsupported { place: change.key.to_string(), detail: detail.to_owned() })
            }
            None => Ok(()),
        }
    }
}
