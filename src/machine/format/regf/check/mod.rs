//! Checks the whole structure of a hive strictly.
//!
//! The result is findings, each with a stable code, an offset and a sentence. Some real hives deviate from the format
//! in ways that Windows creates or tolerates; such a deviation is called an oddity, not an error. [`worse`] returns the
//! findings that an edit added.

mod bins;
mod keys;
mod security;
mod values;

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Hive,
    base::{self, BaseBlock},
};

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// An oddity that occurs in real hives and that Windows tolerates.
    Oddity,
    /// An error: something is lost, cannot be found, or may be overwritten.
    Error,
}

/// A place where a hive deviates from the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The stable code of the finding, in kebab-case.
    pub code: &'static str,
    /// The severity of the finding.
    pub severity: Severity,
    /// The offset of the deviation in the file, in bytes.
    pub offset: u64,
    /// The description of the deviation, as a sentence.
    pub message: String,
}

/// The codes of all findings, each with its severity.
pub(super) const CODES: &[(&str, Severity)] = &[
    ("file-unreadable", Severity::Error),
    ("base-checksum", Severity::Error),
    ("base-dirty", Severity::Error),
    ("base-size", Severity::Error),
    ("base-type", Severity::Error),
    ("bin-header", Severity::Error),
    ("cell-tiling", Severity::Error),
    ("cell-reference", Severity::Error),
    ("cell-shared", Severity::Error),
    ("cell-leaked", Severity::Oddity),
    ("free-cells-adjacent", Severity::Oddity),
    ("file-remnant", Severity::Oddity),
    ("key-malformed", Severity::Error),
    ("key-name", Severity::Oddity),
    ("key-depth", Severity::Error),
    ("key-root-flag", Severity::Oddity),
    ("class-malformed", Severity::Error),
    ("subkey-list-malformed", Severity::Error),
    ("subkey-list-empty", Severity::Oddity),
    ("subkey-count", Severity::Error),
    ("subkey-order", Severity::Error),
    ("subkey-hash", Severity::Error),
    ("subkey-hint", Severity::Error),
    ("max-too-small", Severity::Error),
    ("max-too-large", Severity::Oddity),
    ("value-list-malformed", Severity::Error),
    ("value-malformed", Severity::Error),
    ("value-duplicate", Severity::Error),
    ("data-malformed", Severity::Error),
    ("security-malformed", Severity::Error),
    ("security-count", Severity::Error),
    ("security-ring", Severity::Error),
    ("security-unused", Severity::Oddity),
    ("more-findings", Severity::Error),
    ("more-oddities", Severity::Oddity),
];

fn severity_of(code: &str) -> Severity {
    CODES.iter().find(|(known, _)| *known == code).map_or(Severity::Error, |(_, severity)| *severity)
}

/// The maximum number of findings with the same code. A damaged hive could have one for every eight bytes.
const LIMIT: usize = 20_000;

/// Whether a cell of the hive begins at an offset, and what is known about this cell. There is one `Cell` for
/// every eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    None,
    Free,
    Allocated,
    Claimed,
}

struct Checker<'a> {
    hive: &'a Hive,
    bins: &'a [u8],
    findings: Vec<Finding>,
    counts: HashMap<&'static str, usize>,
    cells: Vec<Cell>,
    /// For the offset of each security record, the number of keys that refer to the record.
    security: BTreeMap<u32, u32>,
}

impl Hive {
    /// Checks the whole structure of the hive. Returns the findings, ordered by offset. If there are more than 20,000
    /// findings with the same code, the others are left out, and one finding at offset 0 contains their number.
    pub fn check(&self) -> Vec<Finding> {
        let mut checker = Checker {
            hive: self,
            bins: &[],
            findings: Vec::new(),
            counts: HashMap::new(),
            cells: Vec::new(),
            security: BTreeMap::new(),
        };
        match self.bins() {
            Err(error) => checker.add_error("file-unreadable", 0, &error),
            Ok(bins) => {
                // Every reference is counted here, so what earlier reads recorded about owners must not interfere.
                self.owners.forget();
                checker.bins = bins;
                checker.cells = vec![Cell::None; bins.len() / 8];
                checker.base_block();
                checker.bins();
                checker.keys();
                checker.security();
                checker.leaks();
            }
        }
        checker.finish()
    }
}

/// Returns the findings in `after` that are not in `before`: those that an edit of the hive added.
///
/// Two findings are equal if their code and offset are equal. If a finding occurs more often in `after` than in
/// `before`, the additional ones are also returned.
pub fn worse(before: &[Finding], after: &[Finding]) -> Vec<Finding> {
    let mut known: HashMap<(&str, u64), usize> = HashMap::new();
    for finding in before {
        *known.entry((finding.code, finding.offset)).or_default() += 1;
    }
    let is_new = |finding: &&Finding| match known.get_mut(&(finding.code, finding.offset)) {
        Some(count @ 1..) => {
            *count -= 1;
            false
        }
        _ => true,
    };
    after.iter().filter(is_new).cloned().collect()
}

impl<'a> Checker<'a> {
    /// Adds a finding. `at` is an offset from the first hive bin, like all references in the file.
    fn add(&mut self, code: &'static str, at: u32, message: impl Into<String>) {
        self.add_at(code, u64::from(at) + base::SIZE as u64, message.into());
    }

    fn add_at(&mut self, code: &'static str, offset: u64, message: String) {
        let severity = severity_of(code);
        let count = self.counts.entry(code).or_default();
        *count += 1;
        if *count <= LIMIT {
            self.findings.push(Finding { code, severity, offset, message });
        }
    }

    /// Adds a finding for an error that occurred when the hive was read. The finding has the offset of the malformed or
    /// unreadable structure; for other errors, that of `at`, an offset from the first hive bin.
    fn add_error(&mut self, code: &'static str, at: u32, error: &super::Error) {
        let offset = match error {
            super::Error::Malformed { offset, .. } | super::Error::Unreadable { offset, .. } => *offset,
            _ => u64::from(at) + base::SIZE as u64,
        };
        self.add_at(code, offset, error.to_string());
    }

    /// Records that a structure refers to the cell at the offset `at`; `by` is the kind of this structure, for
    /// messages.
    ///
    /// Returns true if the caller may read the cell. If not, adds a finding and returns false: the cell is free,
    /// another reference leads to it, or no cell begins at this offset.
    fn claim(&mut self, at: u32, by: &str) -> bool {
        let cell = if at.is_multiple_of(8) { self.cells.get_mut(at as usize / 8) } else { None };
        match cell {
            Some(cell @ Cell::Allocated) => {
                *cell = Cell::Claimed;
                true
            }
            Some(Cell::Claimed) => {
                self.add("cell-shared", at, format!("two structures refer to this cell, one of them a {by}"));
                false
            }
            Some(Cell::Free) => {
                self.add("cell-reference", at, format!("a {by} refers to this cell, which is free"));
                false
            }
            _ => {
                self.add("cell-reference", at, format!("a {by} refers to this offset, at which no cell begins"));
                false
            }
        }
    }

    fn base_block(&mut self) {
        let Some(base) = self.hive.store.whole().ok().and_then(BaseBlock::read) else { return };
        if !base.checksum_holds {
            self.add_at("base-checksum", base::CHECKSUM as u64, "the base block's checksum is wrong".to_owned());
        }
        if base.primary_sequence != base.secondary_sequence {
            let message = format!(
                "the two sequence numbers in the base block differ: {} and {}",
                base.primary_sequence, base.secondary_sequence
            );
            self.add_at("base-dirty", base::PRIMARY_SEQUENCE as u64, message);
        }
        if base.file_type != base::TYPE_PRIMARY {
            self.add_at(
                "base-type",
                base::FILE_TYPE as u64,
                format!("the file type in the base block is {}, not 0", base.file_type),
            );
        }
        let size = self.bins.len();
        if base.bins_size as usize != size || !size.is_multiple_of(4096) || size == 0 {
            let message = format!(
                "according to the base block, the bins have {} bytes; the file has {size}; both must be the same multiple of 4096",
                base.bins_size
            );
            self.add_at("base-size", base::BINS_SIZE as u64, message);
        }
        if self.hive.remnant > 0 {
            let message = format!("there are {} bytes after the last bin", self.hive.remnant);
            self.add_at("file-remnant", self.hive.store.len() as u64, message);
        }
    }

    fn leaks(&mut self) {
        let cells = std::mem::take(&mut self.cells);
        for (at, _) in cells.iter().enumerate().filter(|(_, cell)| **cell == Cell::Allocated) {
            self.add("cell-leaked", (at * 8) as u32, "the cell is allocated, and nothing refers to it");
        }
    }

    fn finish(mut self) -> Vec<Finding> {
        for (code, count) in std::mem::take(&mut self.counts) {
            if count > LIMIT {
                let more = match severity_of(code) {
                    Severity::Error => "more-findings",
                    Severity::Oddity => "more-oddities",
                };
                self.add_at(more, 0, format!("{} more findings are {code}", count - LIMIT));
            }
        }
        self.findings.sort_by_key(|finding| (finding.offset, finding.code));
        self.findings
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let codes: HashSet<_> = CODES.iter().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), CODES.len());
        assert!(codes.iter().all(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
    }

    #[test]
    fn only_what_is_new_is_worse() {
        let finding = |code, offset| Finding { code, severity: Severity::Error, offset, message: String::new() };
        let before = [finding("a", 1), finding("b", 2)];
        let after = [finding("b", 2), finding("b", 2), finding("a", 3)];
        assert_eq!(worse(&before, &after), [finding("b", 2), finding("a", 3)]);
    }
}
