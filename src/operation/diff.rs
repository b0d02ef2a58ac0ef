//! The operation diff: finds the changes that a target needs, without changing the target.

use std::borrow::Borrow;

use super::{
    error::Error,
    journals,
    plan::{PlanStatus, Request, cannot_apply, refuse_damaged, too_many_changes, warnings as warnings_of},
    policy,
    progress::{Progress, reading},
    report::{Command, Report},
    symptoms,
};
use crate::{
    diag::Diagnostic,
    journal::Store,
    plan::Plan,
    spec::Spec,
    targets::{Address, Target},
};

/// A plan for a target, with the warnings about it.
#[derive(Debug, Clone)]
pub struct Diff {
    /// The plan.
    pub plan: Plan,
    /// Whether the changes of the plan still have to be made, or were already made.
    pub status: PlanStatus,
    /// Warnings about applying the plan.
    pub warnings: Vec<Diagnostic>,
}

/// Makes a plan from specs, or checks a saved plan against the target.
///
/// A warning is added if a spec would change more than `max_changes` keys and values because of a `*`. If `request` is
/// owned and not borrowed, it is dropped as soon as the plan is made, because many specs take much memory.
///
/// # Errors
///
/// Fails if the target as a whole cannot be read, if the saved plan must not be applied, or if a file that the plan
/// changes is damaged.
pub fn diff(
    request: impl Borrow<Request>,
    max_changes: usize,
    target: &mut dyn Target,
    progress: &mut impl Progress,
) -> Result<Diff, Error> {
    let (mut plan, status) = progress.during(&reading(target), || request.borrow().plan(target))?;
    drop(request);
    let wide = plan.wider_than(max_changes).map(|spec| too_many_changes(spec, max_changes, Diagnostic::warning));
    let mut warnings = Vec::from_iter(wide);
    warnings.extend(warnings_of(&plan, target));
    if status == PlanStatus::Current {
        warnings.extend(policy::of_users(&plan, target, Diagnostic::warning));
        refuse_damaged(&mut plan, target)?;
        warnings.extend(cannot_apply(&mut plan, target, Diagnostic::warning));
    }
    Ok(Diff { plan, status, warnings })
}

impl Diff {
    /// Checks a saved plan that retires specs against the journals, as [`apply`](super::apply()) does, and updates the
    /// status. Does nothing for other plans, or if the changes of the plan were already made. If the journals of the
    /// target are not available, a warning is added. `address` is the address of the target.
    ///
    /// # Errors
    ///
    /// Fails if the journals show that the plan must not be applied, or if the target cannot be read.
    pub fn check_journals(&mut self, address: &Address, target: &mut dyn Target, store: &Store) -> Result<(), Error> {
        if let (Some(retires), PlanStatus::Current) = (&self.plan.retires, self.status) {
            let (status, warning) = journals::review_retirement(&self.plan, retires, address, target, store)?;
            self.status = status;
            self.warnings.extend(warning);
        }
        Ok(())
    }

    /// Returns the report of the command diff.
    pub fn into_report(self) -> Report {
        let conflicts = self.plan.retires.as_ref().map(|retires| retires.conflicts.clone()).unwrap_or_default();
        let is_current = self.status == PlanStatus::Current;
        let mut report = match self.status {
            PlanStatus::Current => Report::of_plan(self.plan, Command::Diff),
            PlanStatus::AlreadyApplied => Report::of_applied_plan(self.plan, Command::Diff),
        };
        report.diagnostics = self.warnings;
        if is_current { report.keeping(conflicts, false) } else { report }
    }
}

/// Adds to the report how often the symptoms of the specs occurred on the target.
///
/// # Errors
///
/// Fails if the target as a whole cannot be read.
pub fn add_symptoms(
    report: &mut Report,
    specs: &[Spec],
    target: &mut dyn Target,
    store: &Store,
    progress: &mut impl Progress,
) -> Result<(), Error> {
    let (symptoms, warnings) = symptoms::find(specs, &report.machine, target, Some(store), progress)?;
    report.symptoms = symptoms;
    report.diagnostics.extend(warnings);
    Ok(())
}
