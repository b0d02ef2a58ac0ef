//! `kbfix rollback`

use crate::{
    apply,
    diag::{Code, Diagnostic},
    journal::{self, Inverse, Journal, What, inverse},
    observe::observe,
    plan::{Machine, Outcome, Plan, SpecPlan},
    review::{Report, report},
    target::{Address, open},
};

use super::{
    apply::{carry_out, only_shown},
    output::{Format, Output},
    stop::Stop,
    targets::{StateArguments, TargetArguments, changing, reading},
};

/// Put back what an apply changed. What somebody else changed since is kept, and reported.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The journal: its file, or its name as `kbfix journal list` shows it.
    #[arg(required_unless_present = "last", conflicts_with = "last")]
    journal: Option<String>,

    /// The newest journal that can be rolled back; with --target, of that target.
    #[arg(long)]
    last: bool,

    /// Put back also the values that somebody else changed since.
    #[arg(long)]
    force: bool,

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

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<u8, Stop> {
    match rollback(arguments, output) {
        Ok(report) => {
            output.report(&report, arguments.format);
            Ok(report.exit_code)
        }
        Err(stop) => Ok(output.stopped(Report::new(report::Command::Rollback), stop, arguments.format)),
    }
}

fn rollback(arguments: &Arguments, output: &mut Output) -> Result<Report, Stop> {
    let folder = arguments.state.folder()?;
    let named = arguments.target.target.as_ref().map(|_| arguments.target.address()).transpose()?;
    let mut journal = match &arguments.journal {
        Some(name) => folder.find(name)?,
        None => last(&folder, named.as_ref(), output)?,
    };
    let address = named.unwrap_or_else(|| journal.entry.target.clone());
    let mut target = open(&address)?;
    // A look takes no lock, which needs the right to write.
    let _lock = if arguments.check { None } else { Some(target.lock()?) };
    let mut undo = Inverse::default();
    let mut machine = Machine::default();
    let facts = output.during(&reading(target.as_ref()), || -> Result<_, Stop> {
        apply::same_machine(&journal.entry.machine, &journal.entry.target.uri, target.as_mut())?;
        Ok(observe(target.as_mut(), |reader| {
            machine = crate::plan::machine(reader);
            undo = inverse(&journal.entry.changes, arguments.force, reader);
        })?)
    })?;
    let spec = section(&journal, &undo);
    let plan = Plan { kbfix_plan: 1, target: target.uri(), machine, specs: vec![spec], facts };
    let conflicts = undo.conflicts;
    let mut report = if arguments.check || !undo.unread.is_empty() {
        only_shown(plan, report::Command::Rollback)
    } else {
        let action = journal::Action::Rollback(journal.entry.id.clone());
        let what = changing(target.as_ref());
        let report = output.during(&what, || carry_out(plan, action, address, target.as_mut(), &folder))?;
        let complete = conflicts.is_empty() && report.exit_code == 0;
        if complete {
            // The journal stays as it is where this cannot be said; a second rollback then finds nothing to do.
            let _ = journal.add(What::RolledBack, report.journal.clone());
        }
        report
    };
    report.command = report::Command::Rollback;
    if !conflicts.is_empty() {
        report.exit_code = report.exit_code.max(Outcome::Failed.exit_code());
        report.outcome = Some(Outcome::Failed);
        let message = match conflicts.len() {
            1 => "1 place was changed by somebody else since, and is kept".to_owned(),
            many => format!("{many} places were changed by somebody else since, and are kept"),
        };
        let hint = "put them back by hand, or with --force";
        report.diagnostics.push(Diagnostic::warning(Code::ROLLBACK_CONFLICT, message).hint(hint));
    }
    report.conflicts = conflicts;
    Ok(report)
}

/// The newest journal that can be rolled back, of that target if one is named.
fn last(folder: &journal::Folder, target: Option<&Address>, output: &mut Output) -> Result<Journal, Stop> {
    let (journals, damaged) = folder.list()?;
    for why in damaged {
        output.diagnostics(&Stop::from(why).diagnostics);
    }
    let fits =
        |journal: &Journal| journal.can_be_rolled_back() && target.is_none_or(|t| journal.entry.target.uri == t.uri);
    journals.into_iter().rev().find(fits).ok_or_else(|| {
        let message = format!("no journal in {} can be rolled back", folder.root().display());
        let diagnostic =
            Diagnostic::error(Code::JOURNAL_MISSING, message).hint("`kbfix journal list` shows what there is");
        Stop::new(super::stop::USAGE, diagnostic)
    })
}

fn section(journal: &Journal, undo: &Inverse) -> SpecPlan {
    let outcome = match (undo.unread.is_empty(), undo.changes.is_empty()) {
        (false, _) => Outcome::Unknown,
        (true, false) => Outcome::ChangesPending,
        (true, true) => Outcome::InDesiredState,
    };
    SpecPlan {
        id: journal.entry.specs.join("+"),
        title: format!("rollback of journal {}, made {}", journal.entry.id, journal.entry.made),
        sha256: String::new(),
        parameters: Default::default(),
        outcome,
        reasons: undo.unread.clone(),
        checks: Vec::new(),
        install: None,
        changes: if undo.unread.is_empty() { undo.changes.clone() } else { Vec::new() },
        by_star: 0,
        rules: None,
        satisfied: Vec::new(),
        restart: journal.entry.restart.clone(),
    }
}
