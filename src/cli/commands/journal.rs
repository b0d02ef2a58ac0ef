//! `kbfix journal`

use clap::Subcommand;

use crate::cli::{args::targets::StateArguments, error::CommandError, output::Output};

use kbfix::{diag::Exit, render};

/// List and show the journals of applies and rollbacks.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the journals, oldest first. Exits 2 where one is damaged.
    List {
        #[command(flatten)]
        state: StateArguments,
        /// How the list is written.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Show one journal: what was done, and what was there before.
    Show {
        /// The journal: its file, or its name as `kbfix journal list` shows it.
        journal: String,
        #[command(flatten)]
        state: StateArguments,
        /// How the journal is written.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// A versioned document; `kbfix schema journals` and `kbfix schema journal` print the schemas.
    Json,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    match &arguments.command {
        Command::List { state, format } => {
            let store = state.store()?;
            let (journals, damaged) = store.list()?;
            output.result(&match format {
                Format::Json => render::journal::list_json(&journals, &damaged),
                Format::Human => journals.iter().map(render::journal::line).collect(),
            });
            if !store.root().exists() {
                output.note(&format!("there is no folder {}: no apply was journaled there", store.root().display()));
            }
            // The list is whole but for them, and who reads only it must not take it for all.
            let code = if damaged.is_empty() { Exit::Done } else { Exit::Refused };
            for why in damaged {
                output.diagnostics(&CommandError::from(why).diagnostics);
            }
            return Ok(code);
        }
        Command::Show { journal, state, format } => {
            let journal = state.store()?.find(journal)?;
            output.result(&match format {
                Format::Json => render::journal::json(&journal),
                Format::Human => render::journal::human(&journal),
            });
        }
    }
    Ok(Exit::Done)
}
