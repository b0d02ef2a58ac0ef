//! Reads the journals of one target, as the history of this target.

use std::collections::BTreeSet;

use super::{
    error::Error,
    plan::{PlanRefusal, PlanStatus, compare_machines, identify},
};
use crate::{
    diag::{Code, Diagnostic, Exit, Hint},
    journal::{self, History, Journal, Status, Store},
    plan::{Machine, Plan, Retirement},
    registry::PolicyBranch,
    spec::is_protected,
    targets::{Address, Answer, ChangeAction, KeyChange, Target},
};

/// The history of a target according to its journals, and the identity of its machine.
pub(super) struct Past {
    pub(super) history: History,
    pub(super) machine: Machine,
    /// The specs that changed policy values where this command does not change them: in the registry or in the local
    /// GPO.
    pub(super) elsewhere: Elsewhere,
}

/// The specs that changed policy values in the other place. A command changes policy values either in the registry or
/// in the local GPO; the other place is the one that it does not change. The ids are in lower case.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    /// The specs whose changes in the other place were neither undone completely nor retired.
    ids: BTreeSet<String>,
    /// The specs in the journals of the place that this command changes, including specs whose changes were undone.
    also_here: BTreeSet<String>,
}

impl Elsewhere {
    /// Removes from the journals all changes of policy values in the other place, and returns the specs that made these
    /// changes. `journals` is sorted from oldest to newest. `through_policy` is true if this command changes policy
    /// values in the local GPO; the other place is then the registry.
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

    /// Returns whether the spec made changes in the other place (see [`Elsewhere`]) that were not undone, and is in no
    /// journal of the place that this command changes.
    pub(super) fn has_only(&self, id: &str) -> bool {
        self.has(id) && !self.also_here.contains(&id.to_ascii_lowercase())
    }

    /// Returns whether the spec made changes in the other place (see [`Elsewhere`]) that were not undone.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(&id.to_ascii_lowercase())
    }
}

/// Reads the journals of a target, and returns its history. Fails if a journal or the target cannot be read.
pub(super) fn past(address: &Address, target: &mut dyn Target, store: &Store) -> Result<Past, Error> {
    let (journals, machine) = of_target(address, target, store)?;
    let (history, elsewhere) = history(journals, address.through_policy, target)?;
    Ok(Past { history, machine, elsewhere })
}

/// Returns the history that the journals of a target show, and the specs that changed policy values in the other place.
fn history(
    mut journals: Vec<Journal>,
    through_policy: bool,
    target: &mut dyn Target,
) -> Result<(History, Elsewhere), Error> {
    if journals.iter().any(|journal| journal.header.control_set.is_some()) {
        let current = target.control_set()?;
        journals.iter_mut().for_each(|journal| in_sets(journal, &current));
    }
    let elsewhere = Elsewhere::separate(&mut journals, through_policy);
    Ok((History::of(&journals), elsewhere))
}

/// Returns the journals of this target, oldest first, and the identity of its machine. Journals with the same address
/// but of another machine are left out.
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

/// Gives the keys of the journal their present names, because the control set to which the apply wrote may no longer be
/// the current one. `current` is the number of the present control set; absent if the target has no link to it.
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

/// Checks a plan that retires specs against the journals of the target. All facts of the plan must be unchanged.
///
/// Returns [`PlanStatus::AlreadyApplied`] if the plan contains no changes, and the newest journal shows that it was
/// carried out. If the newest journal was written by an apply of this plan that failed or was interrupted, the
/// unchanged facts show that nothing of it is left, so the plan may be applied again.
///
/// # Errors
///
/// Fails if another journal of the target is newer than the plan, if the plan was carried out but its changes were then
/// undone, if the plan deletes a protected key that kbfix has not created, or if the journals cannot be read.
pub(super) fn check_retirement(
    plan: &Plan,
    retires: &Retirement,
    address: &Address,
    target: &mut dyn Target,
    store: &Store,
) -> Result<PlanStatus, Error> {
    let journals = of_target(address, target, store)?.0;
    check_against(journals, plan, retires, target)
}

/// Checks a plan that retires specs like [`check_retirement`], for a reviewer who perhaps cannot read the journals. If
/// the journals cannot be read, or there is none of this target, the function returns a warning instead of an error.
pub(super) fn review_retirement(
    plan: &Plan,
    retires: &Retirement,
    address: &Address,
    target: &mut dyn Target,
    store: &Store,
) -> Result<(PlanStatus, Option<Diagnostic>), Error> {
    let why = match of_target(address, target, store) {
        Ok((journals, _)) if !journals.is_empty() => {
            return check_against(journals, plan, retires, target).map(|status| (status, None));
        }
        Ok(_) => {
            store.missing().unwrap_or_else(|| format!("{} contains no journal of this target", store.root().display()))
        }
        Err(error) => error.diagnostics.into_iter().map(|one| one.message).collect::<Vec<_>>().join("; "),
    };
    let message = format!("the plan retires specs, but it could not be checked against the journals: {why}");
    let hint = Hint::new(
        "give the state folder of the machine; without its journals, kbfix does not notice if the plan is stale or was \
         edited",
    );
    let warning = Diagnostic::warning(Code::JOURNAL_MISSING, message).hint(hint.option("state-dir", "DIR"));
    Ok((PlanStatus::Current, Some(warning)))
}

fn check_against(
    journals: Vec<Journal>,
    plan: &Plan,
    retires: &Retirement,
    target: &mut dyn Target,
) -> Result<PlanStatus, Error> {
    let newest = journals.last();
    let of_this_plan = newest
        .filter(|newest| newest.header.action == journal::Operation::Retire && newest.header.plan == plan.digest());
    let has_changes = plan.changes().next().is_some();
    let may_be_applied = match of_this_plan.map(Journal::status) {
        None => newest.is_some_and(|newest| newest.header.id == retires.journal),
        Some(Status::Done) if !has_changes => return Ok(PlanStatus::AlreadyApplied),
        // The facts are those before the retirement again, so someone has changed everything back.
        Some(Status::Done) => false,
        Some(Status::RolledBack | Status::RolledBackInPart) => !has_changes,
        Some(Status::Interrupted | Status::Undone | Status::Failed) => true,
    };
    if !may_be_applied {
        let is = newest.map_or("missing", |newest| &newest.header.id);
        let message = format!(
            "the plan is stale: the newest journal of this target was {} when the plan was made, and is {is} now",
            retires.journal
        );
        let hint = "make a new plan and have it reviewed; `kbfix journal list` lists the journals";
        return Err(Error::new(Exit::Refused, Diagnostic::error(Code::PLAN_STALE, message).hint(hint)));
    }
    let history = history(journals, plan.through_policy, target)?.0;
    let deleted = plan.changes().filter(|change| change.action == ChangeAction::Delete).map(|change| &change.key);
    let Some(key) = deleted.filter(|key| is_protected(key)).find(|key| !history.is_created(key)) else {
        return Ok(PlanStatus::Current);
    };
    let message =
        format!("the plan is inconsistent: it deletes {key}, a key that Windows needs and that kbfix has not created");
    let hint = "the plan was edited after it was made: make a new plan, and have it reviewed";
    Err(Error::new(Exit::Refused, Diagnostic::error(Code::PLAN_INCONSISTENT, message).hint(hint)))
}
