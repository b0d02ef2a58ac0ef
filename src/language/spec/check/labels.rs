//! Checks that the ids of the rules and values of a spec are unique.

use std::collections::HashMap;

use super::{Context, Path};
use crate::{diag::Code, spec::document::Document};

/// The id of a rule or value.
pub(in crate::spec) struct OwnId {
    /// The id.
    pub(super) id: String,
    /// The index of the rule under `registry` in the document.
    rule: usize,
    /// The name of the value, as the document contains it; `None` if the id is that of the rule.
    value: Option<String>,
}

impl OwnId {
    /// Returns the path of the field that contains the id.
    pub(super) fn path(&self) -> Path {
        let rule = Path::default().field("registry").item(self.rule);
        let owner = match &self.value {
            Some(name) => rule.field("values").field(name),
            None => rule,
        };
        owner.field("id")
    }
}

/// Returns the ids of the rules and values of a document; rules and values without an id are left out.
pub(super) fn ids(document: &Document) -> Vec<OwnId> {
    let mut out = Vec::new();
    for (at, rule) in document.registry.iter().enumerate() {
        let own = |id: &String, value: Option<&String>| OwnId { id: id.clone(), rule: at, value: value.cloned() };
        out.extend(rule.id.as_ref().map(|id| own(id, None)));
        out.extend(rule.values.iter().filter_map(|(name, value)| Some(own(value.id.as_ref()?, Some(name)))));
    }
    out
}

/// Reports each id that two rules or values of the document share, or that equals the id of the spec.
pub(super) fn unique(cx: &mut Context<'_>, document: &Document) {
    let all = ids(document);
    if all.is_empty() {
        return;
    }
    let mut seen: HashMap<String, Option<&OwnId>> = HashMap::from([(document.id.to_lowercase(), None)]);
    for own in &all {
        let id = &own.id;
        match seen.get(&id.to_lowercase()) {
            None => drop(seen.insert(id.to_lowercase(), Some(own))),
            Some(first) => {
                let first = first.map_or_else(|| Path::default().field("id"), OwnId::path);
                let line = cx.findings.line_of(&first);
                let message = format!("`{id}` is already an id in line {line}; letter case is ignored");
                cx.error(Code::DUPLICATE_ID, &own.path(), message, "give each rule and value an id of its own");
            }
        }
    }
}
