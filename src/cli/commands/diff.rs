//! `kbfix diff`

use std::path::PathBuf;

use kbfix::{
    diag::Exit,
    operation::{
        self, Request,
        report::{self, Report},
    },
    plan::Outcome,
    render,
};

use crate::cli::{
    args::{
        plans,
        request::RequestArguments,
        targets::{StateArguments, TargetArguments},
    },
    error::CommandError,
    out_file::{Destination, Inputs},
    output::{self, Output},
};

/// Show what would have to change on a target so that specs hold there. Changes nothing.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    request: RequestArguments,

    /// All built-in specs, in one pass, with a table of their outcomes at the end.
    #[arg(long, conflicts_with_all = ["specs", "set", "stdin_specs", "plan", "packages"])]
    all: bool,

    #[command(flatten)]
    target: TargetArguments,

    /// How the difference is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// Also look for the specs' symptoms in the event logs of the target. They decide no outcome.
    #[arg(long, conflicts_with = "plan")]
    symptoms: bool,

    #[command(flatten)]
    state: StateArguments,

    /// Save the plan, for review and for `kbfix apply --plan`. Not to standard output: see --with-plan.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Put the plan's text into the JSON report too, for callers that cannot fetch a file.
    #[arg(long)]
    with_plan: bool,

    /// Put the Markdown report into the JSON report too, for callers that keep both and look at the target once.
    #[arg(long)]
    with_markdown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A unified diff in .reg notation, with colours where the terminal shows them.
    Human,
    /// A versioned document; `kbfix schema report` prints its schema.
    Json,
    /// For a change ticket or a pull request.
    Markdown,
    /// The changes as a .reg file, in UTF-16.
    Reg,
    /// One self-contained page.
    Html,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let format = match arguments.format {
        Format::Json => output::Format::Json,
        Format::Markdown => output::Format::Markdown,
        Format::Human | Format::Reg | Format::Html => output::Format::Human,
    };
    let empty = Report::new(report::Command::Diff);
    let mut report = match make(arguments, output) {
        Ok(report) => report,
        Err(stop) => return Ok(output.stopped(empty, stop, format)),
    };
    report.markdown = arguments.with_markdown.then(|| render::markdown(&report));
    match arguments.format {
        Format::Reg => {
            output.diagnostics(&report.diagnostics);
            output.bytes(
                &render::reg(&report.specs).map_err(|e| CommandError::usage(e.to_string(), "use another --format"))?,
            );
        }
        Format::Html => {
            output.diagnostics(&report.diagnostics);
            output.result(&render::html::report(&report));
        }
        Format::Human if arguments.all => overview(&report, output),
        _ => output.report(&report, format),
    }
    Ok(report.exit_code)
}

/// Shows the specs that ask for something, and a table of all.
fn overview(report: &Report, output: &mut Output) {
    let is_quiet = |outcome: Outcome| matches!(outcome, Outcome::NotApplicable | Outcome::InDesiredState);
    let mut asking = report.clone();
    asking.specs.retain(|spec| !is_quiet(spec.whole_outcome()));
    output.report(&asking, output::Format::Human);
    let table = render::library::outcomes(&report.specs, output.paint());
    output.result(&format!("\n{table}"));
}

/// Where the plan is saved.
fn destination(arguments: &Arguments) -> Result<Option<Destination>, CommandError> {
    let Some(out) = &arguments.out else { return Ok(None) };
    let mut inputs = Inputs::default();
    arguments.request.inputs(&mut inputs);
    inputs.add_target(&arguments.target.address()?);
    plans::destination(out, &inputs).map(Some)
}

/// Makes the report, and saves the plan.
fn make(arguments: &Arguments, output: &mut Output) -> Result<Report, CommandError> {
    arguments.request.check()?;
    let out = destination(arguments)?;
    let request = match arguments.all {
        true => arguments.request.load_library(output)?,
        false => arguments.request.load(output)?,
    };
    let (_, mut target) = arguments.target.open()?;
    let request = request.on(target.as_mut())?;
    let diff = operation::diff(&request, arguments.request.max_changes, target.as_mut(), output)
        .map_err(|error| arguments.request.error(error))?;
    let mut text = None;
    if out.is_some() || arguments.with_plan {
        let written = diff.plan.to_text();
        match out {
            Some(out) => plans::save(&out, &written, output)?,
            None => plans::fits(&written)?,
        }
        text = Some(written).filter(|_| arguments.with_plan);
    }
    let mut report = Report { plan: text, ..diff.into_report() };
    if let (true, Request::Specs(specs)) = (arguments.symptoms, &request) {
        operation::add_symptoms(&mut report, specs, target.as_mut(), &arguments.state.store()?, output)?;
    }
    Ok(report)
}
