//! What was applied to a dirty hive.

use std::fmt;

/// The format of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A bitmap of dirty pages and the pages (`DIRT`), as Windows writes it up to version 8.
    Vector,
    /// Entries with hashes (`HvLE`), as Windows writes it from version 8.1 on.
    Entries,
}

/// What was applied to a dirty hive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// The format of the logs.
    pub format: LogFormat,
    /// How many log entries were applied; 1 for the old format.
    pub entries: usize,
    /// How many pages they brought.
    pub pages: usize,
    /// The sequence number of the last of them.
    pub sequence: u32,
    /// Whether the base block, too, came out of a log.
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
