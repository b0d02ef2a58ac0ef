//! The journals of one target, read as its history.

use super::{
    error::Error,
    plan::{PlanRefusal, PlanStatus, compare_machines, identify},
};
use crate::{
    diag::{Code, Diagnostic, Exit},
    journal::{self, History, Journal, Store},
    plan::{Machine, Plan, Retirement},
    targets::{Address, Answer, Target},
};

/// What the journals of a target say, and the target's machine.
pub(super) struct Past {
    pub(super) history: History,
    pub(super) machine: Machine,
}

/// Reads the journals of a target.
pub(super) fn past(address: &Address, target: &mut dyn Target, store: &Store) -> Result<Past, Error> {
    let (mut journals, machine) = of_target(address, target, store)?;
    if journals.iter().any(|journal| journal.header.control_set.is_some()) {
        let current = target.control_set()?;
        journals.iter_mut().for_each(|journal| in_sets(journal, &current));
    }
    Ok(Past { history: History::of(&journals), machine })
}

/// Returns the journals of this target, oldest first: those with its address, unless they are of another machine.
fn of_target(address: &Address, target: &mut dyn Target, store: &Store) -> Result<(Vec<Journal>, Machine), Error> {
    let (mut journals, damaged) = store.list()?;
    if let Some(why) = damaged.into_iter().next() {
        let hint = "without it, nobody can say what was there before kbfix: restore it, or move it elsewhere if it is of \
                    another target";
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

/// Names keys of the control set that the journal's changes were made in as they are named now.
fn in_sets(journal: &mut Journal, current: &Answer<u16>) {
    let Some(number) = journal.header.control_set else { return };
    for change in &mut journal.header.changes {
        change.key = match current {
            // A target without that link has the key itself.
            Answer::Absent => continue,
            Answer::Present(current) => change.key.in_control_set(number).in_current_set(*current),
            // Its own number leads to the set in any case.
            Answer::Unread(_) => change.key.in_control_set(number),
        };
    }
}

/// Checks that no journal of the target was added since the plan to retire was made.
///
/// # Errors
/// That the plan is stale, or that the journals cannot be read.
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
                "the plan is stale: it retires specs by the journals up to {}, but the newest one of this target is {is}",
                retires.journal
            );
            let hint = "make a new plan, and have it reviewed; `kbfix journal list` lists the journals";
            Err(Error::new(Exit::Refused, Diagnostic::error(Code::PLAN_STALE, message).hint(hint)))
        }
    }
}
