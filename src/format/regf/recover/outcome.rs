//! The result of a recovery.

use std::fmt;

/// The format of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A bitmap of dirty pages and the pages (`DIRT`), which Windows writes up to version 8.
    Vector,
    /// Entries with hashes (`HvLE`), which Windows writes from version 8.1 on.
    Entries,
}

/// The logs that were applied to a dirty hive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// The format of the logs.
    pub format: LogFormat,
    /// The number of applied log entries; 1 for the old format.
    pub entries: usize,
    /// The number of pages in them.
    pub pages: usize,
    /// The sequence number of the last entry.
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
