//! Installs the packages of hotfixes before the registry is changed.

use std::{path::PathBuf, time::Duration};

use super::{
    error::Error,
    execute::StartError,
    package::{self, PackageError, Prepared, prepare, remove_leftovers},
    plan::make_plan,
    progress::Progress,
    report::{Command, Report},
    step::{Step, StepResult},
};
use crate::{
    diag::{Code, Diagnostic, Exit, Hint},
    journal::Store,
    observe::observe_again,
    plan::{Outcome, Plan, SpecPlan},
    spec::{Spec, document::ComputerRestart},
    targets::{Address, Answer, Drift, Kind, Target},
};

/// The package files that the user gave, each with the id of the spec whose hotfix the package installs.
#[derive(Debug, Clone, Default)]
pub struct Packages(pub Vec<(String, PathBuf)>);

fn usage(message: String, hint: impl Into<Hint>) -> Error {
    Error::new(Exit::Refused, Diagnostic::error(Code::PACKAGE_USAGE, message).hint(hint))
}

impl Packages {
    /// Marks each spec for which a package was given: its hotfix may then be installed. Call this before the specs are
    /// planned.
    ///
    /// # Errors
    ///
    /// Fails if a package is given for a spec that is not in this run, or for a spec that names no package.
    pub fn ask(&self, specs: &mut [Spec]) -> Result<(), Error> {
        for (id, _) in &self.0 {
            let spec = specs.iter_mut().find(|spec| spec.id.eq_ignore_ascii_case(id));
            let spec = spec.ok_or_else(|| {
                let message = format!("a package is given for {id}, but no spec of this run has that id");
                usage(message, Hint::new("name a spec of this run").option("package", "ID=PATH"))
            })?;
            match spec.hotfix.as_mut().filter(|hotfix| hotfix.package.is_some()) {
                Some(hotfix) => hotfix.install = true,
                None => {
                    let hint = "install the hotfix by other means, or add `hotfix.package` to the spec";
                    return Err(usage(
                        format!(
                            "the spec {id} has no `hotfix.package`, so kbfix cannot install its \
                        hotfix"
                        ),
                        hint,
                    ));
                }
            }
        }
        Ok(())
    }

    /// Returns an error if the plan installs a package that was not given, is not the package that the spec names, or
    /// cannot be run on this target.
    pub(super) fn check(&self, plan: &Plan, address: &Address) -> Result<(), Error> {
        for spec in &plan.specs {
            if let Some(install) = &spec.install {
                package::check(self.given(spec, address)?, install).map_err(|error| refused(&error))?;
            }
        }
        Ok(())
    }

    fn given(&self, spec: &SpecPlan, address: &Address) -> Result<&PathBuf, Error> {
        if !matches!(address.kind(), Ok(Kind::Local)) {
            let message = format!("the hotfix of {} can only be installed on the target `local`", spec.id);
            let hint = "run kbfix on that machine, or install the hotfix by other means";
            return Err(Error::new(Exit::Refused, Diagnostic::error(Code::TARGET_UNSUPPORTED, message).hint(hint)));
        }
        let given = self.0.iter().find(|(id, _)| id.eq_ignore_ascii_case(&spec.id));
        given.map(|(_, path)| path).ok_or_else(|| {
            let message = format!("the plan installs the hotfix of {}, but its package is not given", spec.id);
            usage(message, Hint::new("give the package").option("package", "ID=PATH").bare_option("install-hotfix"))
        })
    }

    /// Copies and checks all packages of a plan, before any of them is run. Returns each package with the index of its
    /// spec in the plan.
    pub(super) fn prepare(
        &self,
        plan: &Plan,
        address: &Address,
        store: &Store,
    ) -> Result<Vec<(usize, Prepared)>, Error> {
        if matches!(address.kind(), Ok(Kind::Local)) {
            remove_leftovers(store.root());
        }
        let mut prepared = Vec::new();
        if plan.specs.iter().any(|spec| spec.install.is_some()) {
            store.create(address).map_err(StartError::Journal)?;
        }
        for (at, spec) in plan.specs.iter().enumerate() {
            let Some(install) = &spec.install else { continue };
            let path = self.given(spec, address)?;
            let ready = prepare(path, install, store.root()).map_err(|error| refused(&error))?;
            prepared.push((at, ready));
        }
        Ok(prepared)
    }
}

/// Returns the error for a package that cannot be run. Nothing was changed.
fn refused(error: &PackageError) -> Error {
    let state_dir = |text: &str| Hint::new(text).option("state-dir", "DIR");
    let (code, hint): (Code, Hint) = match error {
        PackageError::Mismatch { .. } => {
            (Code::PACKAGE_MISMATCH, "give the file whose SHA-256 the spec contains".into())
        }
        PackageError::Kind { .. } => {
            (Code::PACKAGE_USAGE, "give the file of the package itself, not an archive that contains it".into())
        }
        PackageError::Folder { .. } => {
            (Code::FILE_ACCESS, state_dir("use a state folder to which only administrators can write"))
        }
        PackageError::Copy { .. } => (
            Code::FILE_ACCESS,
            state_dir("check that you may write to the state folder and that its disk is not full, or use another one"),
        ),
        PackageError::Io { .. } => (Code::FILE_ACCESS, "check that the file exists and that you may read it".into()),
    };
    Error::new(Exit::Refused, Diagnostic::error(code, error.to_string()).hint(hint))
}

/// The plan whose packages were run, and the results of these packages.
pub(super) struct Installed {
    plan: Plan,
    steps: Vec<Step>,
}

impl Installed {
    fn has(&self, result: StepResult) -> bool {
        self.steps.iter().any(|step| step.result == result)
    }

    /// Returns the plan without changes. Each spec with pending changes is blocked, for the reason `why`.
    fn left_alone(&self, why: &str) -> Plan {
        let mut plan = self.plan.clone();
        left_alone(&mut plan, &self.steps, why);
        plan
    }
}

/// Runs the packages of a plan in order, and stops at the first that fails or begins to restart the computer.
pub(super) fn run(
    mut plan: Plan,
    prepared: Vec<(usize, Prepared)>,
    limit: Duration,
    progress: &mut impl Progress,
) -> Installed {
    let mut steps: Vec<Step> = Vec::new();
    for (at, package) in prepared {
        let spec = &mut plan.specs[at];
        let Some(install) = &spec.install else { continue };
        let id = &spec.id;
        progress.show(&format!("installing the hotfix of {id}"));
        let step = package.run(id, install, limit, |run| {
            progress.show(&format!("installing the hotfix of {id}, {} s so far", run.as_secs()));
        });
        progress.end();
        let failed = step.result == StepResult::Failed;
        if failed {
            spec.outcome = Outcome::Failed;
            spec.reasons.push(step.to_string());
        }
        let begun = step.result == StepResult::RestartBegun;
        steps.push(step);
        if failed || begun {
            break;
        }
    }
    Installed { plan, steps }
}

/// Makes the registry changes of a plan after its packages were run. If a package failed or has begun to restart the
/// computer, the registry is not changed. A spec whose hotfix is still missing after its package was run is blocked.
///
/// `carry_out` makes the changes. If `specs` is given, these specs are planned again. If `specs` is `None`, the saved
/// plan is used. Then the registry is not changed if the packages changed facts on which this plan depends, except the
/// files of the hotfixes. Because packages have already changed the machine, errors are also returned as a report.
pub(super) fn go_on(
    installed: Installed,
    specs: Option<Vec<Spec>>,
    target: &mut dyn Target,
    carry_out: impl FnOnce(Plan, &mut dyn Target) -> Result<Report, Error>,
) -> Report {
    let mut moved = Vec::new();
    let mut diagnostics = Vec::new();
    let next = if installed.has(StepResult::Failed) {
        for step in installed.steps.iter().filter(|step| step.result == StepResult::Failed) {
            let hint = "correct the cause and apply again; kbfix cannot undo what the package did";
            diagnostics.push(Diagnostic::error(Code::PACKAGE_FAILED, step.to_string()).hint(hint));
        }
        Ok(installed.left_alone("the installation of a hotfix failed"))
    } else if installed.has(StepResult::RestartBegun) {
        let why = "a package has begun to restart the computer";
        let message = format!("{why}, so the registry was not changed");
        let hint = "apply again after the computer has restarted";
        diagnostics.push(Diagnostic::error(Code::RESTART_BEGUN, message).hint(hint));
        Ok(installed.left_alone(why))
    } else {
        plan_after(&installed, specs, target, &mut moved, &mut diagnostics)
    };
    let done = next.and_then(|plan| carry_out(plan, target));
    let mut report = done.unwrap_or_else(|stop| {
        let mut report = Report::new(Command::Apply);
        report.outcome = Some(Outcome::Failed);
        report.exit_code = Outcome::Failed.exit();
        report.diagnostics = stop.diagnostics;
        report
    });
    if installed.has(StepResult::RestartNeeded) || installed.has(StepResult::RestartBegun) {
        report.restart.computer = ComputerRestart::Required;
    }
    report.changed |= installed.steps.iter().any(|step| step.result != StepResult::Failed);
    report.steps = installed.steps;
    report.moved.extend(moved);
    report.diagnostics.extend(diagnostics);
    report
}

/// Removes all changes from the plan. Each spec with pending changes becomes blocked, for the reason `why`.
fn left_alone(plan: &mut Plan, steps: &[Step], why: &str) {
    for spec in &mut plan.specs {
        if spec.outcome == Outcome::ChangesPending {
            let is_installed = steps.iter().any(|step| step.spec.as_ref() == Some(&spec.id));
            let done = if is_installed {
                "the hotfix of this spec was installed, and nothing else was done"
            } else {
                "nothing was done"
            };
            block(spec, vec![format!("{done}: {why}")]);
        }
        spec.changes.clear();
    }
}

fn block(spec: &mut SpecPlan, reasons: Vec<String>) {
    spec.outcome = Outcome::Blocked;
    spec.reasons.extend(reasons);
    spec.changes.clear();
}

/// Returns the plan for the registry changes after the packages were installed. Adds to `diagnostics` the hotfixes that
/// are still missing, and to `moved` the facts that the packages changed although the saved plan depends on them.
fn plan_after(
    installed: &Installed,
    specs: Option<Vec<Spec>>,
    target: &mut dyn Target,
    moved: &mut Vec<Drift>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Plan, Error> {
    let missing = not_effective(&installed.plan, target)?;
    let Some(mut specs) = specs else {
        diagnostics.extend(still_missing(&missing.iter().collect::<Vec<_>>()));
        return saved_plan_after(installed, &missing, target, moved);
    };
    specs.iter_mut().filter_map(|spec| spec.hotfix.as_mut()).for_each(|hotfix| hotfix.install = false);
    let mut next = make_plan(target, &specs)?;
    let waits = |id: &str| next.specs.iter().any(|spec| spec.id == id && spec.outcome == Outcome::PendingRestart);
    let (waiting, missing): (Vec<_>, Vec<_>) = missing.iter().partition(|(id, _)| waits(id));
    if !waiting.is_empty() {
        let lines: Vec<_> = waiting.iter().map(|(id, what)| format!("{id}: {what}")).collect();
        let message = format!(
            "the package was installed, but some files are replaced only at the next start: {}",
            lines.join("; ")
        );
        let hint = "restart the computer, and apply again";
        diagnostics.push(Diagnostic::warning(Code::PENDING_RESTART, message).hint(hint));
    }
    diagnostics.extend(still_missing(&missing));
    for (spec, before) in next.specs.iter_mut().zip(&installed.plan.specs) {
        spec.install.clone_from(&before.install);
        if spec.install.is_some() && spec.outcome == Outcome::InDesiredState {
            // The installation is done, and the registry needs no change.
            spec.outcome = Outcome::ChangesPending;
        }
    }
    Ok(next)
}

/// Returns an error that names the hotfixes in `missing`; `None` if there are none. Each entry is the id of a spec and
/// a description of a file.
fn still_missing(missing: &[&(String, String)]) -> Option<Diagnostic> {
    let lines: Vec<_> = missing.iter().map(|(id, what)| format!("{id}: {what}")).collect();
    let message = format!("the package was installed, but the hotfix is still missing: {}", lines.join("; "));
    let hint = "restart the computer if the package asks for it, and apply again";
    (!lines.is_empty()).then(|| Diagnostic::error(Code::HOTFIX_NOT_EFFECTIVE, message).hint(hint))
}

fn saved_plan_after(
    installed: &Installed,
    missing: &[(String, String)],
    target: &mut dyn Target,
    moved: &mut Vec<Drift>,
) -> Result<Plan, Error> {
    let mut plan = installed.plan.clone();
    for spec in &mut plan.specs {
        let of_it: Vec<String> = missing.iter().filter(|(id, _)| *id == spec.id).map(|(_, w)| w.clone()).collect();
        if !of_it.is_empty() {
            block(spec, of_it);
        }
    }
    let files = plan.specs.iter().filter_map(|spec| spec.install.as_ref()).flat_map(|install| &install.files);
    let meant: Vec<String> = files.map(|file| file.path.to_lowercase()).collect();
    let now = observe_again(target, &plan.facts)?;
    let others = plan.facts.moved(&now).into_iter().filter(|m| !meant.contains(&m.place.to_lowercase()));
    moved.extend(others);
    if !moved.is_empty() {
        left_alone(&mut plan, &installed.steps, "the installation changed facts on which the plan depends");
    }
    Ok(plan)
}

/// Returns the hotfix files that, after the installation, are still missing or not sufficient, or cannot be read. Each
/// entry is the id of the spec and a description of the file.
fn not_effective(plan: &Plan, target: &mut dyn Target) -> Result<Vec<(String, String)>, Error> {
    let mut out = Vec::new();
    for spec in &plan.specs {
        let Some(install) = &spec.install else { continue };
        let paths: Vec<String> = install.files.iter().map(|file| file.path.clone()).collect();
        for (file, answer) in install.files.iter().zip(target.read_files(&paths)?) {
            let (found, wanted) = match answer {
                Answer::Present(facts) => match file.judge(&facts) {
                    (_, _, true) => continue,
                    (found, wanted, false) => (found, wanted),
                },
                Answer::Absent => ("no file".to_owned(), "the hotfix's file".to_owned()),
                Answer::Unread(why) => (why.to_string(), "a file version".to_owned()),
            };
            out.push((spec.id.clone(), format!("{}: found {found}, wanted {wanted}", file.path)));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_is_about_the_file_or_the_folder_that_failed() {
        let source = || std::io::ErrorKind::PermissionDenied.into();
        for (error, hint) in [
            (PackageError::Io { path: "update.exe".into(), source: source() }, "you may read it"),
            (PackageError::Copy { path: "update.exe".into(), source: source() }, "write to the state folder"),
            (PackageError::Folder { path: "state".into(), detail: "x".to_owned() }, "only administrators can write"),
        ] {
            let refused = refused(&error);
            let said = refused.diagnostics[0].hint.as_ref().unwrap();
            assert!(said.contains(hint), "{said}");
        }
    }
}
