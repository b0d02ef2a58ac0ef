//! The command `kbfix journal`: lists and shows journals.

use clap::Subcommand;

use crate::cli::{args::targets::StateArguments, error::CommandError, output::Output};

use kbfix::{diag::Exit, journal::StoreError, render};

/// List and show journals: the records of the runs of `kbfix apply`, `rollback`, `retire` and `dsc set`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the journals, oldest first. If a journal is damaged, kbfix prints an error for this journal and lists all
    /// other journals; the exit code is then 2.
    List {
        #[command(flatten)]
        state: StateArguments,
        /// The format of the list.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Show one journal: the changes of one run, and the state before these changes.
    Show {
        /// The journal: the path of its file, or its name in the output of `kbfix journal list`.
        journal: String,
        #[command(flatten)]
        state: StateArguments,
        /// The format of the journal.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for people.
    Human,
    /// JSON, for programs. `kbfix schema journals` prints the schema of the list, and `kbfix schema journal` prints the
    /// schema of one journal.
    Json,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let (result, format, stopped): (_, _, fn(_) -> _) = match &arguments.command {
        Command::List { state, format } => (list(state, *format, output), format, render::journal::not_listed_json),
        Command::Show { journal, state, format } => {
            (show(journal, state, *format, output), format, render::journal::not_shown_json)
        }
    };
    match result {
        Err(stop) if *format == Format::Json => {
            output.result(&stopped(stop.diagnostics));
            Ok(stop.exit)
        }
        result => result,
    }
}

fn list(state: &StateArguments, format: Format, output: &mut Output) -> Result<Exit, CommandError> {
    let store = state.store()?;
    let (journals, damaged) = store.list()?;
    output.result(&match format {
        Format::Json => render::journal::list_json(&journals, &damaged),
        Format::Human => journals.iter().map(render::journal::line).collect(),
    });
    if let Some(missing) = store.missing() {
        output.note(&missing);
    }
    // If there are damaged journals, the list is not complete. The exit code tells this to a program that only reads
    // the list.
    let code = if damaged.is_empty() { Exit::Done } else { Exit::Refused };
    for why in damaged {
        let is_malformed = matches!(why, StoreError::Malformed { .. });
        let mut error = CommandError::from(why);
        if is_malformed {
            // The usual hint is to run this command.
            error = error.with_hint("use an undamaged copy of the file, or move the file to another folder");
        }
        output.diagnostics(&error.diagnostics);
    }
    Ok(code)
}

fn show(name: &str, state: &StateArguments, format: Format, output: &mut Output) -> Result<Exit, CommandError> {
    let journal = state.store()?.find(name)?;
    output.result(&match format {
        Format::Json => render::journal::json(&journal),
        Format::Human => render::journal::human(&journal),
    });
    Ok(Exit::Done)
}
