//! Opens a hive from its file and logs, and reads its cells.
//!
//! Source: Suhanov's specification of the hive format, "Base block", "Hive bin", "Cell", "Dirty state of a hive".

use std::sync::Arc;

use super::{
    Error, Recovery,
    above::LastAbove,
    base::{self, BaseBlock, NOWHERE},
    bin::bin_headers,
    bytes::u32_at,
    free_space::{Cache, Space},
    ordered::Ordered,
    owners::Owners,
    recover,
    store::{self, Source, Store},
};

/// An open registry hive.
#[derive(Clone)]
pub struct Hive {
    pub(super) store: Store,
    pub(super) minor: u32,
    pub(super) root: u32,
    pub(super) state: State,
    /// The number of bytes in the file after the hive bins; 0 after an edit. A saved hive does not contain these bytes.
    pub(super) remnant: u64,
    pub(super) changed: bool,
    pub(super) broken: bool,
    /// The free cells; `None` before the first edit.
    pub(super) space: Option<Box<Space>>,
    pub(super) cache: Cache,
    pub(super) owners: Owners,
    /// The keys whose subkey lists were found to be sorted. Cleared when the hive changes.
    pub(super) ordered: Ordered,
    pub(super) last_above: LastAbove,
}

/// A key of a hive, given by its offset.
///
/// A node is valid until its key is deleted. If a key or value was deleted, or data became shorter, all nodes become
/// invalid when the hive is next saved, because keys may then be moved to shorten the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub(super) u32);

impl Node {
    /// Returns the offset of the key in the file, in bytes.
    pub fn file_offset(self) -> u64 {
        u64::from(self.0) + base::SIZE as u64
    }
}

/// Whether the hive's file on disk was complete when it was opened. It is incomplete if its base block is damaged or
/// says that the hive was not written completely, or if the file is shorter than its hive bins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The file was complete: its base block is valid and says so, and the file contains all hive bins.
    Clean,
    /// The file was incomplete, and kbfix completed the hive in memory with its logs.
    Recovered(Recovery),
    /// The file was incomplete, and no log could complete the hive. Such a hive is read-only.
    Dirty {
        /// The reason why the file is incomplete, or why no log could complete the hive.
        why: &'static str,
    },
}

/// The message for a file that ends before the end of its hive bins.
const CUT_SHORT: &str = "the file is shorter than the hive bins, whose size is in its base block";

impl Hive {
    /// The length in bytes of the base block at the start of a hive file.
    pub const BASE_BLOCK: usize = base::SIZE;

    /// Returns the length in bytes of the hive bins, which follow this base block. Returns `None` if the base block
    /// says that the hive was not written completely, or has a wrong checksum.
    ///
    /// # Errors
    /// Returns an error if the bytes do not begin with the whole base block of a hive that kbfix can read.
    pub fn bins_of(base_block: &[u8]) -> Result<Option<u32>, Error> {
        let base = primary_base_block(base_block)?;
        Ok((!base.is_dirty()).then_some(base.bins_size))
    }

    /// Opens a hive from the bytes of its primary file and of the logs beside it (`.LOG`, `.LOG1`, `.LOG2`).
    ///
    /// Logs that are empty, damaged or older than the hive are ignored. A hive that was not written completely is
    /// recovered from its logs in memory, as Windows does. If that is not possible, the result is [`Error::Dirty`] or
    /// [`Error::BaseBlock`]; if the recovered hive is damaged, [`Error::Recovery`].
    pub fn open(primary: Vec<u8>, logs: &[Vec<u8>]) -> Result<Self, Error> {
        let hive = Self::open_dirty(primary, logs)?;
        match hive.state {
            State::Dirty { why } => Err(Error::Dirty { why }),
            _ => Ok(hive),
        }
    }

    /// Opens a hive as [`Hive::open`] does, but also one that was not written completely and that its logs cannot
    /// complete. Such a hive is read-only and has the state [`State::Dirty`].
    ///
    /// If the checksum of such a hive's base block is wrong, and the version in it is not known, the result is
    /// [`Error::BaseBlock`].
    pub fn open_dirty(mut primary: Vec<u8>, logs: &[Vec<u8>]) -> Result<Self, Error> {
        let base = primary_base_block(&primary)?;
        let mut state = State::Clean;
        if base.is_dirty() {
            state = match recover::recover(&mut primary, logs)? {
                Ok(recovery) => State::Recovered(recovery),
                Err(why) => State::Dirty { why },
            };
        }
        if matches!(state, State::Clean) && is_cut_short(&base, primary.len() as u64) {
            state = State::Dirty { why: CUT_SHORT };
        }
        // If the checksum is wrong, the version in the base block is not reliable either. The error is then that no log
        // can restore it.
        if let State::Dirty { why } = state
            && !base.checksum_holds
            && base.supported().is_err()
        {
            return Err(Error::BaseBlock { why });
        }
        let mut hive = Self::from_file(primary, state)?;
        if let State::Recovered(recovery) = hive.state.clone() {
            hive.bins_hold().map_err(|source| Error::Recovery { recovery, source: Box::new(source) })?;
        }
        hive.store.load()?.shrink_to_fit();
        Ok(hive)
    }

    /// Opens a hive without reading its whole file; parts of the file are read when they are needed.
    ///
    /// The hive has the same content as if the file were read at once, but every later call can return
    /// [`Error::Unreadable`], and can return what another program has written to the file in the meantime. If the file
    /// is replaced, the old file is still read.
    ///
    /// Returns `None` for a hive that was not written completely, or is truncated: [`Hive::open`] can open it with its
    /// logs.
    pub fn open_on_demand(source: Arc<dyn Source>) -> Result<Option<Self>, Error> {
        let len = source.size().map_err(|error| Error::Unreadable { offset: 0, problem: error.to_string() })?;
        let head = store::read(&*source, 0, usize::try_from(len).map_or(base::SIZE, |len| len.min(base::SIZE)))?;
        let base = primary_base_block(&head)?;
        if base.is_dirty() || is_cut_short(&base, len) {
            return Ok(None);
        }
        let end = len.min(u64::from(base.bins_size) + base::SIZE as u64);
        let too_large = Error::NotAHive("the file is larger than this system can read");
        let store = Store::parts(source, usize::try_from(end).map_err(|_| too_large)?);
        Ok(Some(Self::new(store, &base, State::Clean, len - end)))
    }

    /// Builds a hive from the bytes of its file. Bytes after the hive bins are dropped.
    pub(super) fn from_file(mut file: Vec<u8>, state: State) -> Result<Self, Error> {
        let base =
            BaseBlock::read(&file).ok_or(Error::NotAHive("the file does not begin with the signature `regf`"))?;
        base.supported()?;
        let end = (base.bins_size as usize).saturating_add(base::SIZE);
        let remnant = file.len().saturating_sub(end) as u64;
        file.truncate(end);
        Ok(Self::new(Store::Whole(file), &base, state, remnant))
    }

    fn new(store: Store, base: &BaseBlock, state: State, remnant: u64) -> Self {
        Self {
            store,
            minor: base.minor,
            root: base.root,
            state,
            remnant,
            changed: false,
            broken: false,
            space: None,
            cache: Cache::default(),
            owners: Owners::default(),
            ordered: Ordered::default(),
            last_above: LastAbove::default(),
        }
    }

    /// Returns whether the hive's file on disk was complete when it was opened; see [`State`] for what that means.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns the minor version of the format: 3 to 6.
    pub fn minor_version(&self) -> u32 {
        self.minor
    }

    /// Returns the hive's root key. The key itself is not read.
    pub fn root(&self) -> Node {
        Node(self.root)
    }

    /// Returns the current length of the base block and the hive bins in bytes. Saving can shorten the hive, because it
    /// removes empty bins at the end.
    pub fn file_len(&self) -> usize {
        self.store.len()
    }

    /// Returns the error of the first read of the file that failed; `None` if no read failed. After such an error,
    /// results may be incomplete.
    pub fn failed_read(&self) -> Option<&Error> {
        self.store.failed()
    }

    /// Returns whether the hive was edited since it was opened or last saved. A recovery is not an edit.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// Returns all hive bins, which are read from the file if necessary.
    pub(super) fn bins(&self) -> Result<&[u8], Error> {
        Ok(self.store.whole()?.get(base::SIZE..).unwrap_or_default())
    }

    /// Returns the length of all hive bins in bytes.
    pub(super) fn bins_len(&self) -> usize {
        self.store.len().saturating_sub(base::SIZE)
    }

    /// Returns the content of the allocated cell at the offset `at`, without its size field. `structure` says, for
    /// messages, what the cell should contain.
    pub(super) fn cell(&self, structure: &'static str, at: u32) -> Result<&[u8], Error> {
        // Cells are read by the million, and almost always, the hive is in memory and the cell is valid.
        if let Store::Whole(file) = &self.store
            && at.is_multiple_of(8)
            && let Some(rest) = file.get(at as usize + base::SIZE..)
            && let Some(head) = u32_at(rest, 0)
            && let size = head.cast_signed().wrapping_neg() as usize
            && size.is_multiple_of(8)
            && head.cast_signed() < 0
            && let Some(cell) = rest.get(4..size)
        {
            return Ok(cell);
        }
        self.cell_with_care(structure, at)
    }

    /// Does the same as [`Hive::cell`], but more slowly: for a hive that is read on demand, or to return the error that
    /// says what is wrong with the cell.
    #[inline(never)]
    fn cell_with_care(&self, structure: &'static str, at: u32) -> Result<&[u8], Error> {
        let error = |problem| Error::cell(structure, at, problem);
        if at == NOWHERE {
            return Err(error("the reference to the structure is empty (ffffffff)"));
        }
        if !at.is_multiple_of(8) {
            return Err(error("the offset is not a multiple of 8"));
        }
        let start = (at as usize).saturating_add(base::SIZE);
        let head = self.store.get(start, 4)?.and_then(|head| u32_at(head, 0));
        let size = head.ok_or_else(|| error("the offset is after the end of the hive"))?.cast_signed();
        if size >= 0 {
            return Err(error("the cell is free"));
        }
        let size = size.unsigned_abs() as usize;
        if size < 8 || !size.is_multiple_of(8) {
            return Err(error("the cell's size is not a multiple of 8"));
        }
        let cell = self.store.get(start, size)?.and_then(|cell| cell.get(4..));
        cell.ok_or_else(|| error("the cell extends beyond the end of the hive"))
    }

    /// Returns the content of the cell at the offset `at`. Returns an error if it does not begin with `signature`, or
    /// has fewer than `least` bytes.
    pub(super) fn record(
        &self,
        structure: &'static str,
        at: u32,
        signature: &[u8; 2],
        least: usize,
    ) -> Result<&[u8], Error> {
        let cell = self.cell(structure, at)?;
        if !cell.starts_with(signature) {
            return Err(Error::cell(structure, at, "the signature is wrong"));
        }
        if cell.len() < least {
            return Err(Error::cell(structure, at, "the cell is too small for the structure"));
        }
        Ok(cell)
    }

    /// Returns an error unless the hive bins follow each other without gaps up to the end that the base block states.
    fn bins_hold(&self) -> Result<(), Error> {
        let end = u32_at(self.store.whole()?, base::BINS_SIZE).unwrap_or_default();
        if self.bins_len() != end as usize {
            return Err(Error::cell(
                "hive bin",
                end,
                "the file is shorter than the bins, whose size is in the base block",
            ));
        }
        bin_headers(self.bins()?).try_for_each(|bin| bin.map(drop))
    }
}

/// Returns whether a file of `len` bytes ends before the end of the hive bins that its base block states.
fn is_cut_short(base: &BaseBlock, len: u64) -> bool {
    len < base::SIZE as u64 + u64::from(base.bins_size)
}

/// Returns the base block of a primary file, even if its checksum is wrong.
fn primary_base_block(file: &[u8]) -> Result<BaseBlock, Error> {
    let base = BaseBlock::read(file).ok_or(Error::NotAHive("the file does not begin with the signature `regf`"))?;
    if file.len() < base::SIZE {
        return Err(Error::NotAHive("the file ends inside the base block"));
    }
    if base.checksum_holds {
        base.supported()?;
        if base.file_type != base::TYPE_PRIMARY {
            return Err(Error::NotAHive("the file is a transaction log, not the hive itself"));
        }
    }
    Ok(base)
}

impl Hive {
    /// Records that the structure at the offset `owner` refers to the cell at the offset `at`. Returns true if this
    /// reference is new, and false if it was already recorded.
    ///
    /// # Errors
    /// Returns an error if another structure already refers to the cell.
    pub(super) fn own(&self, structure: &'static str, at: u32, owner: u32) -> Result<bool, Error> {
        self.owners.note(structure, at, owner)
    }

    /// Returns the bytes of the hive, to change them. Discards what was recorded about its cells and lists.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read.
    pub(super) fn file_mut(&mut self) -> Result<&mut Vec<u8>, Error> {
        self.owners.forget_for_change();
        self.ordered.forget();
        self.store.load()
    }
}

impl std::fmt::Debug for Hive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hive")
            .field("minor", &self.minor)
            .field("len", &self.store.len())
            .field("state", &self.state)
            .finish()
    }
}
