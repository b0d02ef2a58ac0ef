//! Sentences that several formats of a fleet report share.

use std::sync::Arc;

use crate::{
    diag::number_of,
    fleet::{Case, FleetOutcome, FleetReport},
    plan::Part,
    registry::notation::one_line,
    render::diff,
};

/// Returns a number of machines in words, such as `1 machine` or `487 machines`.
pub(super) fn machines(count: usize) -> String {
    number_of(count, "machine")
}

/// Returns the first `most` names, followed by the number of names that are left out. If only one name would be left
/// out, returns all names.
pub(super) fn names(machines: &[Arc<str>], most: usize) -> String {
    // A single remaining name is shown, because it is as short as the text "1 more".
    let shown = if machines.len() <= most + 1 { machines.len() } else { most };
    let mut text = machines[..shown].iter().map(|name| one_line(name)).collect::<Vec<_>>().join(", ");
    if shown < machines.len() {
        text.push_str(&format!(" and {} more", machines.len() - shown));
    }
    text
}

/// Returns a text with the names of the files and folders in a folder of snapshots that were not read, and the reason;
/// `None` if `entries` is empty. Shows at most `most + 1` names.
pub(super) fn ignored(entries: &[String], most: usize) -> Option<String> {
    let entries: Vec<_> = entries.iter().map(|name| name.as_str().into()).collect();
    let names = names(&entries, most);
    let why = "because it is a folder, a hidden file or not a .json file";
    (!entries.is_empty()).then(|| format!("not read, {why}: {names}"))
}

/// Describes in a few words what a case would change, such as `1 value to create`; empty if it would change nothing.
pub(super) fn changes(case: &Case) -> String {
    diff::count(&case.changes)
}

/// One fact because of which a check of a case does not pass.
pub(super) struct Fact<'a> {
    /// The kind of the check, such as `hotfix` or `prerequisite`, followed by the title of the check for some kinds.
    pub(super) part: String,
    /// The key, value or file that was tested.
    pub(super) place: &'a str,
    /// The state that was found.
    pub(super) found: String,
    /// The state that the check requires.
    pub(super) wanted: &'a str,
}

/// Returns the facts because of which the checks of a case do not pass.
pub(super) fn facts(case: &Case) -> Vec<Fact<'_>> {
    case.evidence()
        .map(|(check, evidence)| Fact {
            part: match check.part {
                Part::Applicable => "applicable".to_owned(),
                Part::Cause => format!("cause {}", check.title),
                Part::Prerequisite => format!("prerequisite {}", check.title),
                Part::Hotfix => format!("hotfix {}", check.title),
                Part::Deletion => "deletion".to_owned(),
                Part::Trigger => "trigger".to_owned(),
            },
            place: &evidence.place,
            found: evidence.found_or_planned(),
            wanted: &evidence.wanted,
        })
        .collect()
}

/// Returns the reasons of a case, without those that only repeat facts that [`facts`] returns.
pub(super) fn reasons(case: &Case) -> Vec<&str> {
    let said: Vec<String> = case.evidence().map(|(check, evidence)| check.sentence(evidence)).collect();
    case.reasons.iter().filter(|reason| !said.contains(reason)).map(String::as_str).collect()
}

/// Returns each note of a case as text, such as `policy-owned: Group Policy undoes …`.
pub(super) fn notes(case: &Case) -> impl Iterator<Item = String> {
    case.notes.iter().map(|note| format!("{}: {}", note.code.as_str(), note.text))
}

/// Returns the outcomes of specs that occur in the report, with the worst at the end.
pub(super) fn columns(report: &FleetReport) -> Vec<FleetOutcome> {
    let has = |outcome: &FleetOutcome| report.specs.iter().any(|spec| spec.outcomes.contains_key(outcome));
    FleetOutcome::ALL.into_iter().filter(has).collect()
}

/// Summarizes the fleet in one sentence, worst outcomes first, such as `500 machines (blocked: 2, changes pending: 487;
/// policy-owned: 3)`.
pub(super) fn summary(report: &FleetReport) -> String {
    let all = machines(report.counts.machines);
    let parts: Vec<String> =
        report.counts.outcomes.iter().rev().map(|(outcome, count)| format!("{}: {count}", outcome.words())).collect();
    let notes = report.counts.notes.iter().map(|(code, count)| format!("; {}: {count}", code.as_str()));
    let notes: String = notes.collect();
    if parts.is_empty() { all } else { format!("{all} ({}{notes})", parts.join(", ")) }
}

/// Describes each waiver that accepts a part of a case, in one sentence.
pub(super) fn waivers(case: &Case, report: &FleetReport) -> Vec<String> {
    let sentence =
        |waiver: &crate::fleet::Waiver| format!("waived until {} by {}: {}", waiver.expires, waiver.by, waiver.reason);
    case.waivers(&report.waivers).into_iter().map(sentence).collect()
}

/// Describes in a few words which changes of a case are waived, such as `1 value to create`; empty if there are none.
pub(super) fn waived_changes(case: &Case) -> String {
    case.waived.as_ref().map(|waived| diff::count(&waived.changes)).unwrap_or_default()
}
