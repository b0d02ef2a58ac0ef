//! `kbfix rollback`

use kbfix::{
    diag::Exit,
    operation::{
        self, RollbackOptions,
        report::{self, Report},
    },
    targets::open,
};

use crate::cli::{
    args::targets::{StateArguments, TargetArguments},
    error::CommandError,
    output::{Format, Output},
};

/// Put back what an apply changed. What somebody else changed since is kept, and reported.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The journal: its file, or its name as `kbfix journal list` shows it.
    #[arg(required_unless_present = "last", conflicts_with = "last")]
    journal: Option<String>,

    /// The newest journal that can be rolled back; with --target, of that target.
    #[arg(long)]
    last: bool,

    /// Put back also the values that somebody else changed since.
    #[arg(long)]
    force: bool,

    /// Roll back also where computer name or MachineGuid are not those of the journal: on a machine that was renamed or prepared anew
    /// since. What is rolled back is what is as that apply left it.
    #[arg(long)]
    force_machine: bool,

    /// Only show what would be put back.
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    target: TargetArguments,

    #[command(flatten)]
    state: StateArguments,

    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let result = rollback(arguments, output);
    Ok(output.finish(report::Command::Rollback, result, arguments.format))
}

fn rollback(arguments: &Arguments, output: &mut Output) -> Result<Report, CommandError> {
    let store = arguments.state.store()?;
    let named = arguments.target.target.as_ref().map(|_| arguments.target.address()).transpose()?;
    let (journal, older) = match &arguments.journal {
        Some(name) => (store.find(name)?, None),
        None => operation::newest(&store, named.as_ref(), output)?,
    };
    let address = named.unwrap_or_else(|| journal.header.target.clone());
    let mut target = open(&address)?;
    let options =
        RollbackOptions { check: arguments.check, force: arguments.force, force_machine: arguments.force_machine };
    Ok(operation::rollback(journal, older, options, address, target.as_mut(), &store, output)?)
}
