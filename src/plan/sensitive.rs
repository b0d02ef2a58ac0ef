//! Checks that the facts, changes and satisfied values of a plan agree on which values are sensitive.
//!
//! Facts, changes and satisfied values each contain marks of sensitive values. If some of these marks were removed from
//! a plan, kbfix would show data in one place and hide it in another. A plan from which all marks were removed cannot
//! be recognized, because the plan does not contain its specs. This is no additional risk: whoever can remove the marks
//! from the file can already read the data in the file.

use std::collections::BTreeMap;

use super::Plan;
use crate::{
    registry::{Key, ValueName, notation},
    targets::Answer,
};

/// Returns a message about the first value that is sensitive in one of these parts of the plan but not in another;
/// `None` if there is no such value.
pub(super) fn fault(plan: &Plan) -> Option<String> {
    let mut known: BTreeMap<(&Key, &ValueName), bool> = BTreeMap::new();
    let mut differs = |key, name, is_sensitive| {
        // An absent key has no facts that could be marked.
        let in_facts =
            matches!(plan.facts.key(key), Some(Answer::Present(()))).then(|| plan.facts.is_hidden(key, name));
        let known = *known.entry((key, name)).or_insert(in_facts.unwrap_or(is_sensitive));
        known != is_sensitive
    };
    let all = plan.specs.iter().find_map(|spec| {
        let changed = spec.changes.iter().find_map(|change| {
            let mut names = change.values.iter().map(|value| &value.name);
            let name = names.find(|name| differs(&change.key, name, change.sensitive.contains(*name)))?;
            Some((spec, &change.key, name))
        });
        let satisfied = || {
            spec.satisfied.iter().find_map(|one| {
                let name = one.name.as_ref()?;
                differs(&one.key, name, one.sensitive).then_some((spec, &one.key, name))
            })
        };
        changed.or_else(satisfied)
    });
    all.map(|(spec, key, name)| {
        let place = format!("{key} {}", notation::value_name(name));
        format!("{}: {place} is marked as sensitive in one part of the plan, but not in another", spec.id)
    })
}
