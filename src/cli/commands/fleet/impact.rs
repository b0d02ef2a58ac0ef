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

/// Show the effect of a change to specs on a fleet: on which machines the result of a spec differs from before (the
/// outcome and its reasons, the changes, or notes about Group Policy or a restart). This command changes nothing.
///
/// SPEC names the specs after the change. `--base` names the specs before the change. For example, SPEC is the folder
/// with the specs of a pull request, and `--base` is the same folder in the main branch. If a spec before the change
/// and a spec after the change have the same id, they are two versions of one spec.
///
/// `--set` sets a parameter in the specs before the change and in the specs after the change. At least one spec before
/// the change must have the parameter, and at least one spec after the change. The specs and parameters of
/// `--stdin-specs` belong only to the specs after the change.
///
/// The exit code is the highest that applies. It is 0 if nothing is different, and 1 if there are differences. It is 3
/// if a machine could not be read. It is 4 if a spec with a difference is blocked or unknown, needs a parameter or
/// waits for a restart after the change, or if the registry of a user could not be read for it. A spec that was added
/// or removed is a difference on each machine that could be read. A change in a spec's text that changes no result is
/// no difference.
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
    let (members, ignored) = arguments.fleet.members(output)?;
    let (parameters, which) = members.parameters();
    let after = arguments.specs.load_each(&parameters, output)?;
    let before = arguments.specs.in_place_of(arguments.base.clone()).load_each(&parameters, output)?;
    Ok(FleetComparison { ignored, ..impact(&members, &before, &after, &which, output) })
}
