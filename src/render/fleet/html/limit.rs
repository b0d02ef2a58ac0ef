//! Limits the page to a size that a browser opens at once. The page says how much of each part does not fit.

use maud::{Markup, html};

use crate::{diag::number_of, registry::notation::one_line};

/// The maximum number of bytes in all cases.
pub(super) const CASES: usize = 1_300_000;
/// The maximum number of bytes in one case.
pub(super) const CASE: usize = 40_000;
/// The maximum number of bytes in all groups of machines that are alike.
pub(super) const PROFILES: usize = 700_000;
/// The maximum number of bytes in the table of machines.
pub(super) const ROWS: usize = 2_200_000;
/// The maximum number of bytes in the table of machines that could not be read.
pub(super) const UNREADABLE: usize = 200_000;
/// The maximum number of bytes in the list of groups by which machines can be filtered.
pub(super) const GROUPS: usize = 200_000;
/// The maximum number of warnings, and names of other files.
pub(super) const NOTES: usize = 20;
/// The maximum number of characters of one text.
const TEXT: usize = 1_000;
/// If this many parts did not fit, no further part is tried.
const MISSES: usize = 50;

/// The parts of a list, by their index; `None` for a part that does not fit.
pub(super) type Parts = Vec<Option<String>>;

/// Formats the parts with the numbers in `order` until they have `most` bytes. `count` is the number of all parts.
pub(super) fn fit(
    count: usize,
    order: impl IntoIterator<Item = usize>,
    most: usize,
    format: impl Fn(usize) -> Markup,
) -> Parts {
    let mut parts: Parts = (0..count).map(|_| None).collect();
    let (mut left, mut misses) = (most, 0);
    for at in order {
        let part = format(at).into_string();
        match left.checked_sub(part.len()) {
            Some(rest) => left = rest,
            None if misses < MISSES => {
                misses += 1;
                continue;
            }
            None => break,
        }
        parts[at] = Some(part);
    }
    parts
}

/// Returns a sentence with the number of parts that did not fit, and the name of the document that contains all of
/// them.
pub(super) fn more(count: usize, what: &str) -> Markup {
    html! {
        @if count > 0 {
            p.more {
                "Not shown on this page: " (number_of(count, &format!("more {what}"))) ". "
                code { "--format csv" } " and " code { "--format json --lines" } " contain everything."
            }
        }
    }
}

/// Returns text without invisible characters, shortened if it is very long. The crate maud escapes all other
/// characters.
pub(super) fn text(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(TEXT) {
        Some((at, _)) => format!("{}… ({} more characters)", &line[..at], line[at..].chars().count()),
        None => line,
    }
}
