//! The command line: the arguments, the commands (one file for each), and the output.
//!
//! Results go to standard output, everything else to standard error. A command returns its exit code, or an
//! [`error::CommandError`] if it stopped before it had a result. Only `main` ends the process.

mod out_file;
mod args;
mod commands;
mod output;
#[cfg(test)]
mod reference;
mod error;
mod unicode;
mod version;

use std::process::ExitCode;

use clap::{Arg, CommandFactory as _, Parser, Subcommand, error::ErrorKind};

use commands::{
    apply, completions, diff, dsc, example, export, fleet, hive, import, journal, library, man, retire, rollback,
    schema, show, snapshot, symptoms, validate,
};
use kbfix::diag::Exit;
use output::Output;

/// Brings Windows machines into the state that a Microsoft Knowledge Base article requires.
///
/// A spec is a YAML file. It can name the product, the hotfix that must be installed, and the registry values that must
/// be set. kbfix reads a target, for example this Windows machine, and shows how the target differs from the spec.
/// `kbfix apply` makes the changes that the spec requires. Before it changes the registry, it writes a journal: a file
/// with the state before the changes. `kbfix rollback` uses the journal to undo the changes.
#[derive(Debug, Parser)]
#[command(name = "kbfix", version, max_term_width = 110, after_help = exit_codes())]
struct Arguments {
    /// With --version: also print the commit, the compiler and the build options with which this kbfix was built.
    #[arg(long)]
    verbose: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Validate(validate::Arguments),
    #[command(visible_alias = "plan")]
    Diff(diff::Arguments),
    Apply(apply::Arguments),
    Rollback(rollback::Arguments),
    Retire(retire::Arguments),
    Snapshot(snapshot::Arguments),
    Symptoms(symptoms::Arguments),
    Fleet(fleet::Arguments),
    Journal(journal::Arguments),
    Hive(hive::Arguments),
    Library(library::Arguments),
    Show(show::Arguments),
    Export(export::Arguments),
    Import(import::Arguments),
    Dsc(dsc::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
    Example(example::Arguments),
}

/// Runs the command that the arguments of the process name.
pub(crate) fn main() -> ExitCode {
    let mut output = Output::new();
    if version::is_verbose() {
        version::print(&mut output);
        return ExitCode::from(output.exit(Exit::Done).code());
    }
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // The error may also be the text of --help or --version; clap knows which stream each belongs on.
            let printed = error.print();
            if error.use_stderr() {
                return ExitCode::from(Exit::Refused.code());
            }
            output.result_by(|_| printed);
            return ExitCode::from(output.exit(Exit::Done).code());
        }
    };
    if arguments.verbose {
        let stop = error::CommandError::usage("--verbose can only be used with --version", "leave out --verbose");
        output.diagnostics(&stop.diagnostics);
        return ExitCode::from(stop.exit.code());
    }
    let result = match &arguments.command {
        Command::Validate(a) => validate::run(a, &mut output),
        Command::Diff(a) => diff::run(a, &mut output),
        Command::Apply(a) => apply::run(a, &mut output),
        Command::Rollback(a) => rollback::run(a, &mut output),
        Command::Retire(a) => retire::run(a, &mut output),
        Command::Snapshot(a) => snapshot::run(a, &mut output),
        Command::Symptoms(a) => symptoms::run(a, &mut output),
        Command::Fleet(a) => fleet::run(a, &mut output),
        Command::Journal(a) => journal::run(a, &mut output),
        Command::Hive(a) => hive::run(a, &mut output),
        Command::Library(a) => library::run(a, &mut output),
        Command::Show(a) => show::run(a, &mut output),
        Command::Import(a) => import::run(a, &mut output),
        Command::Export(a) => export::run(a, &mut output),
        Command::Dsc(a) => dsc::run(a, &mut output),
        Command::Schema(a) => schema::run(a, &mut output),
        Command::Completions(a) => completions::run(a, &mut output),
        Command::Man(a) => man::run(a, &mut output),
        Command::Example(a) => example::run(a, &mut output),
    };
    let exit = result.unwrap_or_else(|stop| {
        output.diagnostics(&stop.diagnostics);
        stop.exit
    });
    ExitCode::from(output.exit(exit).code())
}

/// Parses the arguments of the process. Also returns a text of help as an error, as clap does.
fn parse() -> Result<Arguments, clap::Error> {
    Arguments::try_parse().map_err(|error| match error.kind() {
        // The short forms are made only for help: they take ten times as many instructions as the rest of a short run.
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            definition().try_get_matches().err().unwrap_or(error)
        }
        ErrorKind::InvalidUtf8 => unicode::check(Arguments::command()).unwrap_or(error),
        _ => error,
    })
}

/// Returns the definition of `kbfix` and its commands, with the short forms for `-h`.
fn definition() -> clap::Command {
    Arguments::command().mut_subcommands(short_help)
}

/// Returns the command with a shorter `-h`: the first sentence about the command, and about each argument. `--help`
/// still prints everything.
fn short_help(command: clap::Command) -> clap::Command {
    let first = |text: &str| text.split_once(". ").map(|(first, _)| first.to_owned());
    let short = |argument: Arg| {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        match (argument.get_long_help(), first(&help)) {
            (None, Some(first)) => argument.help(first).long_help(help),
            _ => argument,
        }
    };
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let command = match (command.get_long_about(), first(&about)) {
        (_, None) => command,
        (Some(_), Some(first)) => command.about(first),
        (None, Some(first)) => command.about(first).long_about(about),
    };
    command.mut_args(short).mut_subcommands(short_help)
}

/// Returns the table of exit codes, to be printed in the help.
fn exit_codes() -> String {
    let lines = Exit::ALL.map(|exit| format!("\n  {}  {}", exit.code(), exit.meaning()));
    format!("Exit codes:{}", lines.concat())
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    fn check(command: &mut Command) {
        let short = command.render_help().to_string();
        assert!(short.lines().count() <= 60, "{short}");
        let has_long = |one: &Arg| one.get_id() != "help" && one.get_long_help().is_some();
        let has_more = command.get_long_about().is_some() || command.get_arguments().any(has_long);
        assert!(!has_more || short.contains("(see more with '--help')"), "{short}");
        let is_in_both = |argument: &Arg| argument.is_hide_short_help_set() == argument.is_hide_long_help_set();
        assert!(command.get_arguments().all(is_in_both));
        command.get_subcommands_mut().for_each(check);
    }

    #[test]
    fn the_short_help_names_every_argument_and_is_short() {
        let mut command = definition();
        command.build();
        check(&mut command);
        let mut apply = command.find_subcommand("apply").unwrap().clone();
        let part = "If a saved plan installs the hotfix";
        let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(apply.render_long_help().to_string()).contains(part));
        assert!(!words(apply.render_help().to_string()).contains(part));
    }
}
