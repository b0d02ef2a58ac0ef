//! The bytes of a hive: all in memory, or in a file of which parts are read on demand.
//!
//! A look-up needs about a hundred cells of a hive of many megabytes, and reading the whole hive would take longer than
//! the rest of a diff. The file is not mapped into memory: if it is truncated during the run, or its disk fails, a read
//! returns an error that can be reported, but an access to the mapped memory would end the process.

use std::{
    borrow::Cow,
    fmt, io,
    sync::{Arc, OnceLock},
};

use super::Error;

/// The number of bytes that are read from the file at once. It is small, because the keys below one key are scattered
/// over the file.
const WINDOW: usize = 8 << 10;
/// The size in bytes of the largest cell that is read separately if it crosses the end of a window.
///
/// Larger cells are rare: from version 1.4 on, data is stored in segments of 16 KiB. The limit ensures that kbfix reads
/// at most five times the length of a damaged file.
const LARGEST_APART: usize = 24 << 10;

/// An open file, or something that replaces one, from which bytes at any offset can be read.
pub trait Source: fmt::Debug + Send + Sync {
    /// Returns the length of the file, or of what replaces it, in bytes.
    ///
    /// # Errors
    /// Returns the system's error.
    fn size(&self) -> io::Result<u64>;

    /// Fills `into` with the bytes of the file from `offset` on.
    ///
    /// # Errors
    /// Returns the system's error; [`io::ErrorKind::UnexpectedEof`] if the file is too short.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()>;
}

/// The bytes of a hive: its base block and its hive bins. Bytes after these in the file are left out.
#[derive(Debug, Clone)]
pub(super) enum Store {
    /// All bytes are in memory, which is required for changes.
    Whole(Vec<u8>),
    /// The bytes are in a file, and are read on demand.
    Parts(Parts),
}

/// The parts of a file that were read so far. They are kept in memory, so references to them stay valid.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    source: Arc<dyn Source>,
    len: usize,
    windows: Vec<OnceLock<Box<Window>>>,
    /// The whole file, if it was read.
    whole: OnceLock<Vec<u8>>,
    /// The error of the first read that failed.
    failed: OnceLock<Error>,
}

#[derive(Debug, Clone)]
struct Window {
    bytes: Vec<u8>,
    /// The cell that begins in this window and ends in another one: its offset and its bytes.
    ///
    /// Cells do not overlap, so there is at most one such cell. A damaged file with a second one is read completely.
    apart: OnceLock<(usize, Vec<u8>)>,
}

impl Store {
    /// Returns a store for the first `len` bytes of a file. Nothing is read yet.
    pub(super) fn parts(source: Arc<dyn Source>, len: usize) -> Self {
        let windows = (0..len.div_ceil(WINDOW)).map(|_| OnceLock::new()).collect();
        Self::Parts(Parts { source, len, windows, whole: OnceLock::new(), failed: OnceLock::new() })
    }

    /// Returns the length of the base block and the hive bins, in bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Whole(file) => file.len(),
            Self::Parts(parts) => parts.len,
        }
    }

    /// Returns the `len` bytes from the offset `start` on; `None` if the hive is too short.
    pub(super) fn get(&self, start: usize, len: usize) -> Result<Option<&[u8]>, Error> {
        match self {
            Self::Whole(file) => Ok(start.checked_add(len).and_then(|end| file.get(start..end))),
            Self::Parts(parts) => parts.get(start, len),
        }
    }

    /// Returns all bytes of the hive, and keeps them in memory.
    pub(super) fn whole(&self) -> Result<&[u8], Error> {
        match self {
            Self::Whole(file) => Ok(file),
            Self::Parts(parts) => parts.whole(),
        }
    }

    /// Returns all bytes of the hive. Bytes that are read from the file for this call are not kept in memory.
    pub(super) fn passing(&self) -> Result<Cow<'_, [u8]>, Error> {
        match self {
            Self::Parts(parts) if parts.whole.get().is_none() => parts.read(0, parts.len).map(Cow::Owned),
            _ => self.whole().map(Cow::Borrowed),
        }
    }

    /// Reads all bytes of the hive into memory, so that they can be changed, and closes the file.
    pub(super) fn load(&mut self) -> Result<&mut Vec<u8>, Error> {
        if let Self::Parts(parts) = self {
            parts.whole()?;
            *self = Self::Whole(parts.whole.take().unwrap_or_default());
        }
        match self {
            Self::Whole(file) => Ok(file),
            Self::Parts(_) => Err(Error::ReadOnly),
        }
    }

    /// Returns the error of the first read that failed; `None` if no read failed.
    pub(super) fn failed(&self) -> Option<&Error> {
        match self {
            Self::Whole(_) => None,
            Self::Parts(parts) => parts.failed.get(),
        }
    }
}

impl Parts {
    fn get(&self, start: usize, len: usize) -> Result<Option<&[u8]>, Error> {
        let Some(end) = start.checked_add(len).filter(|end| *end <= self.len) else { return Ok(None) };
        if let Some(whole) = self.whole.get() {
            return Ok(whole.get(start..end));
        }
        let number = start / WINDOW;
        let Some(window) = self.window(number)? else { return Ok(None) };
        let first = start - number * WINDOW;
        if let Some(bytes) = window.bytes.get(first..first + len) {
            return Ok(Some(bytes));
        }
        if len <= LARGEST_APART {
            if window.apart.get().is_none() {
                let bytes = self.read(start, len)?;
                window.apart.get_or_init(|| (start, bytes));
            }
            if let Some((_, bytes)) = window.apart.get().filter(|(at, bytes)| *at == start && bytes.len() >= len) {
                return Ok(bytes.get(..len));
            }
        }
        Ok(self.whole()?.get(start..end))
    }

    fn window(&self, number: usize) -> Result<Option<&Window>, Error> {
        let Some(place) = self.windows.get(number) else { return Ok(None) };
        if place.get().is_none() {
            let start = number * WINDOW;
            let bytes = self.read(start, WINDOW.min(self.len - start))?;
            place.get_or_init(|| Box::new(Window { bytes, apart: OnceLock::new() }));
        }
        Ok(place.get().map(|window| &**window))
    }

    fn whole(&self) -> Result<&[u8], Error> {
        if self.whole.get().is_none() {
            let bytes = self.read(0, self.len)?;
            self.whole.get_or_init(|| bytes);
        }
        Ok(self.whole.get().map_or(&[], Vec::as_slice))
    }

    fn read(&self, start: usize, len: usize) -> Result<Vec<u8>, Error> {
        read(&*self.source, start, len).inspect_err(|error| {
            self.failed.get_or_init(|| error.clone());
        })
    }
}

/// Reads the `len` bytes of the file from the offset `start` on.
pub(super) fn read(source: &dyn Source, start: usize, len: usize) -> Result<Vec<u8>, Error> {
    let unreadable = |problem: String| Error::Unreadable { offset: start as u64, problem };
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|error| unreadable(error.to_string()))?;
    bytes.resize(len, 0);
    source.read_at(&mut bytes, start as u64).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => unreadable("the file has become shorter since it was opened".to_owned()),
        _ => unreadable(error.to_string()),
    })?;
    Ok(bytes)
}
