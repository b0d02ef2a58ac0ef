//! Checks that the ids of the rules and values of a spec are unique.

use std::collections::HashMap;

use super::{Context, Path};
use crate::{diag::Code, spec::document::Document};

/// Returns the id of each rule and value of a spec, with the path of its field `id` in the document.
pub(super) fn ids(document: &Document) -> Vec<(&str, Path)> {
    let mut out = Vec::new();
    for (at, rule) in document.registry.iter().enumerate() {
        let path = || Path::default().field("registry").item(at);
        out.extend(rule.id.as_deref().map(|id| (id, path().field("id"))));
        for (name, value) in &rule.values {
            let path = || path().field("values").field(name).field("id");
            out.extend(value.id.as_deref().map(|id| (id, path())));
        }
    }
    out
}

/// Reports each id that two rules or values of the document share, or that equals the id of the spec.
pub(super) fn unique(cx: &mut Context<'_>, document: &Document) {
    let mut seen: HashMap<String, Option<Path>> = HashMap::from([(document.id.to_lowercase(), None)]);
    for (id, path) in ids(document) {
        match seen.get(&id.to_lowercase()) {
            None => drop(seen.insert(id.to_lowercase(), Some(path))),
            Some(first) => {
                let first = first.clone().unwrap_or_else(|| Path::default().field("id"));
                let line = cx.findings.line_of(&first);
                let message = format!("`{id}` is already an id in line {line}; letter case is ignored");
                cx.error(Code::DUPLICATE_ID, &path, message, "give each rule and value an id of its own");
            }
        }
    }
}
