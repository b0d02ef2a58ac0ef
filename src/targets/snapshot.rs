//! The target `snapshot:FILE`: facts of another target, kept in a file.
//!
//! A snapshot answers only the questions that were asked when it was taken; anything else is unknown. Changes alter the
//! file as they would alter the machine, so that a plan can be tried on it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files::{
    read::read_file,
    replace::{remove_leftovers, replace_file},
};
use crate::format::json;

use super::{
    Answer, Facts, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, Reason, Target, TargetError, WriteError,
    WriteFailure, lock::lock_beside, precondition,
};

/// A snapshot file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kbfix snapshot, version 1")]
pub struct Snapshot {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_snapshot: u32,
    /// The URI of the target from which it was taken.
    pub taken_of: String,
    /// When it was taken, as RFC 3339.
    pub taken: String,
    /// The ids of the specs that asked the questions.
    pub specs: Vec<String>,
    /// The facts.
    pub facts: Facts,
}

impl Snapshot {
    /// Returns the text of the file.
    ///
    /// # Errors
    /// Returns an error where the text is larger than kbfix reads.
    pub fn to_text(&self) -> Result<String, String> {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        too_large(text.len()).map_or(Ok(text), Err)
    }
}

/// The target `snapshot:FILE`.
#[derive(Debug)]
pub struct SnapshotTarget {
    /// The path as the user gave it.
    named: PathBuf,
    /// The path with links resolved, so that all names of one file share a lock.
    path: PathBuf,
    snapshot: Snapshot,
}

impl SnapshotTarget {
    /// Reads the file.
    ///
    /// # Errors
    /// Returns an error where the file cannot be read or is not a snapshot.
    pub fn open(named: PathBuf) -> Result<Self, TargetError> {
        let path =
            fs::canonicalize(&named).map_err(|source| TargetError::Io { what: named.display().to_string(), source })?;
        let snapshot = load(&path)?;
        Ok(Self { named, path, snapshot })
    }

    /// Returns the content of the file.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

/// The largest snapshot that is read or written, in bytes.
const MOST: u64 = 256 << 20;

/// Returns why a snapshot of that many bytes is not written; `None` where it can be read again.
fn too_large(size: usize) -> Option<String> {
    let over = size as u64 > MOST;
    over.then(|| format!("the snapshot would have {size} bytes, more than the {MOST} that kbfix reads of one"))
}

fn load(path: &Path) -> Result<Snapshot, TargetError> {
    let what = path.display().to_string();
    let bytes = read_file(path, MOST).map_err(|source| TargetError::Io { what: what.clone(), source })?;
    let malformed = |detail: String| TargetError::Malformed { what: what.clone(), detail, option: None };
    let text = String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8 text".to_owned()))?;
    let parsed = json::check(&text).and_then(|()| serde_json::from_str::<Snapshot>(&text));
    let snapshot = parsed.map_err(|e| malformed(format!("it is not a snapshot: {e}")))?;
    if snapshot.kbfix_snapshot != 1 {
        let detail =
            format!("it is a snapshot of version {}, but this kbfix reads only version 1", snapshot.kbfix_snapshot);
        return Err(malformed(detail));
    }
    Ok(snapshot)
}

impl Target for SnapshotTarget {
    fn uri(&self) -> String {
        format!("snapshot:{}", self.named.display())
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        Ok(queries.iter().map(|query| self.snapshot.facts.answer(query, uncovered)).collect())
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        let facts = &self.snapshot.facts;
        Ok(paths.iter().map(|path| facts.file(path).unwrap_or_else(|| not_covered(path))).collect())
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        let lock = lock_beside(&self.path)?;
        // Leftovers that cannot be removed do not prevent an apply.
        let _ = remove_leftovers(&self.path);
        self.snapshot = load(&self.path)?;
        Ok(lock)
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        let place = self.path.display().to_string();
        // The changes are checked against the present content of the file, even if it was edited without the lock.
        self.snapshot = load(&self.path).map_err(|error| error.refusal(&place))?;
        let mut snapshot = self.snapshot.clone();
        for change in changes {
            let facts = &snapshot.facts;
            precondition::before(change, |query| facts.answer(query, uncovered))?;
            snapshot.facts.apply(change);
        }
        let text = snapshot.to_text().map_err(|detail| WriteError::Unsupported { place: place.clone(), detail })?;
        if let Err(source) = replace_file(&self.path, text.as_bytes()) {
            // The new file may be in place nevertheless, if only the sync of its folder failed: the file is read again
            // for the undo; if that fails, everything is unknown.
            self.snapshot = load(&self.path).unwrap_or(Snapshot { facts: Facts::default(), ..snapshot });
            let error = match source.kind() {
                io::ErrorKind::PermissionDenied => WriteError::Denied { place },
                _ => WriteError::Io { place, source },
            };
            return Err(WriteFailure { error, begun: changes.to_vec() });
        }
        self.snapshot = snapshot;
        Ok(())
    }
}

fn not_covered<T>(what: &str) -> Answer<T> {
    Answer::unread(Reason::Unknown, uncovered(what))
}

fn uncovered(what: &str) -> String {
    format!("the snapshot does not cover {what}")
}
