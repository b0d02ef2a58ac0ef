//! A report for people: a unified diff in `.reg` notation, with what was tested above it.

use std::fmt::Write;

use super::{
    Paint, Report,
    diff::{self, Line},
    report::Command,
};
use crate::{
    plan::{Check, Evidence, Install, Outcome, Part, RulesHere, SpecPlan, Truth},
    registry::notation::one_line,
    spec::document::ComputerRestart,
};

/// The report as text.
pub fn human(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    for spec in &report.specs {
        section(spec, report, paint, &mut out);
    }
    for conflict in &report.conflicts {
        let _ = writeln!(out, "{} {}", paint.removed("conflict"), one_line(&conflict.place));
        let _ =
            writeln!(out, "  the apply left {}, found {}; kept", one_line(&conflict.left), one_line(&conflict.found));
    }
    for moved in &report.moved {
        let _ = writeln!(out, "{} {}", paint.removed("moved"), one_line(&moved.place));
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
    if spec.outcome != Outcome::NotApplicable {
        // The checks stand above, and what they say with them.
        let shown: Vec<_> = spec.checks.iter().flat_map(|c| c.evidence.iter().map(|e| c.sentence(e))).collect();
        for reason in spec.reasons.iter().filter(|reason| !shown.contains(reason)) {
            let _ = writeln!(out, "  because       {}", one_line(reason));
        }
    }
    if let Some(install) = &spec.install {
        let _ = writeln!(out, "  install       {}", one_line(&install_words(install)));
    }
    if !spec.changes.is_empty() {
        let machine = report.machine.computer_name.as_deref().or(report.target.as_deref()).unwrap_or("the target");
        let (before, after) = match report.command {
            Command::Diff => ("actual state", "desired state"),
            Command::Apply | Command::Rollback => ("before", "after"),
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
    let satisfied = Some(spec.satisfied.len()).filter(|n| *n > 0 && !spec.does_something());
    let as_desired = satisfied.map(|n| format!("{n} of {n} as desired"));
    let registry: Vec<_> = as_desired.into_iter().chain(spec.rules.map(rules_words)).collect();
    if !registry.is_empty() {
        let _ = writeln!(out, "  registry      {}", registry.join("; "));
    }
    if spec.does_something() {
        let _ = writeln!(out, "  {}", restart(spec));
    }
    out.push('\n');
}

fn evidence(check: &Check, paint: Paint, out: &mut String) {
    let part = match check.part {
        Part::Applicable => "applicable",
        Part::Prerequisite => "prerequisite",
        Part::Hotfix => "hotfix",
    };
    let title = match check.part {
        Part::Applicable => String::new(),
        _ => format!(" {}", one_line(&check.title)),
    };
    let _ = writeln!(out, "{}", format!("  {part:<12}  {}{title}", paint.truth(check.result)).trim_end());
    for e in &check.evidence {
        let _ = writeln!(out, "                {}", one_line(&e.place));
        let alone = Some(result_words(check, e)).filter(|_| e.result != check.result);
        let alone = alone.map(|words| format!("; {words}")).unwrap_or_default();
        let _ = writeln!(out, "                found {}, wanted {}{alone}", one_line(&e.found), one_line(&e.wanted));
    }
}

/// How many rules count, in a sentence.
pub(super) fn rules_words(rules: RulesHere) -> String {
    let RulesHere { here, of } = rules;
    let rules_count = if of == 1 { "rule counts" } else { "rules count" };
    format!("{here} of {of} {rules_count} here")
}

/// How a fact that was looked at turned out; where another of the same test decides, that stands with it.
pub(super) fn result_words(check: &Check, evidence: &Evidence) -> String {
    let word = match evidence.result {
        Truth::Met => "met",
        Truth::Unmet => "unmet",
        Truth::Unknown => "unknown",
    };
    if evidence.result == check.result { word.to_owned() } else { format!("{word} by itself") }
}

/// The installation of a hotfix, in a sentence.
pub(super) fn install_words(install: &Install) -> String {
    let arguments = match install.arguments.as_slice() {
        [] => String::new(),
        all => format!(" with {}", all.join(" ")),
    };
    format!("hotfix: run {}{arguments} (SHA-256 {}); this cannot be rolled back", install.package, install.sha256)
}

fn restart(spec: &SpecPlan) -> String {
    let computer = match spec.restart.computer {
        ComputerRestart::Never => "the computer need not be restarted",
        ComputerRestart::Unknown => "whether the computer must be restarted is not known",
        ComputerRestart::Required => "the computer must be restarted",
    };
    let services = match spec.restart.services.as_slice() {
        [] => String::new(),
        services => format!("; services to restart: {}", one_line(&services.join(", "))),
    };
    let lines = spec.restart.note.iter().flat_map(|note| note.trim().lines());
    let lines = lines.filter(|line| !line.trim().is_empty());
    let note: String = lines.map(|line| format!("\n                {}", one_line(line))).collect();
    format!("restart       {computer}{services}{note}")
}

fn ending(report: &Report, out: &mut String) {
    for step in &report.steps {
        let _ = writeln!(out, "{}", one_line(&step.to_string()));
    }
    let changes: Vec<_> = report.specs.iter().flat_map(|spec| &spec.changes).collect();
    let count = diff::count(changes.iter().copied());
    match (report.command, report.outcome) {
        (_, None) => {}
        (Command::Diff, _) if count.is_empty() => {}
        (Command::Diff, _) => {
            let _ = writeln!(out, "{count}");
        }
        (_, Some(Outcome::Failed)) if !report.steps.is_empty() && !report.changed => {
            let _ = writeln!(out, "the registry was not changed");
        }
        (_, Some(Outcome::Failed)) => {
            let _ = writeln!(out, "not everything could be put back as it was");
        }
        (_, Some(Outcome::RolledBack)) => {
            let _ = writeln!(out, "writing failed; everything was put back as it was");
        }
        (_, _) if report.changed && count.is_empty() => {
            let _ = writeln!(out, "the registry was not changed");
        }
        (_, _) if report.changed => {
            let _ = writeln!(
                out,
                "done, and read back: {}",
                count.replace("to create", "created").replace("to update", "updated").replace("to delete", "deleted")
            );
        }
        _ => {
            let _ = writeln!(out, "nothing was changed");
        }
    }
    if let Some(digest) = report.digest.as_ref().filter(|_| !changes.is_empty() && report.command == Command::Diff) {
        let _ = writeln!(out, "plan {digest}");
    }
    if let Some(journal) = &report.journal {
        let _ = writeln!(out, "journal {}", one_line(journal));
    }
}
