//! The machine and the fixed file version of a PE (`.exe`, `.dll`, `.sys`).
//!
//! In: the bytes of a file, or a cache over one, of which only headers and the path to the version are read. Out: the
//! machine number and the FileVersion of VS_FIXEDFILEINFO; never the version string, which Windows' own tools edit.
//!
//! What Windows looks for: resource type 16 (RT_VERSION), name id 1 (VS_VERSION_INFO), in each language there is.
//!
//! Source: Microsoft, "PE Format", "VS_VERSIONINFO structure", "VS_FIXEDFILEINFO structure".

pub mod minimal;
mod resource;

use object::{
    LittleEndian as LE, ReadRef,
    pe::{IMAGE_DIRECTORY_ENTRY_RESOURCE, ImageDosHeader, ImageNtHeaders32, ImageNtHeaders64},
    read::pe::{ImageNtHeaders, SectionTable, optional_header_magic},
};

use crate::version::FileVersion;
pub use resource::VersionError;

/// What was read of a PE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pe {
    /// IMAGE_FILE_HEADER's Machine, such as 0x014c for x86.
    pub machine: u16,
    /// The fixed file version; `None` for a PE without one.
    pub version: Result<Option<FileVersion>, VersionError>,
}

/// Why a file is not read as a PE.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeError {
    /// It is another kind of file. That is no damage.
    #[error("not a PE file")]
    NotPe,
    /// It begins as a PE and is cut off or damaged.
    #[error("a damaged PE file: {0}")]
    Damaged(String),
}

/// Reads a PE. For a file, pass `&ReadCache::new(file)` of the crate `object`, which reads only what is needed.
///
/// # Errors
/// [`PeError`] where there is no PE; what is wrong with the version alone is in [`Pe::version`].
pub fn read<'data, R: ReadRef<'data>>(data: R) -> Result<Pe, PeError> {
    let dos = data.read_at::<ImageDosHeader>(0).map_err(|()| PeError::NotPe)?;
    if dos.e_magic.get(LE) != object::pe::IMAGE_DOS_SIGNATURE {
        return Err(PeError::NotPe);
    }
    let offset = u64::from(dos.e_lfanew.get(LE));
    // A 16-bit program has the same beginning, and no PE signature where a PE has it.
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
