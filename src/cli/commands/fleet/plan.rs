//! The command `kbfix fleet plan`: saves the plans of a fleet in one file.

use std::path::PathBuf;

use kbfix::{
    diag::Exit,
    fleet::{
        FleetCommand, FleetReport,
        bundle::{Draft, PlanLine},
        survey_with_plans,
    },
};

use super::diff;
use crate::cli::{
    error::CommandError,
    out_file::{Destination, Inputs},
    output::Output,
};

/// Save the plans of all machines of a fleet in one file with one digest, for review and for `kbfix apply --plan`.
///
/// This command changes no machine. It prints the same report as `kbfix fleet diff`, and has the same exit codes. The
/// report also contains the digest of the fleet plan, except with --lines and in the formats csv, junit and sarif. In
/// these cases, take the digest from the file: it is the last field, `digest`, of the first line. A machine has no plan
/// in the file if it could not be read, or if waivers cover each spec on it, at least in part. After the review, run
/// `kbfix apply --plan FILE --digest DIGEST` on each machine that has a plan. `kbfix apply` makes only the changes that
/// the file contains for this machine.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    diff: diff::Arguments,

    /// The file in which the command saves the fleet plan.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let report = make(arguments, output);
    arguments.diff.print(report, FleetCommand::Plan, output)
}

fn make(arguments: &Arguments, output: &mut Output) -> Result<FleetReport, CommandError> {
    let asked = arguments.diff.read(output)?;
    let mut inputs = Inputs::default();
    arguments.diff.inputs(&asked.members, &mut inputs);
    let out = Destination::new(&arguments.out, &inputs)?;
    if matches!(out, Destination::StandardOutput) {
        let message =
            format!("`--out {}` is standard output, to which the report is written too", arguments.out.display());
        return Err(CommandError::usage(message, "name a file"));
    }
    let failed = |error| CommandError::file(&arguments.out.display().to_string(), &error);
    // A temporary file without a name, which disappears together with this process.
    let spool = tempfile::tempfile().map_err(failed)?;
    let mut draft = Draft::new(spool, asked.members.each.len());
    let survey = survey_with_plans(
        &asked.members,
        &asked.specs,
        &asked.which,
        &asked.waivers,
        PlanLine::of,
        |at, line| draft.add(at, line),
        output,
    );
    let bundle = draft.bundle(&asked.members, &survey, asked.first()).map_err(failed)?;
    out.write_private_by(|file| draft.write(&bundle, file))?;
    Ok(FleetReport { digest: Some(bundle.digest), ..asked.report(survey, FleetCommand::Plan) })
}
