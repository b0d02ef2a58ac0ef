//! The machines of a fleet, and the parameters of the specs for each machine.

use std::collections::BTreeMap;

use crate::{spec::Setting, targets::Address};

/// A machine of a fleet, before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name of the machine in the fleet.
    pub name: String,
    /// The target as text for reports, such as `snapshot:snapshots/FE1.json`.
    pub named: String,
    /// The address of the machine's target, or the reason why the machine has no target that can be read.
    pub address: Result<Address, String>,
    /// The groups to which the machine belongs.
    pub groups: Vec<String>,
    /// Parameters for this machine only.
    pub parameters: BTreeMap<String, Setting>,
}

/// The machines of a fleet.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// The machines, ordered by name.
    pub each: Vec<Member>,
    /// The groups of each wave, in order. A machine is in the first wave that names one of its groups; machines that no
    /// wave names come last.
    pub waves: Vec<Vec<String>>,
}

impl Members {
    /// Returns a fleet of these machines. They are ordered by name, without regard to case.
    pub fn new(mut each: Vec<Member>, waves: Vec<Vec<String>>) -> Self {
        each.sort_by_cached_key(|member| (member.name.to_lowercase(), member.name.clone(), member.named.clone()));
        Self { each, waves }
    }

    /// Returns the number of a machine's wave, from 1; `None` if the fleet has no waves. A machine that no wave names
    /// gets the number after that of the last wave.
    pub fn wave(&self, member: &Member) -> Option<usize> {
        if self.waves.is_empty() {
            return None;
        }
        let is_of = |wave: &Vec<String>| wave.iter().any(|group| member.groups.contains(group));
        Some(self.waves.iter().position(is_of).unwrap_or(self.waves.len()) + 1)
    }

    /// Returns whether any machine belongs to the group.
    pub fn has_group(&self, group: &str) -> bool {
        self.each.iter().any(|member| member.groups.iter().any(|known| known == group))
    }

    /// Returns the distinct sets of parameters, and for each machine the index of its set in them.
    pub fn parameters(&self) -> (Vec<&BTreeMap<String, Setting>>, Vec<usize>) {
        let mut distinct: Vec<&BTreeMap<String, Setting>> = Vec::new();
        let mut which = Vec::with_capacity(self.each.len());
        for member in &self.each {
            let at = distinct.iter().position(|known| **known == member.parameters).unwrap_or_else(|| {
                distinct.push(&member.parameters);
                distinct.len() - 1
            });
            which.push(at);
        }
        (distinct, which)
    }
}
