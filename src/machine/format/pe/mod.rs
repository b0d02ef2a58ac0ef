//! Reads the machine and the fixed file version of a PE file (`.exe`, `.dll`, `.sys`).
//!
//! The input is the bytes of a file, or a file. Only the headers and the path to the version are read. The
//! result is the machine number, and the file version in VS_FIXEDFILEINFO. The version strings are never used, because
//! they can differ from this version; even tools of Windows edit them.
//!
//! As in Windows, the version has resource type 16 (RT_VERSION) and name id 1 (VS_VERSION_INFO); all languages are
//! read.
//!
//! Source: Microsoft, "PE Format", "VS_VERSIONINFO structure", "VS_FIXEDFILEINFO structure".

pub mod minimal;
mod resource;

use std::{
    cell::Cell,
    io::{self, Read, Seek, SeekFrom},
};

use object::{
    LittleEndian as LE, ReadCache, ReadRef,
    pe::{IMAGE_DIRECTORY_ENTRY_RESOURCE, ImageDosHeader, ImageNtHeaders32, ImageNtHeaders64},
    read::pe::{ImageNtHeaders, SectionTable, optional_header_magic},
};

use crate::version::FileVersion;
pub use resource::VersionError;

/// What kbfix reads from a PE file: its machine number and its file version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pe {
    /// The Machine field of IMAGE_FILE_HEADER, such as 0x014c for x86.
    pub machine: u16,
    /// The fixed file version; `None` if the PE file has none, and an error if the version is damaged or ambiguous.
    pub version: Result<Option<FileVersion>, VersionError>,
}

/// The reason why a file cannot be read as a PE file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeError {
    /// The file is not a PE file, ends before the PE signature, or cannot be read up to there.
    #[error("the file is not a PE file (.exe, .dll or .sys)")]
    NotPe,
    /// The file begins like a PE file, but is truncated or damaged, or cannot be read.
    #[error("the PE file is damaged: {0}")]
    Damaged(String),
}

/// Reads a PE file on disk, but only the parts of it that contain the machine number and the file version.
///
/// # Errors
/// The outer error means that the system could not read the file; the inner error is that of [`read`].
pub fn read_file(file: impl Read + Seek) -> io::Result<Result<Pe, PeError>> {
    let failed = Cell::new(None);
    let found = read(&ReadCache::new(Watched { file, failed: &failed }));
    failed.into_inner().map_or(Ok(found), Err)
}

/// A file that remembers the first error of reading it, because the crate `object` does not return this error.
struct Watched<'a, F> {
    file: F,
    failed: &'a Cell<Option<io::Error>>,
}

impl<F> Watched<'_, F> {
    fn watch<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failed.set(self.failed.take().or(Some(error)));
            }
            kind.into()
        })
    }
}

impl<F: Read> Read for Watched<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer);
        self.watch(read)
    }
}

impl<F: Seek> Seek for Watched<'_, F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = self.file.seek(to);
        self.watch(at)
    }
}

/// Reads a PE file.
///
/// # Errors
/// Returns [`PeError`] if the data is not a PE file, or its headers are damaged. If only the version cannot be read,
/// the error is in [`Pe::version`].
pub fn read<'data, R: ReadRef<'data>>(data: R) -> Result<Pe, PeError> {
    let dos = data.read_at::<ImageDosHeader>(0).map_err(|()| PeError::NotPe)?;
    if dos.e_magic.get(LE) != object::pe::IMAGE_DOS_SIGNATURE {
        return Err(PeError::NotPe);
    }
    let offset = u64::from(dos.e_lfanew.get(LE));
    // A 16-bit program begins in the same way, but has no PE signature at that offset.
    match data.read_bytes_at(offset, 4) {
        Ok(b"PE\0\0") => {}
        _ => return Err(PeError::NotPe),
    }
    let damaged = |error: object::Error| PeError::Damaged(error.to_string());
    match optional_header_magic(data).map_err(damaged)? {
        object::pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC => read_as::<ImageNtHeaders32, R>(data, offset).map_err(damaged),
        object::pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC => read_as::<ImageNtHeaders64, R>(data, offset).map_err(damaged),
        magic => Err(PeError::Damaged(format!("unknown optional header 0x{magic:04x}"))),
    }
}

fn read_as<'data, H: ImageNtHeaders, R: ReadRef<'data>>(data: R, mut offset: u64) -> object::Result<Pe> {
    let (headers, directories) = H::parse(data, &mut offset)?;
    let sections: SectionTable<'data> = headers.sections(data, offset)?;
    let version = match directories.get(IMAGE_DIRECTORY_ENTRY_RESOURCE) {
        Some(directory) if directory.virtual_address.get(LE) != 0 => {
            resource::fixed_version(data, &sections, directory.virtual_address.get(LE))
        }
        _ => Ok(None),
    };
    Ok(Pe { machine: headers.file_header().machine.get(LE).0, version })
}

#[cfg(test)]
mod tests;
