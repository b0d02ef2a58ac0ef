//! Replaces the parts of a document that do not match the schema, so that the other parts can be checked in the same
//! run.
//!
//! A repaired document is used only to find more errors. It never becomes a spec, because it has errors.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::spec::{
    document::Document,
    source::{
        data::Data,
        path::{Path, Step},
    },
};

use super::{accept, explain::Verdict};

/// A document that matches the schema, with information about its replaced parts.
pub(in crate::spec) struct Repaired {
    /// The document. Parts that did not match the schema may be replaced with placeholder data, renamed or removed.
    pub document: Document,
    /// The names of the parameters and locations whose declaration had an error and was replaced with placeholder data.
    pub tainted: BTreeSet<String>,
    /// Whether a part was replaced, renamed or removed. The original part may have used parameters or locations that
    /// now seem unused.
    pub replaced: bool,
}

/// Returns the document in `data` if it certainly matches the schema; otherwise `None`. The YAML text must have no
/// errors.
pub(in crate::spec) fn accepted(data: Data<'_>) -> Option<Repaired> {
    let document = accept::accepts(data).then(|| Document::deserialize(data).ok()).flatten()?;
    Some(Repaired { document, tainted: BTreeSet::new(), replaced: false })
}

/// Returns the document in `value` after correcting or replacing the parts in `verdict`. Returns `None` if the result
/// still does not match the schema.
pub(in crate::spec) fn repair(mut value: Value, verdict: &Verdict) -> Option<Repaired> {
    let mut tainted = BTreeSet::new();
    for (path, meant) in &verdict.unknown {
        let Some((last, above)) = path.0.split_last() else { continue };
        let (Step::Field(name), Some(Value::Object(owner))) = (last, Path(above.to_vec()).get_mut(&mut value)) else {
            continue;
        };
        if let Some(data) = owner.remove(&**name)
            && let Some(meant) = meant
        {
            owner.entry(meant).or_insert(data);
        }
    }
    // A field that was renamed above may also have wrong data. If that makes the document unreadable, it is not checked
    // further.
    for path in &verdict.wrong {
        let (unit, harmless) = unit(path)?;
        if let (Some("parameters" | "locations"), Some(name)) = (path.field_at(0), path.field_at(1)) {
            tainted.insert(name.to_owned());
        }
        match (unit.get_mut(&mut value), harmless) {
            (Some(node), Some(harmless)) => *node = harmless,
            (_, None) => {
                if let (Value::Object(fields), Some(name)) = (&mut value, path.field_at(0)) {
                    fields.remove(name);
                }
            }
            (None, Some(_)) => {}
        }
    }
    if let Value::Object(fields) = &mut value {
        for (name, harmless) in [("kbfix", json!(1)), ("id", json!("id")), ("title", json!("title"))] {
            fields.entry(name).or_insert(harmless);
        }
    }
    let document = serde_json::from_value(value).ok()?;
    Some(Repaired { document, tainted, replaced: !verdict.wrong.is_empty() || !verdict.unknown.is_empty() })
}

/// Returns the path of the part that `repair` replaces because of an error at `path`, with valid data for this part. If
/// the data is `None`, `repair` instead removes the top-level field that contains the error (nothing if `path` is
/// empty). Returns `None` if the document cannot be repaired.
fn unit(path: &Path) -> Option<(Path, Option<Value>)> {
    let key = r"HKLM\SOFTWARE\kbfix\replaced";
    let part = |length: usize| Path(path.0[..length].to_vec());
    let field = |at| path.field_at(at);
    if path.0.is_empty() {
        // If a top-level field is missing, it is added later. A document that is not a mapping cannot be repaired.
        return Some((Path::default(), None));
    }
    let is = |length: usize| path.0.len() >= length;
    Some(match (field(0)?, field(2)) {
        ("registry", Some("values")) if is(4) => (part(4), Some(json!({ "ensure": "absent" }))),
        ("registry", _) if is(2) => (part(2), Some(json!({ "key": format!("{key}\\{}", part(2)) }))),
        ("prerequisites", _) if is(2) => (part(2), Some(json!({ "title": "replaced", "registry": { "key": key } }))),
        ("hotfix", _) if field(1) == Some("files") && is(3) => {
            (part(3), Some(json!({ "path": r"C:\replaced", "version": "0.0.0.0" })))
        }
        ("hotfix", _) => (part(1), Some(json!({ "files": [{ "path": r"C:\replaced", "version": "0.0.0.0" }] }))),
        ("parameters", _) if is(2) => (part(2), Some(json!({ "description": "replaced" }))),
        ("locations", _) if is(2) => (part(2), Some(json!({ "registry": { "key": key, "name": "" } }))),
        _ => (part(1), None),
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path as FilePath};

    use super::*;
    use crate::spec::{
        shape::accept,
        source::{findings::Findings, meaning, parse, sensitive::Private, text::Text},
    };

    /// Reads the document in `text` from the tree of places and from JSON, and compares both. Returns whether the
    /// document was accepted; `None` if the two parsers could read the text differently.
    fn is_accepted(text: &str) -> Option<bool> {
        let text = Text::decode("x", text.as_bytes()).ok()?;
        let read = parse::read(&text);
        let places = read.places?;
        let findings = Findings::new(&text, &places, Private::Other);
        let data = meaning::certain(&text, read.diagnostics.is_empty(), &findings)?;
        let value = meaning::value(data)?;
        assert_eq!(accept::accepts(data), accept::accepts(&value), "{}", text.text);
        let from_tree = Document::deserialize(data).map(|document| json!(document)).ok();
        let from_json = serde_json::from_value::<Document>(value).map(|document| json!(document)).ok();
        assert_eq!(from_tree, from_json, "{}", text.text);
        Some(accepted(data).is_some())
    }

    #[test]
    fn a_document_is_the_same_from_the_tree_and_from_json() {
        let folders = ["specs", "tests/fixtures/specs/valid", "tests/fixtures/specs/invalid", "tests/fuzz/corpus/spec"];
        let (mut yes, mut no) = (0, 0);
        for folder in folders {
            for entry in
                fs::read_dir(FilePath::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(folder)).unwrap()
            {
                let Ok(text) = fs::read_to_string(entry.unwrap().path()) else { continue };
                // Each text also with one of its lines missing, so that fields are missing and lists are empty.
                let lines: Vec<&str> = text.lines().collect();
                let without = |at: usize| [&lines[..at], &lines[at + 1..], &[""]].concat().join("\n");
                for text in (0..lines.len()).map(without).chain([text.clone()]) {
                    match is_accepted(&text) {
                        Some(true) => yes += 1,
                        Some(false) => no += 1,
                        None => {}
                    }
                }
            }
        }
        assert!(yes > 1000 && no > 1000, "{yes} accepted, {no} not");
    }
}
