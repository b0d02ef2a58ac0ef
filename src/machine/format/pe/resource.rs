//! Finds VS_FIXEDFILEINFO, which contains the file version, in the resource directory of a PE file.

use object::{
    LittleEndian as LE, ReadRef,
    pe::{
        IMAGE_RESOURCE_DATA_IS_DIRECTORY, ImageResourceDataEntry, ImageResourceDirectory, ImageResourceDirectoryEntry,
    },
    read::pe::SectionTable,
};

use crate::version::FileVersion;

/// The resource type RT_VERSION, which version resources have.
const VERSION_TYPE: u32 = 16;
/// The id of the resource name VS_VERSION_INFO. Windows does not find a version resource with another name
/// (ERROR_RESOURCE_DATA_NOT_FOUND).
const VERSION_NAME: u32 = 1;
/// The offset of VS_FIXEDFILEINFO in VS_VERSIONINFO: after three 16-bit fields, `VS_VERSION_INFO` with a NUL in UTF-16,
/// and padding.
const FIXED_AT: usize = 40;
/// `dwSignature` of VS_FIXEDFILEINFO.
const SIGNATURE: u32 = 0xFEEF_04BD;

/// The reason why the file version of a PE file is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// The resource directory or a version resource is truncated or damaged, or only some languages have a version. The
    /// text says what is wrong.
    #[error("the version resource is damaged: {0}")]
    Damaged(&'static str),
    /// The version resources of two languages have different versions. Windows would use the one for the user's
    /// language.
    #[error("the version resource has different versions in different languages: {0} and {1}")]
    Ambiguous(FileVersion, FileVersion),
}

use VersionError::Damaged;

/// The resource directory of a PE file: its offset and its size in the file `data`.
struct Tree<R> {
    data: R,
    start: u64,
    size: u64,
}

impl<'data, R: ReadRef<'data>> Tree<R> {
    /// Returns the entries of the directory at `offset`: first the entries with names, then the entries with ids.
    fn entries(&self, offset: u32) -> Result<&'data [ImageResourceDirectoryEntry], VersionError> {
        let damaged = |()| Damaged("the resource directory is cut off");
        let mut at = self.at(offset)?;
        let head = self.data.read::<ImageResourceDirectory>(&mut at).map_err(damaged)?;
        let count = head.number_of_named_entries.get(LE) as usize + head.number_of_id_entries.get(LE) as usize;
        self.data.read_slice_at(at, count).map_err(damaged)
    }

    fn at(&self, offset: u32) -> Result<u64, VersionError> {
        if u64::from(offset) < self.size {
            Ok(self.start + u64::from(offset))
        } else {
            Err(Damaged("an offset leads out of the resource directory"))
        }
    }

    /// Returns the offset of the subdirectory to which the entry `id` of the directory at `offset` leads; `None` if
    /// there is no such entry.
    fn child(&self, offset: u32, id: u32) -> Result<Option<u32>, VersionError> {
        let Some(entry) = self.entries(offset)?.iter().find(|e| e.name_or_id.get(LE) == id) else { return Ok(None) };
        match directory(entry) {
            Some(offset) => Ok(Some(offset)),
            None => Err(Damaged("a directory entry leads to data instead of a directory")),
        }
    }
}

fn directory(entry: &ImageResourceDirectoryEntry) -> Option<u32> {
    let offset = entry.offset_to_data_or_directory.get(LE);
    (offset & IMAGE_RESOURCE_DATA_IS_DIRECTORY != 0).then_some(offset & !IMAGE_RESOURCE_DATA_IS_DIRECTORY)
}

/// Returns the fixed file version in the resource directory at address `rva`; `None` if the directory contains none.
pub(super) fn fixed_version<'data, R: ReadRef<'data>>(
    data: R,
    sections: &SectionTable<'data>,
    rva: u32,
) -> Result<Option<FileVersion>, VersionError> {
    let range = sections.pe_file_range_at(rva).ok_or(Damaged("the resource directory is in no section"))?;
    let tree = Tree { data, start: range.0.into(), size: range.1.into() };
    let Some(types) = tree.child(0, VERSION_TYPE)? else { return Ok(None) };
    let Some(languages) = tree.child(types, VERSION_NAME)? else { return Ok(None) };
    let mut version = None;
    let mut first = true;
    for language in tree.entries(languages)? {
        if directory(language).is_some() {
            return Err(Damaged("a directory entry leads to a directory instead of data"));
        }
        let at = tree.at(language.offset_to_data_or_directory.get(LE))?;
        let entry = data.read_at::<ImageResourceDataEntry>(at).map_err(|()| Damaged("a data entry is cut off"))?;
        let (start, there) = sections.pe_file_range_at(entry.offset_to_data.get(LE)).ok_or(Damaged(
            "the address of the version is in \
                no section of the file",
        ))?;
        let size = entry.size.get(LE).min(there).min((FIXED_AT + 16) as u32);
        let block = data.read_bytes_at(start.into(), size.into()).map_err(|()| Damaged("the version is cut off"))?;
        let found = fixed(block)?;
        match (version, found) {
            (Some(a), Some(b)) if a != b => return Err(VersionError::Ambiguous(a, b)),
            (a, b) if !first && a.is_some() != b.is_some() => {
                return Err(Damaged("some languages of the version resource have a fixed version, others have none"));
            }
            _ => version = found,
        }
        first = false;
    }
    Ok(version)
}

/// Returns the file version in a VS_VERSIONINFO; `None` if it has no VS_FIXEDFILEINFO. Returns an error if it is
/// truncated or damaged.
fn fixed(block: &[u8]) -> Result<Option<FileVersion>, VersionError> {
    let key: Vec<u8> = "VS_VERSION_INFO\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let value_length = block.get(2..4).ok_or(Damaged("the version is cut off"))?;
    if block.get(6..6 + key.len()) != Some(key.as_slice()) {
        return Err(Damaged("the version resource does not begin with VS_VERSION_INFO"));
    }
    if value_length == [0, 0] {
        return Ok(None);
    }
    let number = |at: usize| {
        let bytes = block.get(FIXED_AT + at..FIXED_AT + at + 4).and_then(|b| b.try_into().ok());
        bytes.map(u32::from_le_bytes).ok_or(Damaged("the fixed version is cut off"))
    };
    if number(0)? != SIGNATURE {
        return Err(Damaged("the fixed version lacks its signature 0xFEEF04BD"));
    }
    Ok(Some(FileVersion::from_halves(number(8)?, number(12)?)))
}
