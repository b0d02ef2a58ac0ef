//! Formats a report for people: the results of the checks, followed by a unified diff in `.reg` notation.

use std::{collections::BTreeSet, fmt::Write};

use crate::{
    operation::report::{ChangesAre, Command, Report},
    plan::{Check, Outcome, Part, PendingRestart, SpecPlan},
    registry::notation::one_line,
};

use super::{
    Paint,
    diff::{self, Line},
    symptoms, wording,
};

/// Formats the report as text.
pub fn human(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    for spec in &report.specs {
        section(spec, report, paint, &mut out);
    }
    for conflict in &report.conflicts {
        let _ = writeln!(out, "{} {}", paint.removed("conflict"), one_line(&conflict.place));
        let _ =
            writeln!(out, "  after the apply {}, now {}; kept", one_line(&conflict.left), one_line(&conflict.found));
    }
    for moved in &report.moved {
        let _ = writeln!(out, "{} {}", paint.removed("changed"), one_line(&moved.place));
        let _ = writeln!(out, "  was {}, is {}", one_line(&moved.was), one_line(&moved.is));
    }
    ending(report, &mut out);
    out
}

fn section(spec: &SpecPlan, report: &Report, paint: Paint, out: &mut String) {
    let _ = writeln!(out, "{}: {}", paint.bold(&one_line(&spec.id)), paint.outcome(spec.outcome));
    let _ = writeln!(out, "  {}", one_line(&spec.title));
    for check in &spec.checks {
        evidence(check, paint, out);
    }
    for (name, data) in &spec.parameters {
        let _ = writeln!(out, "  parameter     {} = {}", one_line(name), one_line(data));
    }
    // The checks above already show these reasons.
    let shown: Vec<_> = spec.checks.iter().flat_map(|c| c.evidence.iter().map(|e| c.sentence(e))).collect();
    for reason in spec.reasons.iter().filter(|reason| !shown.contains(reason)) {
        let _ = writeln!(out, "  because       {}", one_line(reason));
    }
    if let Some(unknown) = wording::pending_unknown(spec) {
        let _ = writeln!(out, "  not read      {}", one_line(&unknown));
    }
    for name in &spec.unset {
        let _ = writeln!(out, "  set it with   --set {}=…", one_line(name));
    }
    for rule in wording::unmet_rules(spec) {
        let _ = writeln!(out, "  rule          {}", one_line(&rule));
    }
    if let Some(install) = &spec.install {
        let _ = writeln!(out, "  install       {}", one_line(&wording::install(install)));
    }
    if !spec.changes.is_empty() {
        let machine = report.machine.computer_name.as_deref().or(report.target.as_deref()).unwrap_or("the target");
        let (before, after) = match (report.command, wording::caution(spec, report)) {
            (Command::Diff, _) => ("actual state", "desired state"),
            (Command::Apply | Command::Rollback | Command::Retire, None) => ("before", "after"),
            (Command::Apply | Command::Rollback | Command::Retire, Some(caution)) => {
                let _ = writeln!(out, "  {caution}");
                ("before", "planned")
            }
        };
        let _ = writeln!(out, "{}", paint.bold(&format!("--- {} ({before})", one_line(machine))));
        let _ = writeln!(out, "{}", paint.bold(&format!("+++ {} ({after})", one_line(machine))));
        for change in &spec.changes {
            for line in diff::hunk(change) {
                let text = line.to_string();
                let _ = writeln!(
                    out,
                    "{}",
                    match line {
                        Line::Head(_) => paint.head(&text),
                        Line::Removed(_) => paint.removed(&text),
                        Line::Added(_) => paint.added(&text),
                        Line::Same(_) => text,
                    }
                );
            }
        }
    }
    if let Some(sentence) = wording::local_gpo(spec, report) {
        let _ = writeln!(out, "  local GPO     {sentence}");
    }
    let satisfied = Some(spec.satisfied.len()).filter(|n| *n > 0 && !spec.does_something());
    let as_desired = satisfied.map(|n| format!("{n} of {n} as desired{}", once_planned(spec)));
    let registry: Vec<_> = as_desired.into_iter().chain(spec.rules.map(wording::rules)).collect();
    if !registry.is_empty() {
        let _ = writeln!(out, "  registry      {}", registry.join("; "));
    }
    for (place, sentence) in wording::policies(spec) {
        let _ = writeln!(out, "  policy        {}\n                {}", one_line(&place), one_line(&sentence));
    }

    for found in report.symptoms.iter().filter(|found| found.id == spec.id) {
        symptoms::section(found, out);
    }
    for step in &spec.manual_steps {
        let _ = writeln!(out, "  by hand       {}", one_line(&step.to_string()));
    }
    if wording::asks_for_restart(spec) {
        let _ = writeln!(out, "  {}", restart(spec));
    }
    out.push('\n');
}

fn evidence(check: &Check, paint: Paint, out: &mut String) {
    let part = match check.part {
        Part::Applicable => "applicable",
        Part::Cause => "cause",
        Part::Prerequisite => "prerequisite",
        Part::Hotfix => "hotfix",
        Part::Deletion => "deletion",
        Part::Trigger => "trigger",
    };
    let title = match check.part {
        Part::Applicable | Part::Deletion | Part::Trigger => String::new(),
        _ => format!(" {}", one_line(&check.title)),
    };
    let _ = writeln!(out, "{}", format!("  {part:<12}  {}{title}", paint.truth(check.result)).trim_end());
    for e in &check.evidence {
        let _ = writeln!(out, "                {}", one_line(&e.place));
        let alone = Some(wording::result(check, e)).filter(|_| e.result != check.result);
        let alone = alone.map(|words| format!("; {words}")).unwrap_or_default();
        let (found, wanted) = (one_line(&e.found_or_planned()), one_line(&e.wanted));
        let _ = writeln!(out, "                found {found}, wanted {wanted}{alone}");
    }
}

/// Returns a phrase with the ids of the earlier specs whose planned changes lead to states that this spec requires,
/// such as ` once the changes of KB1 are made`; empty if there are no such specs.
fn once_planned(spec: &SpecPlan) -> String {
    let ids: BTreeSet<_> = spec.satisfied.iter().filter_map(|satisfied| satisfied.planned_by.as_deref()).collect();
    match ids.into_iter().collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        ids => format!(" once the changes of {} are made", ids.join(" and ")),
    }
}

/// Returns whether the report is that of `kbfix diff`, or of `kbfix retire` with changes that are only planned. Such
/// changes can be saved in a plan and reviewed.
fn is_to_review(report: &Report) -> bool {
    let is_planned = report.changes_are() == Some(ChangesAre::Planned);
    report.command == Command::Diff || report.command == Command::Retire && is_planned
}

fn restart(spec: &SpecPlan) -> String {
    let (restart, note) = wording::restart(spec);
    let lines = note.iter().flat_map(|note| note.lines()).filter(|line| !line.trim().is_empty());
    let note: String = lines.map(|line| format!("\n                {}", one_line(line))).collect();
    format!("restart       {}{note}", one_line(&restart))
}

fn ending(report: &Report, out: &mut String) {
    for step in &report.steps {
        let _ = writeln!(out, "{}", one_line(&step.to_string()));
    }
    if let Some(waits) = report.pending_restart.as_ref().and_then(PendingRestart::sentence) {
        let _ = writeln!(out, "{}", one_line(&waits));
    }
    let changes: Vec<_> = report.specs.iter().flat_map(|spec| &spec.changes).collect();
    let count = diff::count(changes.iter().copied());
    let has_failed =
        matches!(report.changes_are(), Some(ChangesAre::NotMade | ChangesAre::Undone | ChangesAre::UndoneInPart));
    match (report.command, report.outcome) {
        (_, None) => {}
        (Command::Diff, _) if count.is_empty() => {}
        (Command::Diff, _) => {
            let _ = writeln!(out, "{count}");
        }
        _ if !report.conflicts.is_empty() && !has_failed => {
            let kept = match report.conflicts.len() {
                1 => "1 key or value is kept".to_owned(),
                n => format!("{n} keys or values are kept"),
            };
            let _ = match report.changed {
                true => writeln!(out, "done, and read back: {}; {kept}", wording::past(&count)),
                false => writeln!(out, "nothing was changed; {kept}"),
            };
        }
        (_, Some(Outcome::Failed)) if report.package_failed() => {
            let _ = writeln!(out, "a package failed; the registry was not changed");
        }
        (_, Some(Outcome::Failed)) => {
            let _ = writeln!(out, "writing failed; not everything could be restored");
        }
        (_, Some(Outcome::RolledBack)) if report.is_refused => {
            let _ = writeln!(out, "the changes were refused; nothing was changed");
        }
        (_, Some(Outcome::RolledBack)) => {
            let _ = writeln!(out, "writing failed; everything was restored");
        }
        (_, _) if report.changed && count.is_empty() => {
            let _ = writeln!(out, "the registry was not changed");
        }
        (_, _) if report.changed => {
            let _ = writeln!(out, "done, and read back: {}", wording::past(&count));
        }
        _ => {
            let _ = writeln!(out, "nothing was changed");
        }
    }
    if let Some(digest) = report.digest.as_ref().filter(|_| !changes.is_empty() && is_to_review(report)) {
        let _ = writeln!(out, "plan {digest}");
    }
    if let Some(journal) = &report.journal {
        let _ = writeln!(out, "journal {}", one_line(journal));
    }
}
