//! Checks the marks of sensitive values in a plan: all parts that name a value agree on whether its data is shown.
//!
//! Facts, changes and what is satisfied each have marks. A plan that lost some of them would show data in one place that it
//! hides in another. A plan that lost all of them cannot be told from one whose spec calls nothing sensitive, since it
//! does not contain its specs; whoever takes them away has read the data already, which the plan file contains.

use std::collections::BTreeMap;

use super::Plan;
use crate::{
    registry::{Key, ValueName, notation},
    targets::Answer,
};

/// Returns the first value that is sensitive in one part of the plan and not in another.
pub(super) fn fault(plan: &Plan) -> Option<String> {
    let mut known: BTreeMap<(&Key, &ValueName), bool> = BTreeMap::new();
    let mut differs = |key, name, is_sensitive| {
        // Facts about an absent key have no marks.
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
        format!("{}: {place} is sensitive in one part of it, but not in another", spec.id)
    })
}
