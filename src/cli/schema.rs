//! `kbfix schema`

use crate::{plan, review::Report, spec, target::Snapshot};

use super::{output::Output, stop::Stop};

/// Print the JSON schema of a document.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Which document.
    #[arg(value_enum, default_value_t = Document::Spec)]
    document: Document,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Document {
    /// The spec language.
    Spec,
    /// A saved plan.
    Plan,
    /// What diff, apply and rollback report.
    Report,
    /// A snapshot.
    Snapshot,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<u8, Stop> {
    let schema = match arguments.document {
        Document::Spec => spec::schema(),
        Document::Plan => plan::file::schema(),
        Document::Report => schemars::schema_for!(Report).to_value(),
        Document::Snapshot => schemars::schema_for!(Snapshot).to_value(),
    };
    output.result(&format!("{schema:#}\n"));
    Ok(0)
}
