//! The command `kbfix schema`: prints JSON schemas.

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use crate::cli::{error::CommandError, output::Output};

use kbfix::{
    diag::Exit,
    fleet::{self, FleetComparison, FleetReport},
    operation::{library::Library, symptoms::Symptoms},
    plan,
    render::{self, article::Articles, diagnostics::Findings, hive_check::HiveCheck, journal},
    spec,
    targets::Snapshot,
};

/// Print the JSON schema of a document that kbfix reads or writes.
///
/// Editors and programs check documents with such a schema. For a command's output or report, the schema
/// describes the JSON that the command prints with `--format json`. If an error stops the command, it prints this
/// document too, with the error in `diagnostics`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The document whose schema is printed.
    #[arg(value_enum, default_value_t = Document::Spec)]
    document: Document,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Document {
    /// A spec.
    Spec,
    /// A saved plan.
    Plan,
    /// The report of `diff`, `apply`, `rollback` and `retire`.
    Report,
    /// A snapshot.
    Snapshot,
    /// A fleet file.
    Fleet,
    /// A file with waivers.
    Waivers,
    /// The report of `fleet diff` and `fleet plan`.
    FleetReport,
    /// One line of the output of `fleet diff` or `fleet plan` with `--lines`.
    FleetMachine,
    /// The report of `fleet impact` and `fleet drift`.
    FleetComparison,
    /// The first line of a fleet plan; each other line is a plan.
    FleetPlan,
    /// The output of `validate`.
    Findings,
    /// The output of `show`.
    Articles,
    /// The output of `journal list`.
    Journals,
    /// The output of `journal show`.
    Journal,
    /// The output of `library`.
    Library,
    /// The output of `symptoms`.
    Symptoms,
    /// The output of `hive check`.
    HiveCheck,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let schema = match arguments.document {
        Document::Spec => spec::schema(),
        Document::Plan => plan::file::schema(),
        Document::Report => render::report_schema(),
        Document::Snapshot => schema_for!(Snapshot).to_value(),
        Document::Fleet => fleet::fleet_schema(),
        Document::FleetReport => written::<FleetReport>(),
        Document::Waivers => fleet::waivers_schema(),
        Document::FleetComparison => written::<FleetComparison>(),
        Document::FleetPlan => schema_for!(fleet::bundle::Bundle).to_value(),
        Document::FleetMachine => written::<fleet::Line<'_>>(),
        Document::Findings => written::<Findings<'_>>(),
        Document::Articles => written::<Articles<'_>>(),
        Document::Journals => written::<journal::Journals<'_>>(),
        Document::Journal => written::<journal::ShownOrNot<'_>>(),
        Document::Library => written::<Library>(),
        Document::Symptoms => written::<Symptoms>(),
        Document::HiveCheck => written::<HiveCheck<'_>>(),
    };
    output.result(&format!("{schema:#}\n"));
    Ok(Exit::Done)
}

/// Returns the schema of a document that kbfix writes but never reads.
fn written<T: JsonSchema>() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>().to_value()
}
