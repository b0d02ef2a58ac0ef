//! `kbfix fleet diff`

use kbfix::{
    diag::Exit,
    fleet::{FleetCommand, FleetReport, survey},
    render::fleet,
};

use crate::cli::{
    args::{fleet::FleetArguments, specs::SpecArguments},
    error::CommandError,
    output::Output,
};

/// Show what would have to change on each machine of a fleet so that specs hold there. Changes nothing.
///
/// Machines on which the same has to change stand together; then those that are blocked, unknown or unreadable. A snapshot that cannot
/// be read is one row of the report, and the rest goes on. The exit code is the highest of all machines: 0 all in desired state,
/// 1 changes, 3 a machine could not be read, 4 a spec is blocked or unknown somewhere.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    #[command(flatten)]
    fleet: FleetArguments,

    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// With --format json: one machine a line, each line a document of its own (`kbfix schema fleet-machine`).
    #[arg(long)]
    lines: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table, and the changes as a unified diff, with colours where the terminal shows them.
    Human,
    /// A versioned document; `kbfix schema fleet-report` prints its schema.
    Json,
    /// One row for each spec on each machine.
    Csv,
    /// For a comment on a pull request: at most 65,000 characters, whatever the fleet.
    Markdown,
    /// One page that needs no network; it can be searched, filtered and sorted.
    Html,
    /// For CI services: a test for each machine and spec.
    Junit,
    /// For code scanning (SARIF 2.1.0).
    Sarif,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    if arguments.lines && arguments.format != Format::Json {
        return Err(CommandError::usage("`--lines` is a form of JSON", "give --format json with it"));
    }
    let report = match make(arguments, output) {
        Ok(report) => report,
        Err(stop) if arguments.format == Format::Json && !arguments.lines => {
            let mut report = FleetReport::new(FleetCommand::Diff);
            report.exit_code = stop.exit;
            report.diagnostics = stop.diagnostics;
            output.result(&fleet::json(&report));
            return Ok(report.exit_code);
        }
        Err(stop) => return Err(stop),
    };
    // The document holds them only in two formats.
    if !matches!(arguments.format, Format::Json | Format::Html) || arguments.lines {
        output.diagnostics(&report.diagnostics);
    }
    let text = match arguments.format {
        Format::Json if arguments.lines => fleet::lines(&report),
        Format::Json => fleet::json(&report),
        Format::Human => fleet::human(&report, output.paint()),
        Format::Csv => fleet::csv(&report),
        Format::Markdown => fleet::markdown(&report),
        Format::Html => fleet::html(&report),
        Format::Junit => fleet::junit(&report),
        Format::Sarif => fleet::sarif(&report),
    };
    output.result(&text);
    Ok(report.exit_code)
}

fn make(arguments: &Arguments, output: &mut Output) -> Result<FleetReport, CommandError> {
    let (members, ignored) = arguments.fleet.members(output)?;
    let (parameters, which) = members.parameters();
    let specs = arguments.specs.load_each(&parameters, output)?;
    let survey = survey(&members, &specs, &which, output);
    let specs = specs.first().map(Vec::as_slice).unwrap_or_default();
    Ok(FleetReport { ignored, ..FleetReport::of(survey, specs, FleetCommand::Diff) })
}
