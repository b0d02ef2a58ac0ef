//! The result of a recovery.

use std::fmt;

/// The format of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// The old format, which Windows writes up to version 8: a bitmap of changed pages (`DIRT`), and the pages.
    Vector,
    /// The new format, which Windows writes from version 8.1 on: entries with hashes (`HvLE`).
    Entries,
}

/// The log entries that were applied to a dirty hive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// The format of the logs.
    pub format: LogFormat,
    /// The number of applied log entries; 1 for the old format, which has no entries.
    pub entries: usize,
    /// The number of pages in the applied log entries.
    pub pages: usize,
    /// The sequence number of the last applied log entry.
    pub sequence: u32,
    /// Whether the base block was also restored from a log.
    pub base_block: bool,
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.format {
            LogFormat::Vector => "old format",
            LogFormat::Entries => "new format",
        };
        write!(f, "{} log entries of the {format}, up to number {}", self.entries, self.sequence)
    }
}
