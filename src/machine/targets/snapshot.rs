//! The target `snapshot:FILE`: a file that contains facts of another target.
//!
//! A snapshot contains the answers to the questions that were asked when it was taken. What these answers do not show
//! is unknown. If a plan is applied to a snapshot, the facts in the file change as the machine would change, so that
//! one can test the plan.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    files::{canonical::canonical, read::read_file},
    format::json,
};

use super::{
    Answer, EventAnswer, EventFacts, EventQuery, Facts, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, PolicyFacts,
    PolicyQuery, PolicyStores, Reason, Target, TargetError, WriteError, WriteFailure,
    one_file::{self, Loaded, OneFile},
    precondition,
};

/// The content of a snapshot file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kbfix snapshot, version 1")]
pub struct Snapshot {
    /// The version of the snapshot format; always 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_snapshot: u32,
    /// The URI of the target from which the facts were read.
    pub taken_of: String,
    /// The time at which the snapshot was taken, as RFC 3339.
    pub taken: String,
    /// The ids of the specs that determined what was read.
    pub specs: Vec<String>,
    /// The facts that were read from the target.
    pub facts: Facts,
    /// The events in the target's event logs that are symptoms of the specs; only present if `kbfix snapshot
    /// --symptoms` was used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventAnswer>,
}

impl Snapshot {
    /// Returns the text of a file that contains this snapshot.
    ///
    /// # Errors
    /// Returns an error if the text would be larger than the largest snapshot that kbfix reads.
    pub fn to_text(&self) -> Result<String, String> {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        too_large(text.len()).map_or(Ok(text), Err)
    }
}

/// A snapshot file as a target.
#[derive(Debug)]
pub struct SnapshotTarget {
    /// The path of the snapshot file as in the URI.
    named: PathBuf,
    file: Loaded<Snapshot>,
}

impl SnapshotTarget {
    /// Reads the snapshot file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or is not a snapshot of the version that this kbfix reads.
    pub fn open(named: PathBuf) -> Result<Self, TargetError> {
        let path = canonical(&named).map_err(|source| TargetError::Io { what: named.display().to_string(), source })?;
        let snapshot = load(&path)?;
        Ok(Self { named, file: Loaded::new(path, snapshot) })
    }

    /// Returns the content of the snapshot file.
    pub fn snapshot(&self) -> &Snapshot {
        &self.file.document
    }
}

/// The size in bytes of the largest snapshot that kbfix reads or writes.
const MOST: u64 = 256 << 20;

/// Returns the reason why a snapshot of `size` bytes cannot be written: it would be too large to be read again. Returns
/// `None` if it is not too large.
fn too_large(size: usize) -> Option<String> {
    let over = size as u64 > MOST;
    over.then(|| {
        format!(
            "the snapshot would have {size} bytes, but kbfix reads at most {MOST}; take it with fewer \
        specs"
        )
    })
}

fn load(path: &Path) -> Result<Snapshot, TargetError> {
    let what = path.display().to_string();
    let bytes = read_file(path, MOST).map_err(|source| TargetError::Io { what: what.clone(), source })?;
    let malformed = |detail: String| TargetError::Malformed { what: what.clone(), detail, hint: None };
    let text = json::text(&bytes).map_err(malformed)?;
    // Each part of the document refuses a member that is given twice, so no check of the text is needed before.
    let refused = match serde_json::from_str::<Snapshot>(text) {
        Ok(snapshot) if snapshot.kbfix_snapshot == 1 => return Ok(snapshot),
        Ok(_) => "`kbfix_snapshot` is not 1".to_owned(),
        Err(error) => json::explain(&error),
    };
    // Another version may have other members, so its number is the first thing to report.
    Err(match serde_json::from_str::<Version>(text) {
        Ok(Version { kbfix_snapshot }) if kbfix_snapshot.as_u64() != Some(1) => TargetError::WrongKind {
            detail: format!("it is a snapshot of version {kbfix_snapshot}, but this kbfix reads only version 1"),
            hint: "take a new snapshot with this kbfix, or use the kbfix that took this one",
            what,
        },
        _ => malformed(format!("it is not a snapshot that this kbfix can read: {refused}")),
    })
}

/// The part of a snapshot file that contains the version of the format.
#[derive(Deserialize)]
struct Version {
    kbfix_snapshot: serde_json::Number,
}

impl Target for SnapshotTarget {
    fn uri(&self) -> String {
        format!("snapshot:{}", self.named.display())
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        one_file::refresh(self)?;
        Ok(queries.iter().map(|query| self.file.document.facts.answer(query, uncovered)).collect())
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        one_file::refresh(self)?;
        let facts = &self.file.document.facts;
        Ok(paths.iter().map(|path| facts.file(path).unwrap_or_else(|| not_covered(path))).collect())
    }

    fn policy_stores(&self) -> PolicyStores {
        let has_none = ["hive:", "reg:", "pol:"].iter().any(|kind| self.file.document.taken_of.starts_with(kind));
        match self.file.document.facts.has_policies() {
            true => PolicyStores::Here,
            false if has_none => PolicyStores::Elsewhere,
            false => PolicyStores::NotTaken,
        }
    }

    fn read_policies(&mut self, queries: &[PolicyQuery]) -> Result<Vec<PolicyFacts>, TargetError> {
        one_file::refresh(self)?;
        let facts = &self.file.document.facts;
        Ok(queries.iter().map(|query| facts.policies_of(query)).collect())
    }

    fn read_events(&mut self, queries: &[EventQuery]) -> Result<Vec<Answer<EventFacts>>, TargetError> {
        one_file::refresh(self)?;
        let not_asked = |query: &EventQuery| {
            let detail = format!("the snapshot does not cover {query}; take a new one with --symptoms");
            Answer::unread(Reason::Unknown, detail)
        };
        let known = |query: &EventQuery| self.file.document.events.iter().find(|known| known.event == *query);
        Ok(queries.iter().map(|q| known(q).map_or_else(|| not_asked(q), |known| known.found.clone())).collect())
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        one_file::lock(self)
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        one_file::write(self, changes)
    }
}

impl OneFile for SnapshotTarget {
    type Document = Snapshot;

    fn file(&mut self) -> &mut Loaded<Snapshot> {
        &mut self.file
    }

    fn load(&mut self) -> Result<Snapshot, TargetError> {
        load(&self.file.path)
    }

    fn carry_out(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        let facts = &mut self.file.document.facts;
        for change in changes {
            precondition::before(change, |query| facts.answer(query, uncovered))?;
            facts.apply(change);
        }
        Ok(())
    }

    /// Does nothing, because every change to facts can be undone.
    fn try_undo(&mut self, _changes: &[KeyChange]) -> Result<(), WriteError> {
        Ok(())
    }

    fn replacements(&mut self) -> Result<Vec<(PathBuf, Vec<u8>)>, WriteError> {
        let unsupported = |detail| WriteError::Unsupported { place: self.file.place(), detail };
        let text = self.file.document.to_text().map_err(unsupported)?;
        Ok(vec![(self.file.path.clone(), text.into_bytes())])
    }
}

fn not_covered<T>(what: &str) -> Answer<T> {
    Answer::unread(Reason::Unknown, uncovered(what))
}

fn uncovered(what: &str) -> String {
    format!("the snapshot does not cover {what}; take a new one with this spec")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;

    /// Appends `value` to `out` as JSON, but writes one name and its value twice: those with the number `at`, counted
    /// over all objects. Counts `at` down.
    fn twice(value: &Value, at: &mut usize, out: &mut String) {
        match value {
            Value::Object(members) => {
                out.push('{');
                for (name, value) in members {
                    let mut one = format!("{}:", Value::from(name.as_str()));
                    let is_it = *at == 0;
                    *at = at.wrapping_sub(1);
                    twice(value, at, &mut one);
                    out.push_str(&one);
                    out.push(',');
                    if is_it {
                        out.push_str(&one);
                        out.push(',');
                    }
                }
                out.truncate(out.trim_end_matches(',').len());
                out.push('}');
            }
            Value::Array(items) => {
                out.push('[');
                for item in items {
                    twice(item, at, out);
                    out.push(',');
                }
                out.truncate(out.trim_end_matches(',').len());
                out.push(']');
            }
            other => out.push_str(&other.to_string()),
        }
    }

    #[test]
    fn another_version_is_named_whatever_else_it_contains() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.json");
        let error = |text: &str| {
            fs::write(&file, text).unwrap();
            load(&file).unwrap_err().to_string()
        };
        for text in [r#"{"kbfix_snapshot":2,"new":1}"#, r#"{"new":1,"kbfix_snapshot":2}"#] {
            let expected = "it is a snapshot of version 2, but this kbfix reads only version 1";
            assert!(error(text).contains(expected), "{}", error(text));
        }
        for text in [r#"{"kbfix_snapshot":1,"new":1}"#, r#"{"new":1}"#] {
            assert!(
                error(text).contains("it is not a snapshot that this kbfix can read: the member `new` is not known"),
                "{}",
                error(text)
            );
        }
    }

    #[test]
    fn a_member_that_is_given_twice_is_refused_wherever_it_stands() {
        let data = json!({ "present": crate::registry::Data::dword(1) });
        let unread = json!({ "unread": { "reason": "denied", "detail": "no right" } });
        let key = |key: &str, found: Value| json!({ "key": key, "view": "32", "found": found });
        let mut asked = key(r"HKLM\SOFTWARE\B", unread.clone());
        asked["asked"] = json!({ "values": ["v"], "all_values": false, "subkeys": true });
        let mut record =
            json!({ "values": { "v": data, "w": unread, "x": "absent" }, "sensitive": ["v"], "subkeys": ["s"] });
        record["all_values"] = false.into();
        let version = json!({ "present": "1.2.3.4" });
        let snapshot = json!({
            "kbfix_snapshot": 1,
            "taken_of": "local",
            "taken": "2026-11-27T12:00:00.000Z",
            "specs": ["A"],
            "facts": {
                "keys": [key(r"HKLM\SOFTWARE\A", json!({ "present": record })), asked],
                "files": [{ "path": "C:\\a.dll", "found": { "present": { "size": 1, "platform": "x86", "version": version } } }],
            },
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.json");
        let try_all = |snapshot: &Value| {
            fs::write(&file, snapshot.to_string()).unwrap();
            load(&file).unwrap();
            for start in 0.. {
                let (mut at, mut text) = (start, String::new());
                twice(snapshot, &mut at, &mut text);
                // Nothing was left to write twice.
                if at < usize::MAX / 2 {
                    assert!(start > 30, "{start}");
                    break;
                }
                fs::write(&file, &text).unwrap();
                assert!(load(&file).is_err(), "{text}");
            }
        };
        try_all(&snapshot);
    }
}
