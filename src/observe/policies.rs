//! Queries about the policy stores of a target.

use crate::{
    registry::{Key, ValueName},
    targets::{PolicyScope, PolicySetting, PolicyStore, Reason, StoreAnswer, Unread},
};

use super::{query::Query, reader::Reader};

/// The setting of one policy store for a value, as [`Reader::policies`] returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The kind of policy store.
    pub store: PolicyStore,
    /// The path of the policy file.
    pub path: String,
    /// The setting of the store for the value, or the reason why the store could not be read.
    pub says: Result<PolicySetting, Unread>,
}

impl Reader<'_> {
    /// Sets whether the reader queries policy stores. Without this call, it does not.
    #[must_use]
    pub fn with_policies(mut self, with_policies: bool) -> Self {
        self.with_policies = with_policies;
        self
    }

    /// Sets whether the target reads values in policy branches from its local GPO instead of the registry. This only
    /// determines what [`Self::is_of_policy`] returns.
    #[must_use]
    pub fn through_policy(mut self, through_policy: bool) -> Self {
        self.through_policy = through_policy;
        self
    }

    /// Returns whether the target reads the values of the key from its local GPO instead of the registry.
    pub fn is_of_policy(&self, key: &Key) -> bool {
        self.through_policy && key.policy_branch().is_some()
    }

    /// Returns the settings of policy stores for a value: one entry for each store that has a setting for the value or
    /// could not be read.
    ///
    /// The list is empty if this reader does not query policy stores ([`Reader::with_policies`]), if Group Policy does
    /// not set values in this key, or if the stores were not read yet.
    ///
    /// # Errors
    ///
    /// Returns the reason if the facts come from a snapshot that does not contain the settings for this value.
    pub fn policies(&self, key: &Key, name: &ValueName) -> Result<Vec<Told>, Unread> {
        let Some(scope) = PolicyScope::of(key).filter(|_| self.with_policies) else { return Ok(Vec::new()) };
        self.trace(|| Query::Policy(key.clone(), name.clone()));
        match self.facts.borrow().policies(key, name) {
            Some(Ok(answers)) => {
                return Ok(answers
                    .into_iter()
                    .map(|StoreAnswer { store, says }| Told {
                        store: store.store,
                        path: store.path.clone(),
                        says: says.cloned().map_err(Clone::clone),
                    })
                    .collect());
            }
            Some(Err(())) => {
                return Err(Unread::new(
                    Reason::Unknown,
                    "the snapshot does not contain the settings of policy stores for \
                    this value",
                ));
            }
            None => {}
        }
        self.missed.set(self.missed.get() + 1);
        let mut missing = self.missing.borrow_mut();
        let values = missing.policies.entry(scope).or_default();
        values.entry(key.clone()).or_default().insert(name.clone());
        Ok(Vec::new())
    }
}
