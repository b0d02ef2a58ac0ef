//! Checks triggers: rules that are written only if the operator requests them, and only until their condition
//! `done_when` is met.

use super::{Check, Evidence, Part, Truth, condition, lookup, value};
use crate::{
    observe::Reader,
    registry::{Key, notation},
    spec::{
        Spec,
        model::{Condition, Desired, DesiredKey, KeyRule, ValueRule},
    },
    targets::Answer,
};

/// Checks `rule`, a trigger, for one key. Returns whether the spec now requires the state of the rule, and the check
/// that shows whether the trigger is done.
///
/// The state is required if the operator requested the triggers of the spec and the condition `done_when` is unmet. It
/// is also required if the rule's values are already written but `done_when` is not met, because Windows has not yet
/// acted on them. The check passes if `done_when` is met, or if the rule is already written.
pub(super) fn check(
    rule: &KeyRule,
    done_when: &Condition,
    key: &Key,
    spec: &Spec,
    reader: &Reader<'_>,
) -> (bool, Check) {
    let mut evidence = Vec::new();
    let done = condition::holds(done_when, Some(key), spec, reader, &mut evidence);
    let written = written(rule, key, spec, reader);
    let is_written = Truth::all(written.iter().map(|one| one.result));
    evidence.extend(written);
    let result = Truth::any([done, is_written]);
    let check = Check { part: Part::Trigger, title: key.to_string(), evidence, result };
    let is_pending = !rule.values().is_empty() && is_written == Truth::Met && done != Truth::Met;
    (is_pending || (spec.run_triggers && done == Truth::Unmet), check)
}

/// Returns evidence that shows whether the rule is already written: about each of its values whose `when` is met, or
/// about the key if the rule has no values.
fn written(rule: &KeyRule, key: &Key, spec: &Spec, reader: &Reader<'_>) -> Vec<Evidence> {
    match &rule.desired {
        DesiredKey::Values(values) => {
            let applies = |value: &&ValueRule| match &value.when {
                Some(when) => condition::holds(when, Some(key), spec, reader, &mut Vec::new()) == Truth::Met,
                None => true,
            };
            values.iter().filter(applies).map(|value| value_written(value, key, reader)).collect()
        }
        desired => {
            let exists = !desired.is_absent();
            let (answer, planned_by) = reader.planned_by(|| reader.key(key));
            let found = condition::presence(&answer);
            let result = answer.known().map_or(Truth::Unknown, |there| Truth::of(there.is_some() == exists));
            let wanted = if exists { "the key exists" } else { "the key is absent" }.to_owned();
            vec![Evidence { place: key.to_string(), wanted, found, result, planned_by }]
        }
    }
}

fn value_written(value: &ValueRule, key: &Key, reader: &Reader<'_>) -> Evidence {
    let place = format!("{key} {}", notation::value_name(&value.name));
    let is_hidden = reader.is_hidden(key, &value.name);
    let (answer, planned_by) = reader.planned_by(|| reader.value(key, &value.name));
    let mut found = match &answer {
        Answer::Present(data) if is_hidden => notation::message(Some(data), true),
        Answer::Present(data) => lookup::readable(data),
        other => condition::presence(other),
    };
    let wanted = match &value.desired {
        _ if is_hidden => notation::HIDDEN.to_owned(),
        Desired::Absent => "absent".to_owned(),
        Desired::OneOf(choices) => choices.iter().map(lookup::readable).collect::<Vec<_>>().join(" or "),
        _ => "as the spec writes it".to_owned(),
    };
    let after = answer.known().and_then(|before| Ok(value::after(value, before.as_ref())? == before));
    if let Err(why) = &after
        && !is_hidden
    {
        found = why.to_string();
    }
    let result = after.map_or(Truth::Unknown, Truth::of);
    Evidence { place, wanted, found, result, planned_by }
}
