//! Shortens the file after deletions: moves cells from the last bins into free space before them.
//!
//! If no free space is large enough for a cell that must move, the cells of bins with much free space are rearranged.
//!
//! A file to which keys or values were added, and from which they were deleted again, can still be larger than before:
//! lists and data may have moved to its end, and other cells may have been written where they were.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashSet},
};

use super::{
    super::{
        Error, Finding, Hive, Severity,
        bin::{BIN_HEADER, bin_headers},
        bytes::u32_at,
        free_space::Fullness,
        largest::PAGE,
        worse,
    },
    relocate::{Moves, References},
};

/// The length in bytes to which the bins of a hive are to be shortened.
#[derive(Debug, Clone, Copy)]
struct Goal {
    /// The length that the bins should not exceed, however many bins must be rearranged for it.
    due: u32,
    /// The length that the bins should have, if it is enough to rearrange bins of at most `little` bytes in total.
    wanted: u32,
    /// The maximum total size of the bins that may be rearranged to make the bins shorter than `due`.
    little: u32,
}

/// The smallest value of `Goal::little`. A smaller limit would save no time: the whole file is written in any case.
const LITTLE: usize = 64 << 10;

impl Fullness {
    /// Returns the goal for a hive with the fullness `self`, which had the fullness `before` when the edits began.
    ///
    /// For each page of bytes that the edits added, the hive may become one page longer. For each page of bytes that
    /// they removed, it should become two pages shorter: when these bytes were added, other cells may have moved and
    /// left as much free space again. `little` depends on the removed bytes, so that not the whole hive is rearranged
    /// for one value.
    fn goal(self, before: Self) -> Goal {
        let pages = |bytes: usize| bytes.div_ceil((PAGE - BIN_HEADER) as usize) * PAGE as usize;
        let (new, gone) = (self.used.saturating_sub(before.used), before.used.saturating_sub(self.used));
        let due = before.len + pages(new);
        let wanted = due.saturating_sub(2 * pages(gone));
        Goal { due: due as u32, wanted: wanted as u32, little: (gone.saturating_mul(16).max(LITTLE)) as u32 }
    }
}

/// A hive bin and its cells. Each cell is a pair of its size and its offset.
#[derive(Debug)]
struct Bin {
    start: u32,
    size: u32,
    /// The allocated cells, as pairs of size and offset. The free cells in `free` have the same form.
    cells: Vec<(u32, u32)>,
    free: Vec<(u32, u32)>,
    /// Whether all cells of the bin can be moved, because all references to them are known.
    movable: bool,
}

impl Bin {
    fn free_bytes(&self) -> u32 {
        self.free.iter().map(|(size, _)| size).sum()
    }
}

impl Hive {
    /// Returns the length of the hive's bins and the number of bytes in use. Returns `None` before the first edit.
    pub(super) fn fullness(&self) -> Option<Fullness> {
        let len = self.bins_len();
        self.space.as_ref().map(|space| Fullness { len, used: space.used(len) })
    }

    /// Removes the empty bins at the end of the hive. After deletions, first moves cells to get more empty bins there.
    pub(in super::super) fn trim(&mut self) -> Result<(), Error> {
        if self.space.is_none() {
            return Ok(());
        }
        self.drop_empty_bins()?;
        if std::mem::take(&mut self.cache.shrunk)
            && let (Some(before), Some(now)) = (self.cache.session, self.fullness())
        {
            self.compact(now.goal(before))?;
            self.drop_empty_bins()?;
        }
        self.cache.session = self.fullness();
        Ok(())
    }

    /// Shortens the bins towards `goal`: moves cells of the last bins to lower offsets. Tries the shortest length
    /// first, and then longer ones. Moves nothing if the check of the hive finds an error, or no arrangement is found.
    fn compact(&mut self, goal: Goal) -> Result<(), Error> {
        if self.bins_len() <= goal.wanted as usize {
            return Ok(());
        }
        // In a damaged hive, a reference that kbfix does not know may lead to a cell.
        let before = self.check();
        if before.iter().any(|found| found.severity == Severity::Error) {
            return Ok(());
        }
        let references = References::of(self)?;
        let bins = self.bins_with_cells(&references.cells())?;
        let used: u64 = bins.iter().map(|bin| u64::from(bin.size - BIN_HEADER - bin.free_bytes())).sum();
        // The first bin, which contains the root key, is not moved. Neither is a bin with a cell whose use is not
        // known.
        let stays = bins.iter().rfind(|bin| !bin.movable).or(bins.first()).map_or(0, |bin| bin.start + bin.size);
        let mut page = goal.wanted.max(stays).div_ceil(PAGE);
        let end = self.bins_len() as u32 / PAGE;
        while page < end && room(&bins, page * PAGE) < used {
            page += 1;
        }
        // Even with enough free space, no arrangement may be found. Then slightly longer hives are tried, then much
        // longer ones, and in any case the required length.
        let mut tries = 0_u32;
        while page < end {
            let is_due = page * PAGE >= goal.due;
            if let Some(moves) = shortened(&bins, page * PAGE, if is_due { u32::MAX } else { goal.little }) {
                self.relocate(&moves, &references)?;
                return self.refuse_worse(&before);
            }
            page += 1 << (tries / 2).min(12);
            tries += 1;
            if !is_due && page * PAGE >= goal.due {
                (page, tries) = (goal.due.div_ceil(PAGE), 0);
            }
        }
        Ok(())
    }

    /// Checks the hive after cells were moved. If the check finds more than `before`, marks the hive as broken and
    /// returns an error.
    ///
    /// The offsets of findings are ignored, because they have changed.
    fn refuse_worse(&mut self, before: &[Finding]) -> Result<(), Error> {
        let anywhere = |findings: &[Finding]| -> Vec<Finding> {
            findings.iter().map(|found| Finding { offset: 0, ..found.clone() }).collect()
        };
        if !worse(&anywhere(before), &anywhere(&self.check())).is_empty() {
            self.broken = true;
            return Err(Error::cell("hive", 0, "the hive fails the check after cells were moved"));
        }
        Ok(())
    }

    fn bins_with_cells(&self, known: &HashSet<u32>) -> Result<Vec<Bin>, Error> {
        let bytes = self.bins()?;
        let mut bins = Vec::new();
        for bin in bin_headers(bytes) {
            let (start, size) = bin?;
            let mut bin = Bin { start, size, cells: Vec::new(), free: Vec::new(), movable: true };
            let mut at = start + BIN_HEADER;
            while at < start + size {
                let number = u32_at(bytes, at as usize).unwrap_or_default().cast_signed();
                let size = number.unsigned_abs().max(8);
                if number > 0 {
                    bin.free.push((size, at));
                } else {
                    bin.cells.push((size, at));
                    bin.movable &= known.contains(&at);
                }
                at = at.saturating_add(size);
            }
            bins.push(bin);
        }
        Ok(bins)
    }
}

/// Returns how many of the first `len` bytes of the hive bins can contain cells: all except the headers of the bins.
fn room(bins: &[Bin], len: u32) -> u64 {
    let before = bins.iter().take_while(|bin| bin.start < len);
    before.map(|bin| u64::from(bin.size.min(len - bin.start) - BIN_HEADER)).sum()
}

/// Returns moves of cells that shorten the bins to `len` bytes; `None` if no such moves were found. Of the bins that
/// stay, those that are rearranged have at most `limit` bytes in total.
fn shortened(bins: &[Bin], len: u32, limit: u32) -> Option<Moves> {
    let count = bins.partition_point(|bin| bin.start + bin.size <= len);
    let (before, after) = bins.split_at_checked(count)?;
    // The bin that contains the new end becomes shorter.
    let cut = after.first().filter(|bin| bin.start < len).map(|bin| (bin.start, len - bin.start));
    let last: Vec<(u32, u32)> = after.iter().flat_map(|bin| bin.cells.iter().copied()).collect();
    let needed: u32 = last.iter().map(|(size, _)| size).sum();
    let room_of_cut = cut.map(|(start, size)| (size - BIN_HEADER, start + BIN_HEADER));
    let mut room = room_of_cut.map_or(0, |(size, _)| size);
    if before.iter().map(Bin::free_bytes).sum::<u32>() + room < needed {
        return None;
    }
    let mut donors: Vec<&Bin> = before.iter().skip(1).filter(|bin| bin.movable).collect();
    donors.sort_by_key(|bin| (Reverse(bin.free_bytes()), bin.start));
    let mut size = 0_u32;
    donors.retain(|bin| {
        size = size.saturating_add(bin.size);
        size <= limit
    });
    let enough = donors.iter().position(|bin| {
        room += bin.free_bytes();
        room >= needed
    });
    // First, no bin is rearranged; then as few bins as have enough space; then more.
    let mut counts = vec![0];
    let mut count = enough.map_or(donors.len(), |last| last + 1);
    while count < donors.len() {
        counts.push(count);
        count *= 2;
    }
    counts.push(donors.len());
    let packed = |count| packed(before, donors.get(..count)?, &last, room_of_cut);
    let moves = counts.into_iter().find_map(packed)?;
    Some(Moves { len, cut, ..moves })
}

/// Plans new offsets for the cells `last` and for all cells of the bins `anew`. Returns these moves, and the free cells
/// after the moves; `None` if a cell fits nowhere. A cell or a space is given by its size and its offset.
///
/// `before` are the bins that stay whole, `anew` are those of them that are filled again from empty, and `last` are the
/// cells after the bins `before`. `room` is the space in the bin that becomes shorter; `None` if there is no such bin.
///
/// The largest cell is placed first. Each cell gets the smallest space in which it fits, in `anew`, in `room` or in the
/// free cells of the other bins.
fn packed(before: &[Bin], anew: &[&Bin], last: &[(u32, u32)], room: Option<(u32, u32)>) -> Option<Moves> {
    let starts: HashSet<u32> = anew.iter().map(|bin| bin.start).collect();
    let mut cells: Vec<(u32, u32)> = anew.iter().flat_map(|bin| &bin.cells).chain(last).copied().collect();
    cells.sort_unstable_by_key(|(size, at)| (Reverse(*size), *at));
    let whole = anew.iter().map(|bin| (bin.size - BIN_HEADER, bin.start + BIN_HEADER));
    let others = before.iter().filter(|bin| !starts.contains(&bin.start)).flat_map(|bin| bin.free.iter().copied());
    let mut room: BTreeSet<(u32, u32)> = whole.chain(others).chain(room).collect();
    let mut moves = Moves::default();
    for (size, at) in cells {
        let (found, to) = room.range((size, 0)..).next().copied()?;
        room.remove(&(found, to));
        if found > size {
            room.insert((found - size, to + size));
        }
        moves.cells.insert(at, to);
    }
    moves.free = room.into_iter().map(|(size, at)| (at, size)).collect();
    Some(moves)
}
