//! The command `kbfix completions`: prints completion scripts for shells.

use kbfix::diag::Exit;

use crate::cli::{definition, error::CommandError, output::Output};

/// Print a completion script for a shell.
///
/// After your shell has loaded this script, the shell completes the commands and options of kbfix when you press Tab.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The shell for which kbfix prints the completion script.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut definition(), "kbfix", &mut script);
    output.bytes(&script);
    Ok(Exit::Done)
}
