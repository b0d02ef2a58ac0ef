//! `kbfix fleet`

mod diff;
mod plan;

use kbfix::diag::Exit;

use crate::cli::{error::CommandError, output::Output};

/// Review many machines in one document.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Diff(diff::Arguments),
    Plan(plan::Arguments),
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    match &arguments.command {
        Command::Diff(arguments) => diff::run(arguments, output),
        Command::Plan(arguments) => plan::run(arguments, output),
    }
}
