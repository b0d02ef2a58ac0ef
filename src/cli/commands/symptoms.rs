//! The command `kbfix symptoms`: counts the events that articles describe.

use crate::cli::{
    args::{
        specs::SpecArguments,
        targets::{self, StateArguments, TargetArguments},
    },
    error::CommandError,
    output::Output,
};

use kbfix::{
    diag::Exit,
    operation::symptoms::{self, Symptoms},
    render,
};

/// Search the event logs of a target for symptoms (events that articles describe), and show how often each event was
/// logged. If a spec was applied to the target and not undone since, this command shows how often the event was logged
/// before and since the last apply of the spec. If not, it shows when the event was logged last. Events that are no
/// longer in the log do not count.
///
/// This command changes nothing. The exit code is 4 if the event log of a symptom, or a part of this log, cannot be
/// read. It is also 4 if a spec has symptoms, and a journal that may show its last apply cannot be read. The exit code
/// does not depend on the number of events.
#[derive(Debug, clap::Args)]
#[command(mut_args(|argument| {
    targets::describe(argument, "The target whose event logs are searched", targets::DEFAULT, TARGETS)
}))]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    #[command(flatten)]
    target: TargetArguments,

    #[command(flatten)]
    state: StateArguments,

    /// The format of the output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// The paragraph in the help of `--target` about what this command does with each kind of target.
const TARGETS: &str = "`symptoms` changes none of these targets. It counts the events of `local`, `image:` and `smb:`, \
    and of a snapshot that was taken with --symptoms. For other targets, and for Windows Server 2003 over `smb:`, \
    the number of events is unknown, and the exit code is 4 if a spec has symptoms. With `smb:` and --files, kbfix reads the event logs of \
    drive C from the folder of --files.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for people.
    Human,
    /// JSON, for programs; `kbfix schema symptoms` prints the schema.
    Json,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let mut found = match find(arguments, output) {
        Ok(found) => found,
        Err(stop) if arguments.format == Format::Json => {
            Symptoms { exit_code: stop.exit, diagnostics: stop.diagnostics, ..Symptoms::new() }
        }
        Err(stop) => return Err(stop),
    };
    match arguments.format {
        Format::Json => {
            found.diagnostics = output.with_warnings(found.diagnostics);
            output.result(&render::symptoms::json(&found));
        }
        Format::Human => {
            output.diagnostics(&found.diagnostics);
            output.result(&render::symptoms::human(&found, output.paint()));
        }
    }
    Ok(found.exit_code)
}

fn find(arguments: &Arguments, output: &mut Output) -> Result<Symptoms, CommandError> {
    let specs = arguments.specs.load_for_plan(output)?;
    let store = arguments.state.store()?;
    let (_, mut target) = arguments.target.open()?;
    let found = symptoms::symptoms(&specs, target.as_mut(), Some(&store), output)?;
    arguments.state.note_missing(&store, output);
    Ok(found)
}
