//! The command `kbfix fleet drift`: compares a fleet at two dates.

use std::path::{Path, PathBuf};

use kbfix::{
    diag::Exit,
    fleet::{FleetCommand, FleetComparison, Ignored, Members, drift, snapshots},
};

use super::compared::{self, Format};
use crate::cli::{
    args::specs::{self, SpecArguments},
    error::CommandError,
    output::Output,
};

/// Show what changed on a fleet between two dates: outcomes, values, file versions, and machines that were added or
/// removed. This command changes nothing.
///
/// OLD and NEW are folders with snapshots, one file for each machine. The name of a machine is the name of its file
/// without `.json` or `.snapshot.json`. If two files in a folder would have the same name, both machines have their
/// complete file names. If a machine does not have the same name in both folders, kbfix reports the machine as removed
/// and added. Upper and lower case do not matter. kbfix compares only facts that the specs need and that are in both
/// snapshots of a machine. If a fact is missing in one snapshot, the outcome of a spec can differ.
///
/// The exit code is the highest that applies. It is 0 if nothing changed, and 1 if something changed. It is 3 if a
/// machine could not be read. kbfix does not read a machine that is in only one folder. The exit code is 4 if a spec
/// with a difference is blocked or unknown, needs a parameter or waits for a restart in NEW, or if the registry of a
/// user could not be read for it.
#[derive(Debug, clap::Args)]
#[command(mut_arg("specs", specs::or_all))]
pub(super) struct Arguments {
    /// The folder with the earlier snapshots.
    old: PathBuf,

    /// The folder with the later snapshots.
    new: PathBuf,

    #[command(flatten)]
    specs: SpecArguments,

    /// The format of the comparison.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let comparison = make(arguments, output);
    compared::print(comparison, FleetCommand::Drift, arguments.format, output)
}

fn make(arguments: &Arguments, output: &mut Output) -> Result<FleetComparison, CommandError> {
    let ((old, mut ignored), (new, more)) = (members(&arguments.old)?, members(&arguments.new)?);
    ignored.extend(more);
    ignored.sort();
    ignored.dedup();
    let specs = match arguments.specs.are_named() {
        true => arguments.specs.load_for_plan(output)?,
        // If no spec is named, the whole library is used, because snapshots are usually taken with it.
        false => arguments.specs.load_library_for_plan(output)?,
    };
    Ok(FleetComparison { ignored, ..drift(&old, &new, &specs, output) })
}

/// Returns the machines of a folder, and the names of its entries that were not read (see [`snapshots`]).
fn members(folder: &Path) -> Result<(Members, Vec<String>), CommandError> {
    let (found, Ignored(ignored)) =
        snapshots(folder).map_err(|error| CommandError::file(&folder.display().to_string(), &error))?;
    Ok((Members::new(found, Vec::new()), ignored))
}
