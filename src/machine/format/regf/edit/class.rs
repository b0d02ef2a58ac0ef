//! Edits the class names of keys. Each class name is stored in a cell of its own.
//!
//! Source: Suhanov's specification of the hive format, "Key node" (class name).

use super::{
    super::{Error, base::NOWHERE, node},
    Editor,
};

impl Editor<'_> {
    /// Sets the class name of the key at `path`, or removes it if `class` is `None` or empty. Returns false if nothing
    /// had to be changed.
    pub fn set_class(&mut self, path: &str, class: Option<&str>) -> Result<bool, Error> {
        let node = self.existing(path)?;
        let wanted: Vec<u16> = class.unwrap_or_default().encode_utf16().collect();
        let length = u16::try_from(wanted.len() * 2).map_err(|_| Error::TooLarge {
            what: "the length of the class name in bytes",
            size: wanted.len() * 2,
            limit: u16::MAX.into(),
        })?;
        if self.hive.class(node)?.map_or(wanted.is_empty(), |class| class.units().eq(wanted.iter().copied())) {
            return Ok(false);
        }
        let key = self.hive.key(node)?;
        let (old, parent) = (key.u32(node::CLASS), key.u32(node::PARENT));
        self.change(|hive, now| {
            let bytes: Vec<u8> = wanted.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let new = if bytes.is_empty() { NOWHERE } else { hive.allocate(&bytes)? };
            hive.put_u32(node.0, node::CLASS, new)?;
            hive.put_u16(node.0, node::CLASS_LENGTH, length)?;
            hive.put_time(node.0, now)?;
            if old != NOWHERE {
                hive.release(old)?;
            }
            hive.cache.stale.insert(parent);
            Ok(true)
        })
    }
}
