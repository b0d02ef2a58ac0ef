//! The command `kbfix fleet impact`: compares two versions of specs on a fleet.

use kbfix::{
    diag::Exit,
    fleet::{FleetCommand, FleetComparison, impact},
};

use super::compared::{self, Format};
use crate::cli::{
    args::{fleet::FleetArguments, specs::SpecArguments},
    error::CommandError,
    output::Output,
};

/// Show the effect of a change to specs on a fleet: the machines on which an outcome, or what must be changed, is
/// different. This command changes nothing.
///
/// SPEC names the specs after the change, and `--base` the specs before it. For example, SPEC is the folder with the
/// specs of a pull request, and `--base` the same folder in the main branch. Two specs with the same id are two
/// versions of one spec.
///
/// `--set` sets a parameter in the specs before and in those after the change; in both, at least one spec must have it.
/// The specs and parameters of `--stdin-specs` belong only to the specs after the change.
///
/// The exit code is the highest that applies: 0 if nothing is different, 1 if there are differences, 3 if a machine
/// could not be read, 4 if a spec with a difference has an outcome such as blocked or unknown after the change.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// The specs before the change: a folder, a file, or the id of a built-in spec. You can give this option several
    /// times.
    #[arg(long, value_name = "DIR", required = true)]
    base: Vec<String>,

    #[command(flatten)]
    fleet: FleetArguments,

    /// The format of the comparison.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let comparison = make(arguments, output);
    compared::print(comparison, FleetCommand::Impact, arguments.format, output)
}

fn make(arguments: &Arguments, output: &mut Output) -> Result<FleetComparison, CommandError> {
    let (members, _) = arguments.fleet.members(output)?;
    let (parameters, which) = members.parameters();
    let after = arguments.specs.load_each(&parameters, output)?;
    let before = arguments.specs.in_place_of(arguments.base.clone()).load_each(&parameters, output)?;
    Ok(impact(&members, &before, &after, &which, output))
}
