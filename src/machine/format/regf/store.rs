//! The bytes of a hive: all in memory, or in a file of which parts are read on demand.
//!
//! A look-up needs about a hundred cells of a hive of many megabytes; reading all of the hive would take longer than
//! everything else in a diff. The file is not mapped into memory: if it is truncated during the run, or its disk fails,
//! a read returns an error that can be reported, but an access to a mapping would end the process.

use std::{
    borrow::Cow,
    fmt, io,
    sync::{Arc, OnceLock},
};

use super::Error;

/// The number of bytes that are read at once. It is small, because the keys below one key are scattered over the file.
const WINDOW: usize = 8 << 10;
/// The largest cell that is read separately if it extends over the end of a window. Larger ones are rare: from version
/// 1.4 on, data is stored in segments of 16 KiB. The limit keeps the total read from a damaged file below four times
/// its length.
const LARGEST_APART: usize = 24 << 10;

/// An open file, or a substitute, that can be read at any position.
pub trait Source: fmt::Debug + Send + Sync {
    /// Returns the length in bytes.
    ///
    /// # Errors
    /// Returns the system's error.
    fn size(&self) -> io::Result<u64>;

    /// Fills `into` with the bytes from `offset` on.
    ///
    /// # Errors
    /// Returns the system's error; [`io::ErrorKind::UnexpectedEof`] if the file is too short.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()>;
}

/// The bytes of a base block and its hive bins, without anything that follows them in the file.
#[derive(Debug, Clone)]
pub(super) enum Store {
    /// All bytes are in memory, which is required for changes.
    Whole(Vec<u8>),
    /// The bytes are in a file.
    Parts(Parts),
}

/// The parts of a file that were read so far. They are kept, so that references to them stay valid.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    source: Arc<dyn Source>,
    len: usize,
    windows: Vec<OnceLock<Box<Window>>>,
    /// The whole file, once it was needed.
    whole: OnceLock<Vec<u8>>,
    /// The first read that failed.
    failed: OnceLock<Error>,
}

#[derive(Debug, Clone)]
struct Window {
    bytes: Vec<u8>,
    /// The cell that begins in this window and ends in another one: its offset and its bytes. Cells do not overlap, so
    /// there is only one such cell; a damaged file with a second one is read as a whole.
    apart: OnceLock<(usize, Vec<u8>)>,
}

impl Store {
    /// Returns a store for the first `len` bytes of a file, without reading it.
    pub(super) fn parts(source: Arc<dyn Source>, len: usize) -> Self {
        let windows = (0..len.div_ceil(WINDOW)).map(|_| OnceLock::new()).collect();
        Self::Parts(Parts { source, len, windows, whole: OnceLock::new(), failed: OnceLock::new() })
    }

    /// Returns the length of the file.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Whole(file) => file.len(),
            Self::Parts(parts) => parts.len,
        }
    }

    /// Returns the `len` bytes from `start` on; `None` if the hive is too short.
    pub(super) fn get(&self, start: usize, len: usize) -> Result<Option<&[u8]>, Error> {
        match self {
            Self::Whole(file) => Ok(start.checked_add(len).and_then(|end| file.get(start..end))),
            Self::Parts(parts) => parts.get(start, len),
        }
    }

    /// Returns all bytes.
    pub(super) fn whole(&self) -> Result<&[u8], Error> {
        match self {
            Self::Whole(file) => Ok(file),
            Self::Parts(parts) => parts.whole(),
        }
    }

    /// Returns all bytes, without keeping those that are read for it.
    pub(super) fn passing(&self) -> Result<Cow<'_, [u8]>, Error> {
        match self {
            Self::Parts(parts) if parts.whole.get().is_none() => parts.read(0, parts.len).map(Cow::Owned),
            _ => self.whole().map(Cow::Borrowed),
        }
    }

    /// Reads all bytes for changes, and closes the file.
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

    /// Returns the error of the first read that failed.
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

/// Reads the `len` bytes from `start` on.
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
