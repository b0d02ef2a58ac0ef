//! Reads key nodes (`nk`): the records in a hive that describe keys.
//!
//! Source: Suhanov's specification of the hive format, "Key node".

use super::{
    Error, Hive, Node, RawName, base,
    base::NOWHERE,
    bytes::{u16_at, u32_at, u64_at},
};

pub(super) const KEY: &str = "key node";
/// The length of a key node in bytes, without the name of the key.
pub(super) const HEADER: usize = 76;

// Offsets of the fields in a key node.
pub(super) const FLAGS: usize = 2;
pub(super) const LAST_WRITTEN: usize = 4;
pub(super) const PARENT: usize = 16;
pub(super) const SUBKEYS: usize = 20;
pub(super) const SUBKEY_LIST: usize = 28;
pub(super) const VOLATILE_LIST: usize = 32;
pub(super) const VALUES: usize = 36;
pub(super) const VALUE_LIST: usize = 40;
pub(super) const SECURITY: usize = 44;
pub(super) const CLASS: usize = 48;
pub(super) const MAX_SUBKEY_NAME: usize = 52;
pub(super) const MAX_SUBKEY_CLASS: usize = 56;
pub(super) const MAX_VALUE_NAME: usize = 60;
pub(super) const MAX_VALUE_DATA: usize = 64;
pub(super) const NAME_LENGTH: usize = 72;
pub(super) const CLASS_LENGTH: usize = 74;

pub(super) const FLAG_HIVE_ENTRY: u16 = 0x0004;
pub(super) const FLAG_NO_DELETE: u16 = 0x0008;
pub(super) const FLAG_SYM_LINK: u16 = 0x0010;
pub(super) const FLAG_COMP_NAME: u16 = 0x0020;
pub(super) const FLAG_PREDEF_HANDLE: u16 = 0x0040;

/// A key of a hive.
#[derive(Clone, Copy)]
pub struct KeyNode<'a> {
    pub(super) at: u32,
    /// The content of the key's cell. It was checked to contain at least [`HEADER`] bytes and the name.
    cell: &'a [u8],
}

impl Hive {
    /// Reads the key to which `node` refers.
    pub fn key(&self, node: Node) -> Result<KeyNode<'_>, Error> {
        let cell = self.record(KEY, node.0, b"nk", HEADER)?;
        let key = KeyNode { at: node.0, cell };
        let end = HEADER + usize::from(key.u16(NAME_LENGTH));
        if cell.len() < end {
            return Err(Error::cell(KEY, node.0, "the name extends beyond the end of the cell"));
        }
        if key.u16(FLAGS) & FLAG_COMP_NAME == 0 && !key.u16(NAME_LENGTH).is_multiple_of(2) {
            return Err(Error::cell(KEY, node.0, "the UTF-16 name has an odd number of bytes"));
        }
        Ok(key)
    }

    /// Returns the class name of a key; `None` if the key has none.
    pub fn class(&self, node: Node) -> Result<Option<RawName<'_>>, Error> {
        let key = self.key(node)?;
        let (at, len) = (key.u32(CLASS), usize::from(key.u16(CLASS_LENGTH)));
        if at == NOWHERE || len == 0 {
            return Ok(None);
        }
        self.own("class name", at, node.0)?;
        let cell = self.cell("class name", at)?;
        let bytes = cell
            .get(..len)
            .ok_or_else(|| Error::cell("class name", at, "the structure extends beyond the end of its cell"))?;
        Ok(Some(RawName::new(bytes, false)))
    }
}

impl<'a> KeyNode<'a> {
    pub(super) fn u16(&self, at: usize) -> u16 {
        u16_at(self.cell, at).unwrap_or_default()
    }

    pub(super) fn u32(&self, at: usize) -> u32 {
        u32_at(self.cell, at).unwrap_or_default()
    }

    /// Returns the offset of the key in the hive, as a [`Node`].
    pub fn node(&self) -> Node {
        Node(self.at)
    }

    /// Returns the name of the key.
    pub fn name(&self) -> RawName<'a> {
        let end = HEADER + usize::from(self.u16(NAME_LENGTH));
        let bytes = self.cell.get(HEADER..end).unwrap_or_default();
        RawName::new(bytes, self.u16(FLAGS) & FLAG_COMP_NAME != 0)
    }

    /// Returns the name of the key as a string. Returns an error if the name is not valid UTF-16.
    pub fn name_text(&self) -> Result<String, Error> {
        let offset = u64::from(self.at) + base::SIZE as u64;
        self.name().text().map_err(|_| Error::NotUnicode { structure: KEY, offset })
    }

    /// Returns the time of the last write to the key, in units of 100 ns since 1601, UTC.
    pub fn last_written(&self) -> u64 {
        u64_at(self.cell, LAST_WRITTEN).unwrap_or_default()
    }

    /// Returns the number of subkeys that the key stores. In a damaged hive, it may differ from the subkey lists.
    pub fn subkey_count(&self) -> u32 {
        self.u32(SUBKEYS)
    }

    /// Returns the number of the key's values.
    ///
    /// It is zero for a predefined handle: a key that stores a handle instead of this number, and has no values.
    pub fn value_count(&self) -> u32 {
        if self.u16(FLAGS) & FLAG_PREDEF_HANDLE != 0 { 0 } else { self.u32(VALUES) }
    }

    /// Returns the flags of the key, as they are stored in the hive.
    pub fn flags(&self) -> u16 {
        self.u16(FLAGS)
    }

    /// Returns whether the key is a symbolic link. The data of its value `SymbolicLinkValue` is then the target.
    pub fn is_symbolic_link(&self) -> bool {
        self.u16(FLAGS) & FLAG_SYM_LINK != 0
    }

    /// Returns the offset of the key's security record, from the first hive bin. Keys that share a record have the same
    /// security descriptor.
    pub fn security(&self) -> u32 {
        self.u32(SECURITY)
    }
}

impl std::fmt::Debug for KeyNode<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyNode({:?} at {:#x})", self.name(), self.at)
    }
}
