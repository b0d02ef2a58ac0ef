//! The saved plan that `--plan` names: the plan of one machine, or a fleet plan.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
};

use kbfix::{
    diag::{Code, Diagnostic, Exit},
    fleet::bundle::{self, BundleError},
    format::json,
    operation::{Request, identify},
    plan::{Plan, file::PlanError},
    targets::Target,
};

use crate::cli::{
    error::CommandError,
    out_file::{Destination, Inputs},
    output::Output,
};

/// The largest plan of one machine, in bytes. kbfix refuses to read a larger one, so it does not write one either.
const MAX_PLAN: usize = 256 << 20;

/// The specs or the saved plan that the user gave. [`Self::on`] finds the plan to use in a fleet plan, because this
/// depends on the machine of the target.
pub(in crate::cli) enum Asked {
    /// The checked specs, or the plan of one machine, which was already read.
    Ready(Request),
    /// A fleet plan that is not read yet, because it contains a plan for each machine.
    Fleet {
        /// The name of the fleet plan's file, for messages.
        name: String,
        /// The digest that was approved, if one was given.
        digest: Option<String>,
        from: Box<dyn BufRead>,
    },
}

impl Asked {
    /// Opens the saved plan `file` (`-` means standard input). Reads the plan of one machine, and checks it against the
    /// approved `digest`, if there is one. A fleet plan is read later, by [`Self::on`]. `name` is for messages.
    pub(in crate::cli) fn of_plan(file: &str, name: &str, digest: Option<&str>) -> Result<Self, CommandError> {
        let failed = |error: io::Error| CommandError::file(name, &error);
        let mut from: Box<dyn BufRead> = match file {
            "-" => Box::new(BufReader::new(io::stdin())),
            _ => Box::new(BufReader::new(File::open(file).map_err(failed)?)),
        };
        if bundle::is_bundle(from.fill_buf().map_err(failed)?) {
            let digest = digest.map(str::to_owned);
            return Ok(Self::Fleet { name: name.to_owned(), digest, from });
        }
        let mut bytes = Vec::new();
        from.take(MAX_PLAN as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() > MAX_PLAN {
            let message = format!("the plan has more than {MAX_PLAN} bytes, which is the maximum for kbfix");
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, message)));
        }
        let plan = json::text(&bytes).map_err(PlanError::Shape).and_then(|text| Plan::from_text(text, digest));
        let plan = plan.map_err(|error| CommandError::from(error).of_plan(name))?;
        Ok(Self::Ready(Request::Plan(Box::new(plan))))
    }

    /// Returns whether this is the saved plan of one image that changes policy values in the local GPO, so that
    /// `--through-policy` need not be given. Returns false for specs, because the option itself decides for them, and
    /// for fleet plans, which never change the local GPO.
    pub(in crate::cli) fn goes_through_policy(&self) -> bool {
        matches!(self, Self::Ready(Request::Plan(plan)) if plan.through_policy)
    }

    /// Returns the specs or the plan to use on this target. From a fleet plan, returns the plan of the target's
    /// machine.
    ///
    /// # Errors
    /// Returns an error if the fleet plan cannot be read or trusted, or does not contain exactly one plan for the
    /// machine. It is also an error if the target cannot be read.
    pub(in crate::cli) fn on(self, target: &mut dyn Target) -> Result<Request, CommandError> {
        let (name, digest, from) = match self {
            Self::Ready(request) => return Ok(request),
            Self::Fleet { name, digest, from } => (name, digest, from),
        };
        let (machine, uri) = (identify(target)?, target.uri());
        let plan = bundle::read(from, digest.as_deref(), |bundle| bundle::choose(bundle, &machine, &uri));
        plan.map(|plan| Request::Plan(Box::new(plan))).map_err(|error| refused(&name, error))
    }
}

fn refused(name: &str, error: BundleError) -> CommandError {
    let (code, hint) = match &error {
        BundleError::Io(error) => return CommandError::file(name, error),
        BundleError::Shape(_) => (Code::PLAN_INVALID, "make a fleet plan with `kbfix fleet plan --out FILE`"),
        BundleError::Altered(_) => (Code::PLAN_ALTERED, "make a new fleet plan, and have it reviewed"),
        BundleError::Other { .. } => (Code::PLAN_DIGEST, "apply the plan that was approved, or have this one reviewed"),
        BundleError::Missing { unreadable: true, .. } => (
            Code::FLEET_PLAN_MISSING,
            "this machine could not be read for the fleet plan: correct the cause (for example, take a new \
                snapshot), and make a new fleet plan",
        ),
        BundleError::Missing { .. } => {
            let hint = "make a new fleet plan for a fleet with this machine; a machine has no plan if waivers cover \
                        changes of each spec";
            (Code::FLEET_PLAN_MISSING, hint)
        }
        BundleError::Twice { .. } => {
            (Code::FLEET_PLAN_TWICE, "include each machine in the fleet only once, and make a new fleet plan")
        }
        BundleError::Plan(_) => (Code::PLAN_INVALID, "make a new fleet plan, and have it reviewed"),
    };
    CommandError::new(Exit::Refused, Diagnostic::error(code, format!("{name}: {error}")).hint(hint))
}

/// Returns where `--out` saves the plan. Standard output is an error, because the report is written there.
pub(in crate::cli) fn destination(out: &Path, inputs: &Inputs) -> Result<Destination, CommandError> {
    match Destination::new(out, inputs)? {
        Destination::StandardOutput => {
            let message = format!("`--out {}` is standard output, to which the report is written", out.display());
            let hint = "name a file; only `diff` can put the plan into the report (`--with-plan --format json`)";
            Err(CommandError::usage(message, hint))
        }
        other => Ok(other),
    }
}

/// Writes the text of a plan to the destination.
pub(in crate::cli) fn save(out: &Destination, text: &str, output: &mut Output) -> Result<(), CommandError> {
    fits(text)?;
    out.write_private(text.as_bytes(), output)
}

/// Returns an error if the plan is so large that `kbfix apply --plan` would not read it.
pub(in crate::cli) fn fits(text: &str) -> Result<(), CommandError> {
    fits_in(text.len(), MAX_PLAN)
}

/// Returns an error if `size` is greater than `most`; both are numbers of bytes.
fn fits_in(size: usize, most: usize) -> Result<(), CommandError> {
    if size <= most {
        return Ok(());
    }
    let message = format!("the plan would have {size} bytes, but kbfix reads at most {most} bytes");
    Err(CommandError::usage(message, "plan fewer specs at once, or make the changes without a saved plan"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_is_too_large_to_be_read_is_not_written() {
        fits_in(10, 10).unwrap();
        let stop = fits_in(11, 10).unwrap_err();
        assert!(stop.diagnostics[0].message.contains("11 bytes, but kbfix reads at most 10"), "{stop:?}");
    }
}
