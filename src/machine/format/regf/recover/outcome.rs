//! A description of how a hive was recovered from its logs.

use std::fmt;

/// The format of a hive's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// The old format, which Windows before version 8.1 writes: a bitmap of changed pages (`DIRT`), and the pages.
    Vector,
    /// The new format, which Windows 8.1 and later write: entries with hashes (`HvLE`).
    Entries,
}

/// A description of the log entries that were applied to a hive to complete it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// The format of the logs.
    pub format: LogFormat,
    /// The number of applied log entries; 1 for the old format, which has no entries.
    pub entries: usize,
    /// The number of pages in the applied log entries.
    pub pages: usize,
    /// The sequence number of the last applied log entry; for the old format, which has no entries, that of the log.
    pub sequence: u32,
    /// Whether the base block was also restored from a log.
    pub base_block: bool,
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.format {
            LogFormat::Vector => write!(f, "a log of the old format, with the sequence number {}", self.sequence),
            LogFormat::Entries => {
                let entries = if self.entries == 1 { "entry" } else { "entries" };
                write!(f, "{} log {entries} of the new format, up to sequence number {}", self.entries, self.sequence)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_entries_agrees_with_its_noun() {
        let text = |format, entries| Recovery { format, entries, pages: 3, sequence: 7, base_block: false }.to_string();
        assert_eq!(text(LogFormat::Vector, 1), "a log of the old format, with the sequence number 7");
        assert_eq!(text(LogFormat::Entries, 1), "1 log entry of the new format, up to sequence number 7");
        assert_eq!(text(LogFormat::Entries, 2), "2 log entries of the new format, up to sequence number 7");
    }
}
