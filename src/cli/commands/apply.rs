//! `kbfix apply`

use std::path::Path;

use crate::cli::{
    args::{
        specs::{SpecArguments, standard_input},
        targets::{StateArguments, TargetArguments, changing, reading},
    },
    error::{CommandError, USAGE},
    install::{self, PackageArguments},
    output::{Format, Output},
    services,
};

use kbfix::{
    diag::{Code, Diagnostic},
    files::read::read_stream,
    journal,
    operation::{
        self, Execution, Occasion, Standing, StartError,
        report::{self, Report},
    },
    plan::{Outcome, Plan, SpecPlan},
    spec::Spec,
    targets::{Address, Target},
};

/// Make the changes that specs ask for, or those of a reviewed plan.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    specs: SpecArguments,

    /// Apply this saved plan (`-`: from standard input) and nothing else. Refused when what it rests on has moved.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["specs", "set", "stdin_specs"])]
    plan: Option<String>,

    /// Refuse a plan whose digest is not this one.
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,

    /// The most keys and values that may change through a `*` of one spec; more are refused, and nothing is changed.
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_CHANGES)]
    max_changes: usize,

    #[command(flatten)]
    packages: PackageArguments,

    /// How long a package may take before it is ended.
    #[arg(long, value_name = "MINUTES", default_value_t = 60, requires = "packages")]
    package_limit: u64,

    /// Only show what would be done. Refuses what the run would refuse, as far as can be known without changing anything.
    #[arg(long)]
    check: bool,

    /// Restart the services that the specs name, once their changes are made. Target local only.
    #[arg(long)]
    restart_services: bool,

    #[command(flatten)]
    target: TargetArguments,

    #[command(flatten)]
    state: StateArguments,

    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// The most keys and values that change through a `*` of one spec when the operator says nothing.
pub(in crate::cli) const MOST_CHANGES: usize = 1000;

/// That a `*` of a spec stands for very many keys.
pub(in crate::cli) fn too_many_changes(
    spec: &SpecPlan,
    most: usize,
    severity: fn(Code, String) -> Diagnostic,
) -> Diagnostic {
    let message = format!("{}: {} keys and values change through a `*`, more than {most}", spec.id, spec.by_star);
    let hint = format!("look through them; where all are meant, apply with --max-changes {}", spec.by_star);
    severity(Code::TOO_MANY_CHANGES, message).hint(hint)
}

/// Returns that the target cannot be written as the plan says, where that is known without writing.
pub(in crate::cli) fn cannot_apply(
    plan: &Plan,
    target: &mut dyn Target,
    severity: fn(Code, String) -> Diagnostic,
) -> Option<Diagnostic> {
    let changes: Vec<_> = plan.changes().cloned().collect();
    let error = target.rehearse(&changes).err()?;
    let message = format!("kbfix apply could not write this: {error}");
    Some(severity(Code::CANNOT_APPLY, message).hint("see to that first; nothing was changed"))
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<u8, CommandError> {
    match apply(arguments, output) {
        Ok(report) => {
            output.report(&report, arguments.format);
            Ok(report.exit_code)
        }
        Err(stop) => Ok(output.stopped(Report::new(report::Command::Apply), stop, arguments.format)),
    }
}

/// What is to be applied.
enum Wanted {
    Specs(Vec<Spec>),
    Plan(Box<Plan>),
}

fn apply(arguments: &Arguments, output: &mut Output) -> Result<Report, CommandError> {
    digest_of_a_plan(arguments.digest.as_deref(), arguments.plan.as_deref())?;
    let wanted = match &arguments.plan {
        Some(file) => {
            let name = arguments.specs.name_of(file);
            Wanted::Plan(Box::new(read_plan(file, name, arguments.digest.as_deref())?))
        }
        None => {
            let mut specs = arguments.specs.load_for_plan(output)?;
            arguments.packages.ask(&mut specs)?;
            Wanted::Specs(specs)
        }
    };
    let folder = arguments.state.folder()?;
    let (address, mut target) = arguments.target.open()?;
    if arguments.restart_services {
        services::check(&address)?;
    }
    // A look takes no lock, which needs the right to write.
    let _lock = if arguments.check { None } else { Some(target.lock()?) };
    let what = reading(target.as_ref());
    let mut warning = None;
    let plan = match &wanted {
        Wanted::Specs(specs) => output.during(&what, || operation::make_plan(target.as_mut(), specs))?,
        Wanted::Plan(plan) => {
            let name = arguments.specs.name_of(arguments.plan.as_deref().unwrap_or_default());
            let held = output.during(&what, || operation::check_plan(plan, target.as_mut()));
            let standing = held.map_err(|error| CommandError::from(error).of_plan(name))?;
            warning = other_target(plan, target.as_ref());
            match standing {
                Standing::Holds => (**plan).clone(),
                Standing::CarriedOut => {
                    let mut report = carried_out((**plan).clone(), report::Command::Apply);
                    report.diagnostics.extend(warning);
                    return Ok(report);
                }
            }
        }
    };
    let narrow = |plan: &Plan| match plan.wider_than(arguments.max_changes) {
        Some(spec) => Err(CommandError::new(USAGE, too_many_changes(spec, arguments.max_changes, Diagnostic::error))),
        None => Ok(()),
    };
    narrow(&plan)?;
    if arguments.restart_services {
        services::look(&plan)?;
    }
    if arguments.check {
        arguments.packages.check(&plan, &address)?;
        if plan.changes().next().is_some() {
            folder.check().map_err(|e| CommandError::from(StartError::Journal(e)))?;
        }
        if let Some(why) = cannot_apply(&plan, target.as_mut(), Diagnostic::error) {
            return Err(CommandError::new(Outcome::RolledBack.exit_code(), why));
        }
        let mut report = only_shown(plan, report::Command::Apply);
        report.diagnostics.extend(warning);
        return Ok(report);
    }
    let prepared = arguments.packages.prepare(&plan, &address, &folder)?;
    let mut report = if prepared.is_empty() {
        let what = changing(target.as_ref());
        output.during(&what, || carry_out(plan, journal::Action::Apply, address, target.as_mut(), &folder))?
    } else {
        let limit = std::time::Duration::from_secs(arguments.package_limit.saturating_mul(60));
        let installed = install::run(plan, prepared, limit, output);
        let specs = match wanted {
            Wanted::Specs(specs) => Some(specs),
            Wanted::Plan(_) => None,
        };
        install::go_on(installed, specs, target.as_mut(), |plan, target| {
            narrow(&plan)?;
            carry_out(plan, journal::Action::Apply, address, target, &folder)
        })
    };
    report.command = report::Command::Apply;
    report.diagnostics.extend(warning);
    if arguments.restart_services {
        services::restart(&mut report, output);
    }
    Ok(report)
}

/// That a saved plan was made from another target than this one: a clone has the name, the MachineGuid and the facts of the machine
/// that the plan is for. Snapshots and exports are copies, whose plans are always for another target.
pub(super) fn other_target(plan: &Plan, target: &dyn Target) -> Option<Diagnostic> {
    let uri = target.uri();
    let is_copy = ["snapshot:", "reg:"].iter().any(|kind| plan.target.starts_with(kind));
    (!is_copy && plan.target != uri).then(|| {
        let message = format!("the plan was made from {}, and this is {uri}", plan.target);
        let hint = "see that it is that machine: a clone cannot be told from it by name and MachineGuid";
        Diagnostic::warning(Code::PLAN_OTHER_TARGET, message).hint(hint)
    })
}

/// The report of a plan that is not carried out.
pub(in crate::cli) fn only_shown(plan: Plan, command: report::Command) -> Report {
    let digest = plan.digest();
    let mut report = Report::new(command).with_specs(plan.specs);
    report.target = Some(plan.target);
    report.machine = plan.machine;
    report.digest = Some(digest);
    report
}

/// The report of a plan whose changes were all made before.
pub(in crate::cli) fn carried_out(mut plan: Plan, command: report::Command) -> Report {
    let digest = plan.digest();
    for spec in plan.specs.iter_mut().filter(|spec| spec.outcome == Outcome::ChangesPending) {
        finish(spec, Outcome::InDesiredState, Some("the plan was carried out before: each of its changes is in place"));
        spec.changes.clear();
    }
    let report = only_shown(plan, command);
    // That of what was reviewed, not of what is left of it.
    Report { digest: Some(digest), ..report }
}

/// Refuses a digest that nothing is held against: clap's `requires` counts as fulfilled by a spec, since that excludes `--plan`.
pub(in crate::cli) fn digest_of_a_plan(digest: Option<&str>, plan: Option<&str>) -> Result<(), CommandError> {
    match (digest, plan) {
        (Some(_), None) => {
            Err(CommandError::usage("`--digest` is given without `--plan`", "name the plan that has this digest"))
        }
        _ => Ok(()),
    }
}

/// Reads a saved plan, and checks it against the approved digest. `name` is what messages call the file.
pub(in crate::cli) fn read_plan(file: &str, name: &str, digest: Option<&str>) -> Result<Plan, CommandError> {
    let bytes = match file {
        "-" => standard_input(MAX_PLAN)?,
        _ => read_stream(Path::new(file), MAX_PLAN as u64).map_err(|e| CommandError::file(file, &e))?,
    };
    let text = String::from_utf8(bytes).map_err(|_| {
        CommandError::usage(
            format!("{name} is not a plan: it is not UTF-8 text"),
            "make one with `kbfix diff --out FILE`",
        )
    })?;
    Plan::from_text(&text, digest).map_err(|error| CommandError::from(error).of_plan(name))
}

/// The largest plan that is read, and therefore written, in bytes.
pub(super) const MAX_PLAN: usize = 256 << 20;

/// Makes the changes of a plan, and reports what came of it. The caller holds the lock.
pub(in crate::cli) fn carry_out(
    mut plan: Plan,
    action: journal::Action,
    address: Address,
    target: &mut dyn Target,
    folder: &journal::Folder,
) -> Result<Report, CommandError> {
    let digest = plan.digest();
    let occasion = Occasion {
        action,
        target: address,
        machine: plan.machine.clone(),
        specs: plan.specs.iter().filter(|s| s.does_something()).map(|s| s.id.clone()).collect(),
        plan: digest.clone(),
        restart: plan.restart(),
    };
    let changes = plan.changes().cloned().collect();
    let execution = operation::execute(changes, occasion, target, folder)?;
    let (outcome, failure) = match &execution {
        Execution::Nothing => (Outcome::InDesiredState, None),
        Execution::Done(_) => (Outcome::Changed, None),
        Execution::Undone(_, why) => (Outcome::RolledBack, Some(why.to_string())),
        Execution::Incomplete(_, why, left) => {
            (Outcome::Failed, Some(format!("{why}; not put back: {}", left.join("; "))))
        }
    };
    for spec in plan.specs.iter_mut().filter(|spec| spec.outcome == Outcome::ChangesPending) {
        match spec.changes.is_empty() {
            // There was only a hotfix to install, and that is done by now.
            true => finish(spec, Outcome::Changed, None),
            false => finish(spec, outcome, failure.as_deref()),
        }
    }
    let mut report = Report::new(report::Command::Apply).with_specs(plan.specs);
    // A plan made from a snapshot names that; the report names what was changed.
    report.target = Some(target.uri());
    report.machine = plan.machine;
    report.digest = Some(digest);
    report.changed = matches!(execution, Execution::Done(_) | Execution::Incomplete(..));
    report.journal = execution.journal().map(|path| path.display().to_string());
    if let Some(failure) = failure {
        let hint = match outcome {
            Outcome::Failed => "put back what is named above by hand, or try `kbfix rollback` with the journal",
            _ => "nothing was changed; mend the cause and apply again",
        };
        report.diagnostics.push(Diagnostic::error(Code::WRITE_FAILED, failure).hint(hint));
    }
    Ok(report)
}

fn finish(spec: &mut SpecPlan, outcome: Outcome, reason: Option<&str>) {
    spec.outcome = outcome;
    spec.reasons.extend(reason.map(str::to_owned));
}
