//! The command `kbfix fleet diff`: shows the changes that the machines of a fleet need.

use std::path::PathBuf;

use kbfix::{
    diag::Exit,
    files::read::read_stream,
    fleet::{FleetCommand, FleetReport, Members, Survey, Waivers, survey},
    render::fleet,
    spec::Spec,
};

use crate::cli::{
    args::{fail_on::FailOnArguments, fleet::FleetArguments, packages::TriggerArguments, specs::SpecArguments},
    error::CommandError,
    out_file::Inputs,
    output::Output,
};

/// Show which changes each machine of a fleet needs to satisfy specs. This command changes nothing.
///
/// If several machines need the same changes for a spec, the report describes these changes only once, and lists these
/// machines. The formats `human` and `markdown` shorten a long list of machines. The formats `csv` and `junit`, and
/// --lines, list each machine separately. The report also lists the machines on which a spec is blocked or unknown, and
/// the machines that could not be read. If a machine cannot be read, kbfix continues with the other machines.
///
/// The exit code is the highest of all machines. It is 0 if nothing must be changed, and 1 if something must be changed
/// on a machine. It is 3 if a machine could not be read. It is 4 if a spec is blocked or unknown, needs a parameter or
/// waits for a restart on a machine, or if the registry of a user could not be read.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    #[command(flatten)]
    fleet: FleetArguments,

    #[command(flatten)]
    triggers: TriggerArguments,

    #[command(flatten)]
    fail_on: FailOnArguments,

    /// A file with waivers: differences that are accepted for a limited time. The report shows and counts these
    /// differences separately. The differences do not affect the exit code. If a waiver covers at least one change of a
    /// spec on a machine, `fleet plan` leaves out all changes of this spec for this machine. `kbfix schema waivers`
    /// prints the schema of the file.
    #[arg(long, value_name = "FILE")]
    waivers: Option<PathBuf>,

    /// The format of the report.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// Instead of the report, print one line for each machine. This option needs --format json. Each line is a complete
    /// JSON document; `kbfix schema fleet-machine` prints its schema.
    #[arg(long)]
    lines: bool,
}

/// The largest waivers file that is read, in bytes.
const MOST_WAIVERS: u64 = 16 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text for people: a table, and the changes as a unified diff, with colours if the terminal shows them.
    Human,
    /// JSON, for programs; `kbfix schema fleet-report` prints the schema.
    Json,
    /// A table in CSV, with one row for each spec on each machine, and one for each machine that could not be read.
    Csv,
    /// Markdown, for a comment on a pull request: at most 65,000 bytes for a fleet of any size.
    Markdown,
    /// One HTML page of less than 5 MB that needs no network. It can be searched, filtered and sorted.
    Html,
    /// JUnit XML for CI services, with a test for each machine and spec, and one for each machine that could not be
    /// read.
    Junit,
    /// A SARIF 2.1.0 document, for code scanning.
    Sarif,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let report = make(arguments, output);
    arguments.print(report, FleetCommand::Diff, output)
}

fn make(arguments: &Arguments, output: &mut Output) -> Result<FleetReport, CommandError> {
    let asked = arguments.read(output)?;
    let survey = survey(&asked.members, &asked.specs, &asked.which, &asked.waivers, output);
    Ok(asked.report(survey, FleetCommand::Diff))
}

/// The machines and specs that a command names.
pub(super) struct Asked {
    pub(super) members: Members,
    ignored: Vec<String>,
    /// The specs: one list for each distinct set of parameters.
    pub(super) specs: Vec<Vec<Spec>>,
    /// For each machine, the index of the list of specs that is planned on it.
    pub(super) which: Vec<usize>,
    pub(super) waivers: Waivers,
}

impl Asked {
    /// Returns the first list of specs; empty if there is no list. All lists contain the same specs, with the same ids
    /// and titles: only the parameters differ.
    pub(super) fn first(&self) -> &[Spec] {
        self.specs.first().map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn report(self, survey: Survey, command: FleetCommand) -> FleetReport {
        let report = FleetReport::of(survey, self.first(), command);
        FleetReport { ignored: self.ignored, waivers: self.waivers.list, ..report }
    }
}

impl Arguments {
    /// Reads the list of machines, the specs and the waivers.
    pub(super) fn read(&self, output: &mut Output) -> Result<Asked, CommandError> {
        if self.lines && self.format != Format::Json {
            return Err(CommandError::usage("`--lines` needs `--format json`", "add --format json"));
        }
        let (members, ignored) = self.fleet.members(output)?;
        let (parameters, which) = members.parameters();
        let mut specs = self.specs.load_each(&parameters, output)?;
        for each in &mut specs {
            self.triggers.ask(each)?;
        }
        let mut asked = Asked { members, ignored, specs, which, waivers: Waivers::default() };
        if let Some(file) = &self.waivers {
            let name = file.display().to_string();
            let bytes = read_stream(file, MOST_WAIVERS).map_err(|error| CommandError::file(&name, &error))?;
            let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
            let (waivers, warnings) = Waivers::read(&name, &bytes, asked.first(), &asked.members, today)
                .map_err(|found| CommandError::all(Exit::Refused, found))?;
            output.warnings(&warnings);
            asked.waivers = waivers;
        }
        Ok(asked)
    }

    /// Adds the files that the command reads to `inputs`, so that the command does not overwrite them.
    pub(super) fn inputs(&self, members: &Members, inputs: &mut Inputs) {
        self.specs.inputs(inputs);
        self.fleet.inputs(members, inputs);
        self.waivers.iter().for_each(|file| inputs.add(file));
    }

    /// Prints the report, and returns its exit code. An error that stopped the command is printed as a report in the
    /// format JSON without `--lines`, and returned in all other cases.
    pub(super) fn print(
        &self,
        report: Result<FleetReport, CommandError>,
        command: FleetCommand,
        output: &mut Output,
    ) -> Result<Exit, CommandError> {
        let is_json = self.format == Format::Json && !self.lines;
        let mut report = match report {
            Ok(report) => report.failing_on(&self.fail_on.codes()),
            Err(stop) if is_json => {
                let mut report = FleetReport::new(command);
                report.exit_code = stop.exit;
                report.diagnostics = stop.diagnostics;
                report
            }
            Err(stop) => return Err(stop),
        };
        // Only two of the formats contain the diagnostics.
        if is_json {
            report.diagnostics = output.with_warnings(report.diagnostics);
        } else if self.format != Format::Html {
            output.diagnostics(&report.diagnostics);
        }
        match self.format {
            Format::Json if self.lines => output.result_by(|to| fleet::lines(&report, to)),
            Format::Json => output.result_by(|to| fleet::json(&report, to)),
            Format::Human => output.result(&fleet::human(&report, output.paint())),
            Format::Csv => output.result_by(|to| fleet::csv(&report, to)),
            Format::Markdown => output.result(&fleet::markdown(&report)),
            Format::Html => output.result(&fleet::html(&report)),
            Format::Junit => output.result_by(|to| fleet::junit(&report, to)),
            Format::Sarif => output.result_by(|to| fleet::sarif(&report, to)),
        }
        Ok(report.exit_code)
    }
}
