//! Adds to a JSON report the fields that programs would otherwise have to compute from its other fields: sentences, the
//! long names of keys, the meaning of bytes, and the lines of a diff.
//!
//! Plans and journals do not have these fields.

use serde_json::{Map, Value, json};

use crate::{
    operation::{
        report::Report,
        step::{StepKind, StepResult},
    },
    plan::{Outcome, SpecPlan},
    registry::{Data, View, notation::one_line},
    targets::{KeyChange, ValueChange},
};

use super::{
    diff::{self, Line},
    wording,
};

/// Adds to the JSON document of a report the fields that are computed from its other fields, such as sentences and the
/// lines of a diff.
pub(super) fn add(document: &mut Value, report: &Report) {
    let shown = document.get_mut("specs").and_then(Value::as_array_mut).into_iter().flatten();
    for (shown, spec) in shown.zip(&report.specs) {
        let Value::Object(members) = shown else { continue };
        of_spec(members, spec, report);
    }
}

fn of_spec(members: &mut Map<String, Value>, spec: &SpecPlan, report: &Report) {
    members.insert("sentence".to_owned(), sentence(spec, report).into());
    if !spec.unset.is_empty() {
        let options = spec.unset.iter().map(|name| json!({ "name": "set", "value": format!("{name}=…") }));
        members.insert("options".to_owned(), options.collect());
    }
    if let (Some(install), Some(Value::Object(shown))) = (&spec.install, members.get_mut("install")) {
        shown.insert("sentence".to_owned(), one_line(&wording::install(install)).into());
    }
    let shown = members.get_mut("changes").and_then(Value::as_array_mut).into_iter().flatten();
    for (shown, change) in shown.zip(&spec.changes) {
        let Value::Object(members) = shown else { continue };
        of_change(members, change);
    }
}

fn of_change(members: &mut Map<String, Value>, change: &KeyChange) {
    let key = one_line(&change.key.path.to_long());
    let shown = members.get_mut("values").and_then(Value::as_array_mut).into_iter().flatten();
    for (shown, value) in shown.zip(&change.values) {
        if !change.sensitive.contains(&value.name) {
            of_value(shown, value);
        }
    }
    let view = if change.key.view == View::Bits32 { " 32-bit view" } else { "" };
    let (mut before, mut after) = (String::new(), String::new());
    for line in diff::hunk(change) {
        let (text, is_before, is_after) = match &line {
            Line::Head(_) => continue,
            Line::Removed(text) => (text, true, false),
            Line::Added(text) => (text, false, true),
            Line::Same(text) => (text, true, true),
        };
        for (lines, has) in [(&mut before, is_before), (&mut after, is_after)] {
            if has {
                lines.push_str(text);
                lines.push('\n');
            }
        }
    }
    let lines = json!({ "heading": format!("[{key}]{view}"), "before": before, "after": after });
    members.insert("long_key".to_owned(), key.into());
    members.insert("diff".to_owned(), lines);
}

fn of_value(shown: &mut Value, value: &ValueChange) {
    let mut add = |name: &str, data: &Option<Data>| {
        if let Some(readable) = data.as_ref().and_then(diff::readable)
            && let Some(Value::Object(members)) = shown.get_mut(name)
        {
            members.insert("readable".to_owned(), readable.into());
        }
    };
    add("before", &value.before);
    add("after", &value.after);
}

/// Describes the outcome of a spec in words, without its reasons.
fn sentence(spec: &SpecPlan, report: &Report) -> String {
    let package_failed = || {
        report.steps.iter().any(|step| {
            let is_its = step.spec.as_ref() == Some(&spec.id);
            is_its && step.action == StepKind::InstallHotfix && step.result == StepResult::Failed
        })
    };
    match spec.outcome {
        Outcome::NeedsParameter => "needs a parameter".to_owned(),
        Outcome::RolledBack if report.is_refused => "the changes were refused, and nothing was changed".to_owned(),
        Outcome::RolledBack => "writing failed, and everything was restored".to_owned(),
        Outcome::Failed if package_failed() => "the hotfix package failed, and the registry was not changed".to_owned(),
        Outcome::Failed => "writing failed, and not everything could be restored".to_owned(),
        other => other.as_str().replace('_', " "),
    }
}

/// Adds to the schema of a report the fields that [`add`] computes for Ansible and other callers. All of these fields
/// are optional.
pub(super) fn add_to_schema(schema: &mut Value) {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let lines = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "heading": text("The key, as a heading above the lines of the diff."),
            "before": text("The removed lines, together with unchanged lines of the same value."),
            "after": text("The added lines, together with unchanged lines of the same value."),
        },
        "required": ["heading", "before", "after"],
        "description": "A change as lines in `.reg` notation, to be shown as a diff. Long data is shortened.",
    });
    let options = json!({
        "type": "array",
        "items": { "$ref": "#/$defs/NamedOption" },
        "description": "The options that are needed before anything can be planned.",
    });
    let members = [
        ("SpecPlan", "sentence", text("The outcome in words, without the reasons.")),
        ("SpecPlan", "options", options),
        ("Install", "sentence", text("The installation in words.")),
        ("KeyChange", "long_key", text("The key with the long name of its root key, on one line.")),
        ("KeyChange", "diff", json!({ "$ref": "#/$defs/DiffLines", "description": "The change as lines of a diff." })),
        ("Data", "readable", text("The meaning of the bytes, if it is easier to read than `text`.")),
    ];
    if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        definitions.insert("DiffLines".to_owned(), lines);
    }
    for (part, name, member) in members {
        let properties = schema.pointer_mut(&format!("/$defs/{part}/properties")).and_then(Value::as_object_mut);
        if let Some(properties) = properties {
            properties.insert(name.to_owned(), member);
        }
    }
}
