//! The operation apply: changes a target so that specs are satisfied, or makes the changes of a reviewed plan.

use std::time::Duration;

use super::{
    changes,
    error::Error,
    execute::{Applied, Failure, StartError, execute_as, has_journal},
    install::{self, Packages},
    journals,
    plan::{PlanStatus, Request, cannot_apply, refuse_damaged, too_many_changes, warnings},
    policy,
    progress::{Progress, changing, reading},
    report::{Command, Report},
    restart,
};
use crate::{
    diag::{Code, Diagnostic, Exit, Severity},
    journal::{self, Store},
    plan::{Outcome, Plan, SpecPlan},
    targets::{Address, Facts, Target},
};

/// The default of [`ApplyOptions::max_changes`]: each spec may change 1000 keys and values because of a `*`.
pub const MOST_CHANGES: usize = 1000;

/// Options for an apply.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// Whether to change nothing, and only show what would be done. Errors that would stop a real apply are reported
    /// too, if kbfix can find them without changing anything.
    pub check: bool,
    /// The highest number of keys and values that each spec may change because of a `*` ([`SpecPlan::by_star`]). If a
    /// spec would change more, the registry is not changed.
    pub max_changes: usize,
    /// The codes of warnings that prevent the apply, such as [`Code::POLICY_OWNED`]. Only warnings about the plan and
    /// the target count.
    pub fail_on: Vec<Code>,
    /// The packages of the hotfixes that are installed before the registry is changed.
    pub packages: Packages,
    /// The time limit for a package. A package that takes longer is ended.
    pub package_limit: Duration,
    /// Whether to restart the services that the specs name, after the changes.
    pub restart_services: bool,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            check: false,
            max_changes: MOST_CHANGES,
            fail_on: Vec::new(),
            packages: Packages::default(),
            package_limit: Duration::from_secs(60 * 60),
            restart_services: false,
        }
    }
}

/// Applies specs or a saved plan to a target.
///
/// The function locks the target, makes or checks the plan, installs hotfixes, writes the journal, makes the changes
/// and restarts services. A dry run (`options.check`) only makes or checks the plan. `address` is stored in the
/// journal, so that a later rollback finds the target. `store` is the state folder, for the journal.
///
/// # Errors
///
/// Returns an error only if nothing was changed. Errors after the first change are in the report.
pub fn apply(
    request: Request,
    options: &ApplyOptions,
    address: Address,
    target: &mut dyn Target,
    store: &Store,
    progress: &mut impl Progress,
) -> Result<Report, Error> {
    if options.restart_services {
        restart::check(&address)?;
    }
    // A dry run does not lock the target, because a lock needs the right to write.
    let _lock = if options.check { None } else { Some(target.lock()?) };
    let (mut plan, mut status) = progress.during(&reading(target), || request.plan(target))?;
    let conflicts = plan.retires.as_ref().map(|retires| retires.conflicts.clone()).unwrap_or_default();
    let action = match &plan.retires {
        Some(retires) => {
            if status == PlanStatus::Current {
                status = journals::check_retirement(&plan, retires, &address, target, store)?;
            }
            journal::Operation::Retire
        }
        None => journal::Operation::Apply,
    };
    let warnings = warnings(&plan, target);
    refuse(&warnings, &options.fail_on)?;
    if status == PlanStatus::AlreadyApplied {
        let mut report = Report::of_applied_plan(plan, Command::Apply);
        report.diagnostics.extend(warnings);
        return Ok(report);
    }
    let narrow = |plan: &Plan| match plan.wider_than(options.max_changes) {
        Some(spec) => Err(Error::new(Exit::Refused, too_many_changes(spec, options.max_changes, Diagnostic::error))),
        None => Ok(()),
    };
    narrow(&plan)?;
    if let Some(why) = policy::of_users(&plan, target, Diagnostic::error) {
        return Err(Error::new(Exit::Blocked, why));
    }
    refuse_damaged(&mut plan, target)?;
    if options.restart_services {
        restart::find(&plan)?;
    }
    if options.check {
        options.packages.check(&plan, &address)?;
        if has_journal(&plan) {
            store.check(&address).map_err(StartError::Journal)?;
        }
        if let Some(why) = cannot_apply(&mut plan, target, Diagnostic::error) {
            return Err(Error::new(Outcome::RolledBack.exit(), why));
        }
        let mut report = Report::of_plan(plan, Command::Apply);
        report.diagnostics.extend(warnings);
        return Ok(report.keeping(conflicts, false));
    }
    let prepared = options.packages.prepare(&plan, &address, store)?;
    let mut report = if prepared.is_empty() {
        // No plan is made again, and many specs take much memory.
        drop(request);
        let what = changing(target);
        progress.during(&what, || carry_out(plan, action, address, target, store))?
    } else {
        let installed = install::run(plan, prepared, options.package_limit, progress);
        let specs = match request {
            Request::Specs(specs) => Some(specs),
            Request::Plan(_) => None,
        };
        install::go_on(installed, specs, target, |plan, target| {
            narrow(&plan)?;
            carry_out(plan, action, address, target, store)
        })
    };
    report.command = Command::Apply;
    report.diagnostics.extend(warnings);
    report = report.keeping(conflicts, true);
    if options.restart_services {
        restart::restart(&mut report, progress);
    }
    Ok(report)
}

/// Returns an error if one of the warnings has one of the codes in `fail_on`.
fn refuse(warnings: &[Diagnostic], fail_on: &[Code]) -> Result<(), Error> {
    let found = warnings.iter().filter(|warning| fail_on.contains(&warning.code));
    let diagnostics: Vec<_> = found.map(|one| Diagnostic { severity: Severity::Error, ..one.clone() }).collect();
    match diagnostics.is_empty() {
        true => Ok(()),
        false => Err(Error { exit: Exit::Blocked, diagnostics, moved: Vec::new() }),
    }
}

/// Makes the changes of a plan, and returns the report with the result. The caller holds the lock of the target.
pub(super) fn carry_out(
    mut plan: Plan,
    action: journal::Operation,
    address: Address,
    target: &mut dyn Target,
    store: &Store,
) -> Result<Report, Error> {
    let acts = plan.changes().next().is_some();
    let digest = plan.digest();
    // The facts take as much memory as the changes, and are not needed any more.
    plan.facts = Facts::default();
    let (mut applied, counts) = execute_as(&mut plan, digest.clone(), action, address, target, store)?;
    if let Applied::Done(journal) | Applied::Undone(journal, _) | Applied::Incomplete(journal, ..) = &mut applied {
        changes::put_back(&mut plan, std::mem::take(&mut journal.header.changes), counts);
    }
    let (outcome, failure) = match &applied {
        Applied::Nothing => (Outcome::InDesiredState, None),
        Applied::Done(_) => (Outcome::Changed, None),
        Applied::Undone(_, why) => (Outcome::RolledBack, Some(why.to_string())),
        Applied::Incomplete(_, why, left) => {
            (Outcome::Failed, Some(format!("{why}. These were not restored: {}", left.join("; "))))
        }
    };
    for spec in plan.specs.iter_mut().filter(|spec| spec.outcome == Outcome::ChangesPending) {
        match spec.changes.is_empty() {
            // The plan contained only the installation of a hotfix, which is already done.
            true => finish(spec, Outcome::Changed, None),
            false => finish(spec, outcome, failure.as_deref()),
        }
    }
    let mut report = Report::new(Command::Apply).with_specs(plan.specs);
    // A plan that was made from a snapshot names the snapshot; the report names the target that was changed.
    report.target = Some(target.uri());
    report.through_policy = target.through_policy();
    report.machine = plan.machine;
    report.digest = Some(digest);
    report.changed = acts && matches!(applied, Applied::Done(_) | Applied::Incomplete(..));
    report.is_refused = match &applied {
        Applied::Undone(_, Failure::Write(failure)) => failure.begun.is_empty(),
        _ => false,
    };
    report.journal = applied.journal().map(|journal| journal.path.display().to_string());
    if let Some(failure) = failure {
        let hint = match outcome {
            Outcome::Failed => "correct the cause, and roll back the journal; or restore by hand what was not restored",
            _ if report.is_refused => "nothing was changed; correct the cause, and run the command again",
            _ => "everything was restored; correct the cause, and run the command again",
        };
        report.diagnostics.push(Diagnostic::error(Code::WRITE_FAILED, failure).hint(hint));
    }
    Ok(report)
}

fn finish(spec: &mut SpecPlan, outcome: Outcome, reason: Option<&str>) {
    spec.outcome = outcome;
    spec.reasons.extend(reason.map(str::to_owned));
}
