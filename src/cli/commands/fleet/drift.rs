//! `kbfix fleet drift`

use std::path::{Path, PathBuf};

use kbfix::{
    diag::Exit,
    fleet::{FleetCommand, FleetComparison, Members, drift, snapshots},
    spec::library,
};

use super::compared;
use crate::cli::{
    args::specs::SpecArguments,
    error::CommandError,
    output::{Format, Output},
};

/// Show what moved on a fleet between two dates: outcomes, values, file versions, machines that came and went. Changes nothing.
///
/// Both folders hold snapshots, as for `kbfix fleet diff`; a machine has the same file name in both. Only what both snapshots know is
/// compared. Exits 0 where nothing moved, 1 where something did, 3 where a machine could not be read, 4 where something is now blocked or
/// unknown.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder with the earlier snapshots.
    old: PathBuf,

    /// The folder with the later snapshots.
    new: PathBuf,

    #[command(flatten)]
    specs: SpecArguments,

    /// How the comparison is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let comparison = make(arguments, output);
    compared::print(comparison, FleetCommand::Drift, arguments.format, output)
}

fn make(arguments: &Arguments, output: &mut Output) -> Result<FleetComparison, CommandError> {
    let (old, new) = (members(&arguments.old)?, members(&arguments.new)?);
    let specs = match arguments.specs.are_named() {
        true => arguments.specs.load_for_plan(output)?,
        // Nobody asked for one spec: the library is what snapshots are usually taken with.
        false => arguments.specs.in_place_of(library::ids().map(str::to_owned).collect()).load_for_plan(output)?,
    };
    Ok(drift(&old, &new, &specs, output))
}

fn members(folder: &Path) -> Result<Members, CommandError> {
    let found = snapshots(folder).map_err(|error| CommandError::file(&folder.display().to_string(), &error))?;
    Ok(Members::new(found.0, Vec::new()))
}
