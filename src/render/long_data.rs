//! Shows where two long pieces of data differ: each differing part with its position, up to [`MOST`] units (bytes,
//! characters or strings). So the reader sees more of a change than its digest.

use std::ops::Range;

use similar::DiffOp;

use crate::registry::notation;

use super::edits::edits;

/// The number of unchanged bytes or characters that are shown before and after a difference. Two differences with at
/// most this number of unchanged units between them are shown as one. A unit is a byte, a character or a string.
const AROUND: usize = 8;
/// The maximum number of differing units that are shown, for all parts together.
const MOST: usize = 16 << 10;
/// The maximum number of pairs of units that are compared with each other. If there are more, data of the same length
/// is compared in place. In other data, everything from the first difference to the last is shown as one part.
const MOST_PAIRS: usize = 4 << 20;

/// Lines of text that show the differing parts, one line for each part: first the data before the change, then the data
/// after it.
pub(super) type Lines = (Vec<String>, Vec<String>);

/// Shows where bytes differ, such as `at 0x00c8: 00,01,[ff],02`. The differing bytes are in brackets.
pub(super) fn bytes(before: &[u8], after: &[u8]) -> Lines {
    lines(before, after, |at, [first, differs, last]| {
        let all = [notation::hex_list(first), format!("[{}]", notation::hex_list(differs)), notation::hex_list(last)];
        let all: Vec<_> = all.into_iter().filter(|part| !part.is_empty()).collect();
        format!("at {at:#06x}: {}", all.join(","))
    })
}

/// Shows where text differs, such as `at character 120: "and [this] differs"`. The differing characters are in
/// brackets.
pub(super) fn text(before: &str, after: &str) -> Lines {
    let [before, after] = [before, after].map(|text| text.chars().collect::<Vec<_>>());
    lines(&before, &after, |at, parts| {
        let [first, differs, last] = parts.map(|part| part.iter().collect::<String>());
        format!("at character {}: {}", at + 1, notation::quoted(&format!("{first}[{differs}]{last}")))
    })
}

/// Shows where lists of strings differ, such as `at string 3: ["this"]`. The differing strings are in brackets.
pub(super) fn list(before: &[String], after: &[String]) -> Lines {
    lines(before, after, |at, [_, differs, _]| {
        let strings: Vec<_> = differs.iter().map(|string| notation::quoted(string)).collect();
        format!("at string {}: [{}]", at + 1, strings.join(", "))
    })
}

/// Returns a line for each differing part. Shows at most [`MOST`] differing units, and says how many more units or
/// parts differ. `show` formats a line: it gets the position of the part, and the units before the part, in the part
/// and after the part.
fn lines<T: Ord>(before: &[T], after: &[T], show: impl Fn(usize, [&[T]; 3]) -> String) -> Lines {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    let mut left = MOST;
    let mut parts = parts(before, after).into_iter();
    while let Some((was, is)) = parts.next() {
        if left == 0 {
            let more = format!("and {} more parts differ", parts.len() + 1);
            old.push(more.clone());
            new.push(more);
            break;
        }
        let shown = was.len().max(is.len()).min(left);
        left -= shown;
        for (units, range, out) in [(before, was, &mut old), (after, is, &mut new)] {
            let end = range.end.min(range.start + shown);
            let last = end..units.len().min(end + if end == range.end { AROUND } else { 0 });
            let first = range.start.saturating_sub(AROUND)..range.start;
            let mut line = show(range.start, [&units[first], &units[range.start..end], &units[last]]);
            if end < range.end {
                line.push_str(&format!(" and {} more differ", range.end - end));
            }
            out.push(line);
        }
    }
    (old, new)
}

/// Returns the ranges of units that differ, in `before` and in `after`. Two ranges that are close to each other are
/// joined.
fn parts<T: Ord>(before: &[T], after: &[T]) -> Vec<(Range<usize>, Range<usize>)> {
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (a, b) = (&before[same..], &after[same..]);
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    let mut runs: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    let mut add = |was: Range<usize>, is: Range<usize>| {
        let (was, is) = (was.start + same..was.end + same, is.start + same..is.end + same);
        match runs.last_mut() {
            Some(last) if was.start - last.0.end <= AROUND => *last = (last.0.start..was.end, last.1.start..is.end),
            _ => runs.push((was, is)),
        }
    };
    let differ: Vec<usize> =
        if a.len() == b.len() { (0..a.len()).filter(|at| a[*at] != b[*at]).collect() } else { vec![] };
    let is_near = a.len() == b.len() && (differ.len() <= a.len() / 4 || a.len() <= AROUND);
    let is_small = a.len().saturating_mul(b.len()) <= MOST_PAIRS;
    // If little differs, the units are compared in place. Otherwise something was probably inserted or removed, and
    // everything after it has moved.
    if is_near || (a.len() == b.len() && !is_small) {
        for at in differ {
            add(at..at + 1, at..at + 1);
        }
    } else if is_small {
        for op in edits(a, b) {
            if !matches!(op, DiffOp::Equal { .. }) {
                add(op.old_range(), op.new_range());
            }
        }
    } else {
        add(0..a.len(), 0..b.len());
    }
    runs
}

#[cfg(test)]
mod tests {
    use crate::render::long_data::*;

    #[test]
    fn each_part_has_its_place_and_what_is_around_it() {
        let before: Vec<u8> = (0..200).collect();
        let mut after = before.clone();
        after[100] = 0xff;
        after[103] = 0xff;
        after[199] = 0;
        let (old, new) = bytes(&before, &after);
        assert_eq!(old.len(), 2);
        assert_eq!(old[0], "at 0x0064: 5c,5d,5e,5f,60,61,62,63,[64,65,66,67],68,69,6a,6b,6c,6d,6e,6f");
        assert_eq!(new[0], "at 0x0064: 5c,5d,5e,5f,60,61,62,63,[ff,65,66,ff],68,69,6a,6b,6c,6d,6e,6f");
        assert_eq!(new[1], "at 0x00c7: bf,c0,c1,c2,c3,c4,c5,c6,[00]");
    }

    #[test]
    fn what_was_put_in_does_not_make_all_behind_it_differ() {
        let before: String = (0..300).map(|n| format!("{n} ")).collect();
        let after = before.replace("100 ", "100 new ").replace("200 ", "");
        let (old, new) = text(&before, &after);
        assert_eq!(old.len(), 2, "{old:?}");
        assert!(
            old[0].ends_with(r#"99 100 []101 102 ""#) && new[0].ends_with(r#"99 100 [new ]101 102 ""#),
            "{old:?} {new:?}"
        );
        assert!(old[1].contains("[200 ]") || old[1].contains("200"), "{old:?}");
        let list_of = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let (old, new) = list(&list_of(&before), &list_of(&after));
        assert_eq!(new[0], r#"at string 102: ["new"]"#);
        assert_eq!(old[1], r#"at string 201: ["200"]"#);
    }

    #[test]
    fn more_than_anybody_reads_is_counted() {
        let (old, new) = bytes(&[0; 100_000], &[1; 90_000]);
        assert!(old[0].ends_with(" and 83616 more differ") && new[0].ends_with(" and 73616 more differ"));
        assert_eq!(old.len(), 1);
    }
}
