//! The command line: arguments, one file for each command, exit codes.
//!
//! Results go to standard output, everything else to standard error. A command returns its exit code, or an
//! [`error::CommandError`] that says why it did not get that far. Only `main` ends the process.

mod out_file;
mod args;
mod commands;
mod output;
#[cfg(test)]
mod reference;
mod error;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{
    apply, completions, diff, dsc, example, export, fleet, hive, import, journal, rollback, schema, show, snapshot,
    validate,
};
use output::Output;

/// Keeps Windows machines in the state that a Microsoft Knowledge Base article asks for.
///
/// A spec (YAML) says which product it is about, which hotfix must be installed and which registry values must hold. kbfix
/// reads the actual state of a target, shows the difference, and, when told to, applies it with a journal that can undo it.
#[derive(Debug, Parser)]
#[command(name = "kbfix", version, max_term_width = 110, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  in desired state, or done
  1  diff: differences; rollback --check: something to roll back
  2  wrong usage, or an invalid spec or plan; nothing changed
  3  the target could not be read, or is locked; nothing changed
  4  blocked or unknown; nothing changed for that spec; rollback --check: something would be kept
  5  apply failed, everything rolled back
  6  apply failed and rollback incomplete, or a rollback kept what somebody else changed: see the journal; or a hotfix's
     package failed
  7  done, but a service was not restarted
  8  done, but the report could not be written to standard output";

#[derive(Debug, Subcommand)]
enum Command {
    Validate(validate::Arguments),
    #[command(visible_alias = "plan")]
    Diff(diff::Arguments),
    Apply(apply::Arguments),
    Rollback(rollback::Arguments),
    Snapshot(snapshot::Arguments),
    Fleet(fleet::Arguments),
    Journal(journal::Arguments),
    Hive(hive::Arguments),
    Show(show::Arguments),
    Export(export::Arguments),
    Import(import::Arguments),
    Dsc(dsc::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Example(example::Arguments),
}

/// Runs the command that the process's arguments name.
pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too; clap knows which stream each belongs on.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { error::USAGE } else { 0 });
        }
    };
    let mut output = Output::new();
    let result = match &arguments.command {
        Command::Validate(a) => validate::run(a, &mut output),
        Command::Diff(a) => diff::run(a, &mut output),
        Command::Apply(a) => apply::run(a, &mut output),
        Command::Rollback(a) => rollback::run(a, &mut output),
        Command::Snapshot(a) => snapshot::run(a, &mut output),
        Command::Fleet(a) => fleet::run(a, &mut output),
        Command::Journal(a) => journal::run(a, &mut output),
        Command::Hive(a) => hive::run(a, &mut output),
        Command::Show(a) => show::run(a, &mut output),
        Command::Import(a) => import::run(a, &mut output),
        Command::Export(a) => export::run(a, &mut output),
        Command::Dsc(a) => dsc::run(a, &mut output),
        Command::Schema(a) => schema::run(a, &mut output),
        Command::Completions(a) => completions::run(a, &mut output),
        Command::Example(a) => example::run(a, &mut output),
    };
    let code = result.unwrap_or_else(|stop| {
        output.diagnostics(&stop.diagnostics);
        stop.code
    });
    ExitCode::from(output.code(code))
}
