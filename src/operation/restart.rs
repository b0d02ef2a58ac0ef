//! Restarts the services that specs name, after the changes of these specs were made.

use super::{error::Error, progress::Progress, report::Report, services, step::StepResult};
use crate::{
    diag::{Code, Diagnostic, Exit, Hint},
    plan::{Outcome, Plan},
    targets::{Address, Kind},
};

/// Returns an error if the target is not the machine on which kbfix runs, because only its services can be restarted.
pub(super) fn check(address: &Address) -> Result<(), Error> {
    if matches!(address.kind(), Ok(Kind::Local)) {
        return Ok(());
    }
    let message = format!("services can only be restarted on the target `local`, not on {}", address.uri);
    let hint = Hint::new("leave out the option, and restart by hand the services that the report names")
        .bare_option("restart-services");
    Err(Error::new(Exit::Refused, Diagnostic::error(Code::TARGET_UNSUPPORTED, message).hint(hint)))
}

/// Returns an error if a service that must be restarted does not exist, or if kbfix cannot find out whether it exists.
///
/// This is checked before the changes are made. If it were checked after the changes, they would be made without the
/// restart, and a later run would find nothing to change and would not restart the service either.
pub(super) fn find(plan: &Plan) -> Result<(), Error> {
    let services = plan.restart().services;
    let missing = services::missing_local(&services).map_err(|why| {
        let message = format!("no service can be restarted: {why}");
        Error::new(Exit::Refused, Diagnostic::error(Code::SERVICE_MISSING, message).hint("run kbfix as administrator"))
    })?;
    match missing.as_slice() {
        [] => Ok(()),
        names => {
            let message = format!(
                "nothing was changed, because a service that must be restarted does not exist: {}",
                names.join(", ")
            );
            let hint = Hint::new("check the name of the service in the spec, or leave the option out")
                .bare_option("restart-services");
            Err(Error::new(Exit::Refused, Diagnostic::error(Code::SERVICE_MISSING, message).hint(hint)))
        }
    }
}

/// Restarts the services that the report names, if the target was changed, and nothing failed or was undone.
pub(super) fn restart(report: &mut Report, progress: &mut impl Progress) {
    let failed = report.outcome.is_none_or(|outcome| outcome >= Outcome::RolledBack);
    if !report.changed || failed || report.restart.services.is_empty() {
        return;
    }
    let done = services::restart_local(&report.restart.services, |step| progress.show(&step.to_string()));
    progress.end();
    let wrong: Vec<String> = match &done {
        Ok(steps) => steps.iter().filter(|s| s.result == StepResult::Failed).map(ToString::to_string).collect(),
        Err(why) => vec![format!("the service manager: {why}")],
    };
    report.steps.extend(done.unwrap_or_default());
    if !wrong.is_empty() {
        let message = format!("the changes were made, but the restart of a service failed: {}", wrong.join("; "));
        let hint = "complete it by hand: another apply would find nothing to change, so it would not restart the \
            service";
        report.diagnostics.push(Diagnostic::error(Code::SERVICE_RESTART_FAILED, message).hint(hint));
        // The registry is in the desired state, so this is not a failure of the apply. But a caller that requested the
        // restart must not treat a stopped service as success, so there is an exit code for this.
        report.exit_code = report.exit_code.max(Exit::NotRestarted);
    }
}
