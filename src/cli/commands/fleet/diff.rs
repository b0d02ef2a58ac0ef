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
    match arguments.format {
        Format::Json if !arguments.lines => output.result(&fleet::json(&report)),
        Format::Json => {
            output.diagnostics(&report.diagnostics);
            output.result(&fleet::lines(&report));
        }
        Format::Human => {
            output.diagnostics(&report.diagnostics);
            let text = fleet::human(&report, output.paint());
            output.result(&text);
        }
    }
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
