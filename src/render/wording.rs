//! Sentences that several formats of a report share.

use crate::{
    diag::number_of,
    operation::report::Report,
    plan::{Check, Evidence, Install, Outcome, Part, PendingRestart, PolicyResult, RulesHere, SpecPlan, Truth},
    spec::document::ComputerRestart,
};

use super::diff;

/// Describes how many changes a spec has, and whether they were made; `none` if it has no changes.
pub(super) fn changes(spec: &SpecPlan) -> String {
    let count = diff::count(&spec.changes);
    match spec.outcome {
        _ if count.is_empty() => "none".to_owned(),
        Outcome::Changed => past(&count),
        Outcome::RolledBack => format!("none; undone: {count}"),
        Outcome::Failed => format!("not completely undone: {count}"),
        _ => count,
    }
}

/// Returns a sentence that says how many of the changed keys are changed in the local GPO, and not directly in the
/// registry; `None` if there are none.
pub(super) fn local_gpo(spec: &SpecPlan, report: &Report) -> Option<String> {
    let in_policy = spec.changes.iter().filter(|change| change.key.policy_branch().is_some()).count();
    let keys = number_of(spec.changes.len(), "key");
    (report.through_policy && in_policy > 0).then(|| {
        format!("{in_policy} of {keys} in the Registry.pol of the local GPO, which Windows applies at its next start")
    })
}

/// Describes the changes of a spec as [`changes`] does, and also says if the target refused them.
pub(super) fn changes_in(report: &Report, spec: &SpecPlan) -> String {
    let count = diff::count(&spec.changes);
    match spec.outcome {
        Outcome::RolledBack if report.is_refused && !count.is_empty() => format!("none; refused: {count}"),
        _ => changes(spec),
    }
}

/// Returns a warning to be shown before the changes of a spec if the changes were refused, or if writing failed;
/// otherwise `None`. The warning says that nothing was changed, or whether everything was restored.
pub(super) fn caution(spec: &SpecPlan, report: &Report) -> Option<&'static str> {
    match spec.outcome {
        Outcome::RolledBack if report.is_refused => {
            Some("the changes were refused, and nothing was changed; these changes had been planned:")
        }
        Outcome::RolledBack => Some("writing failed, and everything was restored; these changes had been planned:"),
        Outcome::Failed => Some(
            "writing failed, and not everything could be restored; these changes had been \
            planned:",
        ),
        _ => None,
    }
}

/// Replaces `to create`, `to update` and `to delete` in the text with `created`, `updated` and `deleted`.
pub(super) fn past(count: &str) -> String {
    count.replace("to create", "created").replace("to update", "updated").replace("to delete", "deleted")
}

/// Describes the necessary restarts in a sentence. Also returns the spec's note about the restarts; `None` if it has
/// none.
pub(super) fn restart(spec: &SpecPlan) -> (String, Option<&str>) {
    let is_pending = spec.pending_restart.as_ref().is_some_and(PendingRestart::is_pending);
    let computer = match spec.restart.computer {
        ComputerRestart::Never => "the computer need not be restarted",
        ComputerRestart::Unknown => "whether the computer must be restarted is not known",
        ComputerRestart::Required if is_pending => {
            "the computer must be restarted; it is already waiting for a restart"
        }
        ComputerRestart::Required => "the computer must be restarted",
    };
    let services = match spec.restart.services.as_slice() {
        [] => String::new(),
        services => format!("; services to restart: {}", services.join(", ")),
    };
    (format!("{computer}{services}"), spec.restart.note.as_deref().map(str::trim))
}

/// Returns whether a report must say which restarts are needed: the spec changes something or installs a hotfix, and
/// its changes were not undone.
pub(super) fn asks_for_restart(spec: &SpecPlan) -> bool {
    spec.does_something() && spec.outcome != Outcome::RolledBack
}

/// Returns a sentence that says that it is not known whether the machine is waiting for a restart, and why. Returns
/// `None` if it is known. Also returns `None` if it does not matter, because no missing hotfix blocks the spec, and its
/// changes require no restart of the computer.
pub(super) fn pending_unknown(spec: &SpecPlan) -> Option<String> {
    let unread = &spec.pending_restart.as_ref()?.unread;
    let is_missing = |check: &Check| check.part == Part::Hotfix && check.result == Truth::Unmet;
    let is_blocked = spec.outcome == Outcome::Blocked && spec.checks.iter().any(is_missing);
    let restarts = asks_for_restart(spec) && spec.restart.computer == ComputerRestart::Required;
    (!unread.is_empty() && (is_blocked || restarts))
        .then(|| format!("it is not known whether the machine is waiting for a restart: {}", unread.join("; ")))
}

/// Describes the planned installation of a hotfix in a sentence.
pub(super) fn install(install: &Install) -> String {
    let arguments = match install.arguments.as_slice() {
        [] => String::new(),
        all => format!(" with {}", all.join(" ")),
    };
    format!("hotfix: run {}{arguments} (SHA-256 {}); this cannot be rolled back", install.package, install.sha256)
}

/// Returns a sentence that says how many rules of the spec apply to this machine.
pub(super) fn rules(rules: RulesHere) -> String {
    let RulesHere { here, of } = rules;
    let rules_apply = if of == 1 { "rule applies" } else { "rules apply" };
    format!("{here} of {of} {rules_apply} here")
}

/// Returns a sentence for each rule or value with an id, a severity or controls that was not met before the changes. If
/// the changes were made, the sentence says that it is met now; otherwise, that it is not met.
pub(super) fn unmet_rules(spec: &SpecPlan) -> impl Iterator<Item = String> {
    let is = if spec.outcome == Outcome::Changed { "is met now" } else { "is not met" };
    let unmet = spec.named.iter().filter(|rule| rule.result == Truth::Unmet);
    unmet.map(move |rule| format!("{} {is}", rule.label))
}

/// Returns the policy stores that set values of a spec: for each, the value and a sentence about the store. Then follow
/// the policy stores that could not be read: for each, its path (`policy stores` if there is none) and a sentence with
/// the reason.
pub(super) fn policies(spec: &SpecPlan) -> impl Iterator<Item = (String, String)> {
    let owned = spec.policy.iter().map(|owner| {
        let result = match owner.result {
            PolicyResult::Keeps => "as this spec requires",
            PolicyResult::Undoes => "which undoes this spec at a later refresh",
            PolicyResult::MayUndo => "which possibly undoes this spec at a later refresh",
        };
        (owner.place(), format!("{}, {result}", owner.sentence()))
    });
    let unread = spec.policy_unread.iter().map(|one| {
        let place = one.path.clone().unwrap_or_else(|| "policy stores".to_owned());
        (
            place,
            format!(
                "it is not known whether this store sets {} of the spec: {}",
                number_of(one.values, "value"),
                one.path.as_ref().map_or_else(|| one.why.to_string(), |path| one.why.after(path))
            ),
        )
    });
    owned.chain(unread)
}

/// Returns the result of one tested fact as a word: `met`, `unmet` or `unknown`. If the whole check has another result,
/// appends `by itself`.
pub(super) fn result(check: &Check, evidence: &Evidence) -> String {
    let word = match evidence.result {
        Truth::Met => "met",
        Truth::Unmet => "unmet",
        Truth::Unknown => "unknown",
    };
    if evidence.result == check.result { word.to_owned() } else { format!("{word} by itself") }
}
