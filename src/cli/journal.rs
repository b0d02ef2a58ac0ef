//! `kbfix journal`

use std::fmt::Write;

use clap::Subcommand;
use serde_json::json;

use crate::{
    journal::{Action, Journal},
    review,
};

use super::{output::Output, stop::Stop, targets::StateArguments};

/// List and show the journals of applies and rollbacks.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the journals, oldest first.
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
    Human,
    Json,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<u8, Stop> {
    match &arguments.command {
        Command::List { state, format } => {
            let (journals, damaged) = state.folder()?.list()?;
            match format {
                Format::Json => {
                    output.result(&text(&json!({ "journals": journals.iter().map(summary).collect::<Vec<_>>() })))
                }
                Format::Human => output.result(&journals.iter().map(line).collect::<String>()),
            }
            for why in damaged {
                output.diagnostics(&Stop::from(why).diagnostics);
            }
        }
        Command::Show { journal, state, format } => {
            let journal = state.folder()?.find(journal)?;
            match format {
                Format::Json => {
                    let mut value = summary(&journal);
                    value["changes"] = json!(journal.entry.changes);
                    value["events"] = json!(journal.events);
                    output.result(&text(&value));
                }
                Format::Human => output.result(&shown(&journal)),
            }
        }
    }
    Ok(0)
}

fn summary(journal: &Journal) -> serde_json::Value {
    json!({
        "id": journal.entry.id,
        "path": journal.path,
        "made": journal.entry.made,
        "action": journal.entry.action,
        "status": journal.status(),
        "target": journal.entry.target,
        "machine": journal.entry.machine,
        "specs": journal.entry.specs,
        "plan": journal.entry.plan,
    })
}

fn text(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

fn line(journal: &Journal) -> String {
    let entry = &journal.entry;
    let action = match &entry.action {
        Action::Apply => "apply".to_owned(),
        Action::Rollback(of) => format!("rollback of {of}"),
    };
    format!(
        "{}  {:<11}  {}  {action}  {}\n",
        entry.id,
        journal.status().to_string(),
        entry.specs.join("+"),
        entry.target.uri
    )
}

fn shown(journal: &Journal) -> String {
    let mut out = line(journal);
    let _ = writeln!(out, "plan {}", journal.entry.plan);
    out.push_str(&review::changes(&journal.entry.changes));
    for event in &journal.events {
        let detail = event.detail.as_deref().map(|d| format!(": {d}")).unwrap_or_default();
        let _ = writeln!(out, "{} {}{detail}", event.time, event.event);
    }
    out
}
