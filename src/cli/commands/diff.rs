//! The command `kbfix diff`: shows the changes that a target needs.

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
        specs,
        targets::{self, ChangedTargetArguments, StateArguments},
    },
    error::CommandError,
    out_file::{Destination, Inputs},
    output::{self, Output},
};

/// Show which changes a target needs to satisfy specs. This command changes nothing.
#[derive(Debug, clap::Args)]
#[command(mut_args(|argument| {
    targets::describe(argument, "The target to compare with the specs", targets::DEFAULT, TARGETS)
}))]
#[command(mut_arg("specs", |argument| specs::unless(argument, "--plan or --all")))]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    request: RequestArguments,

    /// Use all built-in specs instead of SPEC. Their parameters have the defaults: with --all, --set is an error, and
    /// so is --package. With --format human, the report leaves out each spec that is not applicable, and each spec that
    /// is in desired state. A report in this format ends with a table of the outcomes of all specs.
    #[arg(long, conflicts_with_all = ["specs", "set", "stdin_specs", "plan", "packages"])]
    all: bool,

    #[command(flatten)]
    target: ChangedTargetArguments,

    /// The format of the report.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// Also search the event logs of the target for the symptoms of the specs. If a spec was applied to the target and
    /// not undone since, kbfix counts the events before and since the last apply of the spec separately. kbfix finds
    /// the time of this apply in the journals. `diff` uses --state-dir only for this purpose, and to check a plan of
    /// `kbfix retire`. Symptoms change neither an outcome nor the exit code. With --plan, this option is an error.
    #[arg(long, conflicts_with = "plan")]
    symptoms: bool,

    #[command(flatten)]
    state: StateArguments,

    /// Save the plan in this file, for review and for `kbfix apply --plan`. To get the plan on standard output, as a
    /// part of the report, use --format json and --with-plan.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// With --format json: include the plan in the report, for programs that cannot read a file. With another format,
    /// this option has no effect.
    #[arg(long)]
    with_plan: bool,

    /// With --format json: also include the report as Markdown. This is for programs that need both formats but want to
    /// read the target only once. With another format, this option has no effect.
    #[arg(long)]
    with_markdown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A unified diff in .reg notation, with colours if the terminal shows them.
    Human,
    /// JSON, for programs; `kbfix schema report` prints the schema.
    Json,
    /// Markdown, for a change ticket or a pull request.
    Markdown,
    /// The changes as a .reg file, in UTF-16, without values whose data is sensitive.
    Reg,
    /// One self-contained HTML page.
    Html,
}

/// The paragraph in the help of `--target` about what this command does with each kind of target.
const TARGETS: &str = "`diff` can read each of these targets, and changes none of them.";

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
        Format::Human if report.specs.is_empty() => {
            output.report(&report, format);
            output.result("the plan contains no spec and changes nothing\n");
        }
        _ => output.report(&report, format),
    }
    Ok(report.exit_code)
}

/// Prints the results of the specs whose outcome is neither `not_applicable` nor `in_desired_state`, and then a table
/// with the outcome of each spec.
fn overview(report: &Report, output: &mut Output) {
    let is_quiet = |outcome: Outcome| matches!(outcome, Outcome::NotApplicable | Outcome::InDesiredState);
    let mut asking = report.clone();
    asking.specs.retain(|spec| !is_quiet(spec.whole_outcome()));
    output.report(&asking, output::Format::Human);
    let table = render::library::outcomes(&report.specs, output.paint());
    output.result(&format!("\n{table}"));
}

/// Returns the destination of the plan; `None` without `--out`.
fn destination(arguments: &Arguments) -> Result<Option<Destination>, CommandError> {
    let Some(out) = &arguments.out else { return Ok(None) };
    let mut inputs = Inputs::default();
    arguments.request.inputs(&mut inputs);
    inputs.add_target(&arguments.target.address()?);
    if let Ok(store) = arguments.state.store() {
        inputs.add_journals(&store);
    }
    plans::destination(out, &inputs).map(Some)
}

/// Makes the report, and saves the plan if the user requested it with `--out`.
fn make(arguments: &Arguments, output: &mut Output) -> Result<Report, CommandError> {
    arguments.request.check()?;
    let out = destination(arguments)?;
    let request = match arguments.all {
        true => arguments.request.load_library(output)?,
        false => arguments.request.load(output)?,
    };
    let (address, mut target) = arguments.target.open_for(&request)?;
    let request = request.on(target.as_mut())?;
    let most = arguments.request.max_changes;
    let (diff, request) = match arguments.symptoms {
        true => (operation::diff(&request, most, target.as_mut(), output), Some(request)),
        // Many specs take much memory, so they are kept only if they are needed.
        false => (operation::diff(request, most, target.as_mut(), output), None),
    };
    let mut diff = diff.map_err(|error| arguments.request.error(error))?;
    if diff.plan.retires.is_some() {
        let checked = diff.check_journals(&address, target.as_mut(), &arguments.state.store()?);
        checked.map_err(|error| arguments.request.error(error))?;
    }
    let mut text = None;
    if out.is_some() || arguments.with_plan {
        let written = diff.plan.to_text();
        match out {
            Some(out) => plans::save(&out, &written, output)?,
            None => plans::fits(&written)?,
        }
        text = Some(written).filter(|_| arguments.with_plan);
    }
    let mut report = Report { plan: text, ..diff.into_report().failing_on(&arguments.request.fail_on.codes()) };
    if let Some(Request::Specs(specs)) = request {
        let store = arguments.state.store()?;
        operation::add_symptoms(&mut report, &specs, target.as_mut(), &store, output)?;
        arguments.state.note_missing(&store, output);
    }
    Ok(report)
}
