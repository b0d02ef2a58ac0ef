//! The command `kbfix fleet`: reviews many machines together.

mod compared;
mod diff;
mod drift;
mod impact;
mod plan;

use kbfix::diag::Exit;

use crate::cli::{error::CommandError, output::Output};

/// Review many machines in one report.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Diff(diff::Arguments),
    Plan(plan::Arguments),
    Impact(impact::Arguments),
    Drift(drift::Arguments),
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    match &arguments.command {
        Command::Diff(arguments) => diff::run(arguments, output),
        Command::Plan(arguments) => plan::run(arguments, output),
        Command::Impact(arguments) => impact::run(arguments, output),
        Command::Drift(arguments) => drift::run(arguments, output),
    }
}
