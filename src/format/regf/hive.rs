//! The hive in memory: opening it, and its cells.
//!
//! Source: "Base block", "Hive bin", "Cell", "Dirty state of a hive".

use super::{
    Error, Recovery,
    base::{self, BaseBlock, NOWHERE},
    bytes::u32_at,
    edit::{Cache, Space},
    recover,
};

/// A registry hive in memory.
#[derive(Clone)]
pub struct Hive {
    /// The base block and the hive bins, and nothing behind them.
    pub(super) file: Vec<u8>,
    pub(super) minor: u32,
    pub(super) root: u32,
    pub(super) state: State,
    /// Bytes that stood in the file behind the hive bins; they are not kept.
    pub(super) remnant: usize,
    pub(super) changed: bool,
    pub(super) broken: bool,
    /// What an editor knows of free cells, from the first edit on.
    pub(super) space: Option<Box<Space>>,
    pub(super) cache: Cache,
}

/// A key's place in a hive. It holds until the key is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub(super) u32);

impl Node {
    /// Where the key node lies in the file.
    pub fn file_offset(self) -> u64 {
        u64::from(self.0) + base::SIZE as u64
    }
}

/// Whether the file on disk was complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It was.
    Clean,
    /// It was not; its logs completed it, in memory.
    Recovered(Recovery),
    /// It was not, and no log completed it. Such a hive is read only.
    Dirty {
        /// Why no log could be used.
        why: &'static str,
    },
}

impl Hive {
    /// Opens a hive out of its primary file and the logs that lie beside it (`.LOG`, `.LOG1`, `.LOG2`; empty and
    /// foreign ones are ignored). A hive that was not written completely is recovered from them as Windows does it, in
    /// memory; where that cannot be done it is refused with [`Error::Dirty`].
    pub fn open(primary: Vec<u8>, logs: &[Vec<u8>]) -> Result<Self, Error> {
        let hive = Self::open_dirty(primary, logs)?;
        match hive.state {
            State::Dirty { why } => Err(Error::Dirty { why }),
            _ => Ok(hive),
        }
    }

    /// As [`Hive::open`]; but a dirty hive that its logs do not complete is opened all the same, for reading only.
    pub fn open_dirty(mut primary: Vec<u8>, logs: &[Vec<u8>]) -> Result<Self, Error> {
        let base = BaseBlock::read(&primary).ok_or(Error::NotAHive("it does not begin with `regf`"))?;
        if primary.len() < base::SIZE {
            return Err(Error::NotAHive("the file ends inside the base block"));
        }
        if base.checksum_holds {
            base.supported()?;
            if base.file_type != base::TYPE_PRIMARY {
                return Err(Error::NotAHive("it is a log, not a primary file"));
            }
        }
        let mut state = State::Clean;
        if base.is_dirty() {
            state = match recover::recover(&mut primary, logs)? {
                Ok(recovery) => State::Recovered(recovery),
                Err(why) => State::Dirty { why },
            };
        }
        let mut hive = Self::from_file(primary, state)?;
        if let State::Recovered(recovery) = hive.state.clone() {
            hive.bins_hold().map_err(|source| Error::Recovery { recovery, source: Box::new(source) })?;
        }
        hive.file.shrink_to_fit();
        Ok(hive)
    }

    /// A hive of a base block and bins that need no recovery any more.
    pub(super) fn from_file(mut file: Vec<u8>, state: State) -> Result<Self, Error> {
        let base = BaseBlock::read(&file).ok_or(Error::NotAHive("it does not begin with `regf`"))?;
        base.supported()?;
        let end = (base.bins_size as usize).saturating_add(base::SIZE);
        let remnant = file.len().saturating_sub(end);
        file.truncate(end);
        let (minor, root) = (base.minor, base.root);
        Ok(Self {
            file,
            minor,
            root,
            state,
            remnant,
            changed: false,
            broken: false,
            space: None,
            cache: Cache::default(),
        })
    }

    /// Whether the file on disk was complete.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The minor version of the format: 3 to 6.
    pub fn minor_version(&self) -> u32 {
        self.minor
    }

    /// The hive's root key. Whether it can be read shows when it is.
    pub fn root(&self) -> Node {
        Node(self.root)
    }

    /// The length that the file has, or will have once saved.
    pub fn file_len(&self) -> usize {
        self.file.len()
    }

    /// Whether an edit changed anything since the hive was opened or last written out. Recovery alone is no change.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// The hive bins.
    pub(super) fn bins(&self) -> &[u8] {
        self.file.get(base::SIZE..).unwrap_or_default()
    }

    /// What the allocated cell at `at` holds, its length field left out.
    pub(super) fn cell(&self, structure: &'static str, at: u32) -> Result<&[u8], Error> {
        let error = |problem| Error::cell(structure, at, problem);
        if at == NOWHERE {
            return Err(error("the offset points nowhere"));
        }
        if !at.is_multiple_of(8) {
            return Err(error("the offset is not a multiple of 8"));
        }
        let bins = self.bins();
        let start = at as usize;
        let size = u32_at(bins, start).ok_or_else(|| error("the offset points behind the end of the hive"))?;
        let size = size.cast_signed();
        if size >= 0 {
            return Err(error("the cell is free"));
        }
        let size = size.unsigned_abs() as usize;
        if size < 8 || !size.is_multiple_of(8) {
            return Err(error("the cell's size is not a multiple of 8"));
        }
        let cell = start.checked_add(size).and_then(|end| bins.get(start + 4..end));
        cell.ok_or_else(|| error("the cell runs over the end of the hive"))
    }

    /// The cell at `at`, which must begin with `signature` and hold at least `least` bytes.
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
            return Err(Error::cell(structure, at, "the cell is too small for it"));
        }
        Ok(cell)
    }

    /// The hive bins in order, each as offset and size; an error for the first one that is wrong.
    pub(super) fn bin_headers(&self) -> impl Iterator<Item = Result<(u32, u32), Error>> {
        let bins = self.bins();
        let mut at = 0_usize;
        std::iter::from_fn(move || {
            if at >= bins.len() {
                return None;
            }
            let here = at as u32;
            match bin_size(bins, at) {
                Ok(size) => {
                    at += size as usize;
                    Some(Ok((here, size)))
                }
                Err(problem) => {
                    at = usize::MAX;
                    Some(Err(Error::cell("hive bin", here, problem)))
                }
            }
        })
    }

    /// An error unless the bins follow each other to the end that the base block names.
    fn bins_hold(&self) -> Result<(), Error> {
        let end = u32_at(&self.file, base::BINS_SIZE).unwrap_or_default();
        if self.bins().len() != end as usize {
            return Err(Error::cell("hive bin", end, "the file ends before the size that the base block names"));
        }
        self.bin_headers().try_for_each(|bin| bin.map(drop))
    }
}

/// The size of the bin at `at`.
fn bin_size(bins: &[u8], at: usize) -> Result<u32, &'static str> {
    let header = bins.get(at..).and_then(|rest| rest.get(..32)).ok_or("the file ends inside its header")?;
    if !header.starts_with(b"hbin") {
        return Err("the signature is wrong");
    }
    if u32_at(header, 4) != u32::try_from(at).ok() {
        return Err("it names another offset than its own");
    }
    let size = u32_at(header, 8).unwrap_or_default();
    if size == 0 || !size.is_multiple_of(4096) {
        return Err("its size is not a multiple of 4096");
    }
    if at + size as usize > bins.len() {
        return Err("it runs over the end of the hive");
    }
    Ok(size)
}

impl std::fmt::Debug for Hive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hive")
            .field("minor", &self.minor)
            .field("len", &self.file.len())
            .field("state", &self.state)
            .finish()
    }
}
