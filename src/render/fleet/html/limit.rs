//! Limits the size of the page, so that a browser opens it quickly. The page says how much of each part does not fit.

use maud::{Markup, html};

use crate::{diag::number_of, registry::notation::one_line};

/// The maximum number of bytes of HTML for all cases of a fleet report together.
pub(super) const CASES: usize = 1_300_000;
/// The maximum number of bytes of the facts, reasons, notes, waivers and changes of one case.
pub(super) const CASE: usize = 40_000;
/// The maximum number of bytes of HTML for the list of the groups of machines that have the same cases.
pub(super) const PROFILES: usize = 700_000;
/// The maximum number of bytes of HTML for the rows of the table of machines.
pub(super) const ROWS: usize = 2_200_000;
/// The maximum number of bytes of the table of machines that could not be read.
pub(super) const UNREADABLE: usize = 200_000;
/// The maximum number of bytes of the list of groups by which the user can filter machines.
pub(super) const GROUPS: usize = 200_000;
/// The number of warnings that are shown, and of names of files and folders that were not read.
pub(super) const NOTES: usize = 20;
/// The number of characters after which a text from a machine or spec is cut on the HTML page.
const TEXT: usize = 1_000;
/// The number of parts that do not fit after which formatting still goes on. At the next part that does not fit,
/// formatting ends, because formatting more parts would take too much time.
const MISSES: usize = 50;

/// The HTML of each part of a list, by its index; `None` for a part that does not fit.
pub(super) type Parts = Vec<Option<String>>;

/// Formats the parts of a list whose indexes are in `order`, in this order. Leaves out a part that no longer fits into
/// `most` bytes; after more than [`MISSES`] such parts, leaves out all that follow. `count` is the number of all parts.
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

/// Returns a text that says that `count` more items of the kind `what` are not shown on the page, and which output
/// format contains everything; empty if `count` is 0.
pub(super) fn more(count: usize, what: &str) -> Markup {
    html! {
        @if count > 0 {
            p.more {
                "Not shown on this page: " (number_of(count, &format!("more {what}"))) ". "
                "The report with " code { "--format json" } " contains everything."
            }
        }
    }
}

/// Returns text without invisible characters, cut after [`TEXT`] characters. The crate maud escapes the text for HTML.
pub(super) fn text(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(TEXT) {
        Some((at, _)) => format!("{}… ({} more characters)", &line[..at], line[at..].chars().count()),
        None => line,
    }
}
