//! Formats changes as a `.reg` file that regedit imports.

use crate::{
    format::reg::{EditError, ScriptKey, ScriptValue, script},
    plan::{Outcome, SpecPlan},
    registry::notation,
    targets::{ChangeAction, ValueChange},
};

/// Returns the bytes of a version 5 `.reg` file that makes the changes, except those of sensitive values, in UTF-16LE
/// with a byte order mark. Comments in the file show the previous data, and name what is left out, with the reasons.
///
/// # Errors
/// Returns an error if a `.reg` file cannot express the name of a key or value.
pub fn reg(specs: &[SpecPlan]) -> Result<Vec<u8>, EditError> {
    let changes: Vec<_> = specs.iter().flat_map(|spec| &spec.changes).collect();
    let paths: Vec<_> = changes.iter().map(|change| change.key.stored()).collect();
    let keys = changes.iter().zip(&paths).map(|(change, path)| {
        let shown = change.values.iter().filter(|value| !change.sensitive.contains(&value.name));
        let values = shown.map(|value| ScriptValue {
            name: &value.name,
            data: value.after.as_ref(),
            comment: match &value.before {
                Some(data) if data.is_not_configured() => format!("was {}", notation::NOT_CONFIGURED),
                Some(data) => format!("was {data}"),
                None => String::new(),
            },
        });
        ScriptKey { path, delete: change.action == ChangeAction::Delete, values: values.collect() }
    });
    let mut comment = vec!["made by kbfix diff; importing it makes the changes without a journal".to_owned()];
    comment.extend(specs.iter().filter_map(left_out));
    for spec in specs {
        comment.extend(spec.manual_steps.iter().map(|step| format!("{}: do by hand: {step}", spec.id)));
    }
    for change in &changes {
        let hidden = change.values.iter().filter(|value| change.sensitive.contains(&value.name));
        let place =
            |value: &ValueChange| format!("{}: left out because its data is sensitive", change.place(&value.name));
        comment.extend(hidden.map(place));
    }
    script(&comment.join("\n"), &keys.collect::<Vec<_>>())
}

/// Returns a comment that says why the changes of a spec are not in the file, or that importing the file does not
/// install the spec's hotfix; `None` if the spec needs no such comment.
fn left_out(spec: &SpecPlan) -> Option<String> {
    let because = || spec.reasons.join("; ").replace(['\r', '\n'], " ");
    match spec.outcome {
        Outcome::InDesiredState => Some(format!("{}: nothing to change", spec.id)),
        Outcome::ChangesPending if spec.install.is_some() => {
            Some(format!("{}: its hotfix must be installed as well; importing this file does not do that", spec.id))
        }
        Outcome::ChangesPending => None,
        outcome => Some(format!("{}: left out, {}: {}", spec.id, outcome.as_str().replace('_', " "), because())),
    }
}
