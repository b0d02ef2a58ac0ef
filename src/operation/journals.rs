//! Reads the journals of one target as its history.

use std::collections::BTreeSet;

use super::{
    error::Error,
    plan::{PlanRefusal, PlanStatus, compare_machines, identify},
};
use crate::{
    diag::{Code, Diagnostic, Exit},
    journal::{self, History, Journal, Status, Store},
    plan::{Machine, Plan, Retirement},
    registry::PolicyBranch,
    targets::{Address, Answer, KeyChange, Target},
};

/// The history of a target according to its journals, and its machine.
pub(super) struct Past {
    pub(super) history: History,
    pub(super) machine: Machine,
    /// The specs that also changed policy values where this target does not change them; see [`Elsewhere`].
    pub(super) elsewhere: Elsewhere,
}

/// The ids, in lower case, of specs that changed policy values in the other place. The other place is the local GPO if
/// the command changes policy values in the registry, and the registry if it changes them in the local GPO.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    /// Specs that made such changes, which are still in place.
    ids: BTreeSet<String>,
    /// Specs that also changed something where this target changes it.
    also_here: BTreeSet<String>,
}

impl Elsewhere {
    /// Removes the changes in the other place from the journals, which are sorted from oldest to newest.
    fn separate(journals: &mut [Journal], through_policy: bool) -> Self {
        let mut found = Self::default();
        let lower = |ids: &[String]| ids.iter().map(|id| id.to_ascii_lowercase()).collect::<Vec<_>>();
        for journal in journals {
            let is_undone = matches!(journal.status(), Status::Undone | Status::RolledBack);
            let header = &mut journal.header;
            let ids = lower(&header.specs);
            if header.target.through_policy == through_policy {
                found.also_here.extend(ids);
                continue;
            }
            if header.action == journal::Operation::Retire {
                found.ids.retain(|id| !ids.contains(id));
            }
            let stays = |change: &KeyChange| change.key.one_name(false).policy_branch() != Some(PolicyBranch::Machine);
            let is_gone = header.changes.iter().any(|change| !stays(change));
            if is_gone && header.action == journal::Operation::Apply && !is_undone {
                found.ids.extend(ids);
            }
            let mut rest = header.changes.iter();
            for count in &mut header.by_spec {
                *count = rest.by_ref().take(*count).filter(|change| stays(change)).count();
            }
            header.changes.retain(stays);
        }
        found
    }

    /// Returns whether the spec may have changed policy values only in the other place; see [`Elsewhere`].
    pub(super) fn has_only(&self, id: &str) -> bool {
        self.has(id) && !self.also_here.contains(&id.to_ascii_lowercase())
    }

    /// Returns whether the spec changed policy values in the other place; see [`Elsewhere`].
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(&id.to_ascii_lowercase())
    }
}

/// Reads the journals of a target.
pub(super) fn past(address: &Address, target: &mut dyn Target, store: &Store) -> Result<Past, Error> {
    let (mut journals, machine) = of_target(address, target, store)?;
    if journals.iter().any(|journal| journal.header.control_set.is_some()) {
        let current = target.control_set()?;
        journals.iter_mut().for_each(|journal| in_sets(journal, &current));
    }
    let elsewhere = Elsewhere::separate(&mut journals, address.through_policy);
    Ok(Past { history: History::of(&journals), machine, elsewhere })
}

/// Returns the journals of this target, oldest first. These are the journals with its address, except those of another
/// machine.
fn of_target(address: &Address, target: &mut dyn Target, store: &Store) -> Result<(Vec<Journal>, Machine), Error> {
    let (mut journals, damaged) = store.list()?;
    if let Some(why) = damaged.into_iter().next() {
        let hint = "without this journal, the state before kbfix is not known: restore the file from a copy, or move it \
            elsewhere if it belongs to another target";
        return Err(Error::from(why).with_hint(hint));
    }
    let machine = identify(target)?;
    journals.retain(|journal| {
        let header = &journal.header;
        header.target.uri == address.uri
            && !matches!(
                compare_machines(&header.machine, &header.target.uri, &machine, &address.uri),
                Err(PlanRefusal::OtherMachine { .. })
            )
    });
    Ok((journals, machine))
}

/// Renames keys in the control set of the journal to the names that they have now.
fn in_sets(journal: &mut Journal, current: &Answer<u16>) {
    let Some(number) = journal.header.control_set else { return };
    for change in &mut journal.header.changes {
        change.key = match current {
            // A target without this link contains the key itself.
            Answer::Absent => continue,
            Answer::Present(current) => change.key.in_control_set(number).in_current_set(*current),
            // The number of a control set always leads to it.
            Answer::Unread(_) => change.key.in_control_set(number),
        };
    }
}

/// Checks that no journal was added to the target since the plan to retire was made.
///
/// # Errors
///
/// Fails if the plan is stale, or if the journals cannot be read.
pub(super) fn check_retirement(
    plan: &Plan,
    retires: &Retirement,
    address: &Address,
    target: &mut dyn Target,
    store: &Store,
) -> Result<PlanStatus, Error> {
    let journals = of_target(address, target, store)?.0;
    let newest = journals.last().map(|journal| &journal.header);
    match newest {
        Some(newest) if newest.id == retires.journal => Ok(PlanStatus::Current),
        Some(newest) if newest.action == journal::Operation::Retire && newest.plan == plan.digest() => {
            Ok(PlanStatus::AlreadyApplied)
        }
        newest => {
            let is = newest.map_or("there is none", |newest| &newest.id);
            let message = format!(
                "the plan is stale: it was made when {} was the newest journal of this target, but now it is {is}",
                retires.journal
            );
            let hint = "make a new plan and have it reviewed; `kbfix journal list` lists the journals";
            Err(Error::new(Exit::Refused, Diagnostic::error(Code::PLAN_STALE, message).hint(hint)))
        }
    }
}
