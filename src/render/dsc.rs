//! Makes the answers of kbfix's DSC resources, as JSON. Most of them are the state of an instance.

use serde_json::{Map, Value, json};

use crate::{
    convert::dsc_resource::{Instance, Resource},
    diag::{Code, Diagnostic, NamedOption, Severity},
    operation::report::Report,
    plan::{Outcome, SpecPlan},
    registry::notation::one_line,
    spec::{
        Spec,
        document::{ComputerRestart, Literal, Parameter},
    },
    targets::{ChangeAction, KeyChange},
};

/// Returns the state of an instance: its properties, the outcome of each spec, the path of the journal if there is one,
/// and whether all specs are in desired state.
///
/// A spec that is not applicable counts as in desired state. A blocked or unknown spec does not, even if it plans no
/// changes.
pub fn state(resource: Resource, instance: &Instance, report: &Report) -> Map<String, Value> {
    let mut state = instance.given.clone();
    let mut results = report.specs.iter().map(result);
    match resource {
        Resource::SpecList => drop(state.insert("results".to_owned(), results.collect())),
        Resource::Spec(_) => state.extend(results.next().map(|result| ("result".to_owned(), result))),
    }
    if let Some(journal) = &report.journal {
        state.insert("journal".to_owned(), journal.as_str().into());
    }
    state.insert("_inDesiredState".to_owned(), report.specs.iter().all(is_as_desired).into());
    state
}

/// Adds the restarts that the report requires to the state of a DSC instance, as the property `_restartRequired`; adds
/// nothing if there are none.
pub fn add_restart(state: &mut Map<String, Value>, report: &Report) {
    let services = report.restart.services.iter().map(|service| json!({ "service": service }));
    let name = report.machine.computer_name.as_ref().or(report.target.as_ref());
    let system = (report.restart.computer == ComputerRestart::Required).then(|| json!({ "system": name }));
    let all: Vec<Value> = system.into_iter().chain(services).collect();
    if !all.is_empty() {
        state.insert("_restartRequired".to_owned(), all.into());
    }
}

/// The codes of warnings of a dry run that would be errors in the operation `set`, which would then change nothing.
const PREVENTING: [Code; 4] =
    [Code::TOO_MANY_CHANGES, Code::POLICY_OF_USERS, Code::CANNOT_APPLY, Code::JOURNAL_UNTRUSTED];

/// Returns the state that the operation `set` would print, without a journal. `report` is the report of a dry run. The
/// property `_metadata.whatIf` is a list of lines that describe what `set` would do: for each spec its outcome, its
/// reasons and the unified diff. If `set` would fail, the state is the actual state, and the first lines say why.
///
/// Source: PowerShell/DSC, `invoke_set` in `command_resource.rs`: DSC shows the output as the state after the
/// operation (`afterState`), also with what-if.
pub fn what_if(resource: Resource, instance: &Instance, mut report: Report) -> Map<String, Value> {
    let prevents = |diagnostic: &&Diagnostic| PREVENTING.contains(&diagnostic.code);
    let mut lines: Vec<String> =
        report.diagnostics.iter().filter(prevents).map(|one| format!("set would fail: {}", one.message)).collect();
    let is_possible = lines.is_empty();
    for spec in &report.specs {
        lines.push(format!("{}: {}", spec.id, spec.whole_outcome().as_str()));
        lines.extend(spec.reasons.iter().cloned());
        lines.extend(super::changes(&spec.changes).lines().map(str::to_owned));
    }
    for spec in report.specs.iter_mut().filter(|spec| is_possible && spec.outcome == Outcome::ChangesPending) {
        spec.outcome = Outcome::Changed;
    }
    let mut state = state(resource, instance, &report);
    if is_possible {
        add_restart(&mut state, &report);
    }
    let lines: Vec<String> = lines.iter().map(|line| one_line(line)).collect();
    state.insert("_metadata".to_owned(), json!({ "whatIf": lines }));
    state
}

/// Returns the names of everything that is not in desired state, each once: the values that must still be changed, the
/// keys that must still be changed without their values, and the ids of specs. A spec's id is included if the spec is
/// blocked, if it has no such key or value, or if the registry of some users could not be read.
pub fn differing(report: &Report) -> Vec<String> {
    let mut names = Vec::new();
    for spec in report.specs.iter().filter(|spec| !is_as_desired(spec)) {
        let before = names.len();
        let pending = spec.changes.iter().filter(|_| spec.outcome != Outcome::Changed);
        for change in pending {
            if change.values.is_empty() {
                names.push(change.key.to_string());
            }
            names.extend(change.values.iter().map(|value| change.place(&value.name)));
        }
        if names.len() == before || spec.outcome == Outcome::Blocked || !spec.unread_users.is_empty() {
            names.push(spec.id.clone());
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Returns the instances that the operation `export` lists: one for each spec that is, or may be, applicable to the
/// target. `specs` and the specs in `report` are the same, in the same order.
///
/// A spec whose text must not be shown (`hidden` of `instance`) is left out. Its id cannot replace the text: an
/// instance with this id could be invalid, or name another spec.
pub fn instances(resource: Resource, instance: &Instance, specs: &[Spec], report: &Report) -> Vec<Map<String, Value>> {
    let applies = |(spec, plan): &(&Spec, &SpecPlan)| {
        plan.outcome != Outcome::NotApplicable && !instance.hidden.contains(&spec.id)
    };
    let each = specs.iter().zip(&report.specs).filter(applies).map(|(spec, _)| {
        let mut one = instance.given.clone();
        match resource {
            // A spec that was given as text is returned as text, and a built-in spec by its name.
            Resource::SpecList => {
                let asked = instance.given.get("specs").and_then(Value::as_array);
                let at = specs.iter().position(|other| std::ptr::eq(other, spec));
                let asked = asked.zip(at).and_then(|(asked, at)| asked.get(at)).cloned();
                one.insert("specs".to_owned(), json!([asked.unwrap_or_else(|| spec.id.as_str().into())]));
            }
            Resource::Spec(_) => {
                let shown = |(name, _): &(&String, &Parameter)| !spec.sensitive.contains(*name);
                for (name, parameter) in spec.document.parameters.iter().filter(shown) {
                    if let (false, Some(default)) = (one.contains_key(name), &parameter.default) {
                        one.insert(name.clone(), literal(default));
                    }
                }
            }
        }
        one
    });
    each.collect()
}

/// Formats a diagnostic as one line of JSON, as DSC reads it from standard error. The JSON object has one property with
/// the text of the diagnostic. The name of this property is the severity: `error` or `warn`.
pub fn trace(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warn",
    };
    let place = diagnostic.place.as_ref();
    let place = place.map(|at| format!("{}:{}:{}: ", at.file, at.line, at.column)).unwrap_or_default();
    let hint = advice(diagnostic).map(|hint| format!("; {hint}")).unwrap_or_default();
    // DSC prints this text on a terminal.
    let text = one_line(&format!("{place}{} [{}]{hint}", diagnostic.message, diagnostic.code));
    json!({ level: text }).to_string()
}

/// Returns the hint with the options that it mentions; `None` if there is no hint. The options `files` and `target` are
/// shown as properties of the resource, and all other options as they are written on a command line.
fn advice(diagnostic: &Diagnostic) -> Option<String> {
    let hint = diagnostic.hint.as_ref()?;
    let option = |option: &NamedOption| match option.name {
        "files" | "target" => format!("the property `{}`", option.name),
        _ => format!("`{option}` on the command line of kbfix"),
    };
    let options: Vec<String> = diagnostic.options.iter().map(option).collect();
    Some(if options.is_empty() { hint.clone() } else { format!("{hint} ({})", options.join(", ")) })
}

fn literal(literal: &Literal) -> Value {
    match literal {
        Literal::Number(number) => (*number).into(),
        Literal::Text(text) => text.as_str().into(),
        Literal::List(list) => list.as_slice().into(),
    }
}

/// Returns whether the target is in the state that a spec requires, or the spec is not applicable.
fn is_as_desired(spec: &SpecPlan) -> bool {
    matches!(spec.whole_outcome(), Outcome::InDesiredState | Outcome::NotApplicable | Outcome::Changed)
}

fn result(spec: &SpecPlan) -> Value {
    let changes: Vec<Value> = spec.changes.iter().flat_map(changes_of).collect();
    json!({
        "id": spec.id,
        "title": spec.title,
        "outcome": spec.outcome.as_str(),
        "reasons": spec.reasons,
        "changes": changes,
    })
}

/// Returns the changes of a key as JSON: one entry for the key itself if it is created or deleted, and one for each
/// value.
fn changes_of(change: &KeyChange) -> Vec<Value> {
    let key = (change.action != ChangeAction::Update)
        .then(|| json!({ "key": change.key.to_string(), "action": change.action }));
    let values = change.values.iter().map(|value| {
        json!({
            "key": change.key.to_string(),
            "action": value.action(),
            "name": value.name.as_str(),
            "before": change.message(&value.name, value.before.as_ref()),
            "after": change.message(&value.name, value.after.as_ref()),
        })
    });
    key.into_iter().chain(values).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_controls_no_terminal() {
        let diagnostic = Diagnostic::warning(Code::USAGE, "a\u{1b}[2J\u{2028}b").hint("c\u{202e}");
        assert_eq!(trace(&diagnostic), r#"{"warn":"a\\u{1b}[2J\\u{2028}b [usage]; c\\u{202e}"}"#);
    }
}
