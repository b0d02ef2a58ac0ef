//! Creates and deletes keys of a hive.
//!
//! Missing keys above a new key are created too. A key is deleted alone, or with all keys below it.
//!
//! Source: Suhanov's specification of the hive format, "Key node", "Key security".

use super::{
    super::{
        Above, Error, Hive, Node,
        base::NOWHERE,
        name::stored,
        node::{self, FLAG_COMP_NAME, FLAG_HIVE_ENTRY, FLAG_NO_DELETE},
        walk::MAX_DEPTH,
    },
    Editor, Filetime,
};
use crate::registry::KeyName;

/// The flag of a key that makes its new subkeys inherit its virtualization flags ([`VIRTUAL_FLAGS`]). These flags are
/// in the upper half of the field for the size of its largest subkey name.
const VIRTUAL_RECURSE: u32 = 0x0008_0000;
const VIRTUAL_FLAGS: u32 = 0x000F_0000;

impl Editor<'_> {
    /// Creates the key at `path` and the missing keys above it. A new key gets the security of its parent key. Returns
    /// false if the key already exists.
    pub fn create_key(&mut self, path: &str) -> Result<bool, Error> {
        self.hive.writable()?;
        let names = path.split('\\').filter(|_| !path.is_empty()).map(KeyName::new).collect::<Result<Vec<_>, _>>()?;
        if names.len() > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let mut node = self.hive.root();
        let mut names = &names[..];
        if let Some((above, _)) = path.rsplit_once('\\')
            && let Above::Key(found) = self.hive.above(above)?
        {
            node = found;
            names = &names[names.len() - 1..];
        }
        let mut names = names.iter().peekable();
        while let Some(name) = names.peek() {
            match self.hive.subkey(node, name.as_str())? {
                Some(below) => node = below,
                None => break,
            }
            names.next();
        }
        if names.peek().is_none() {
            return self.hive.key(node).map(|_| false);
        }
        self.hive.refuse_damaged_lists(node)?;
        self.change(|hive, now| {
            for name in names {
                node = hive.create_subkey(node, name, now)?;
            }
            Ok(true)
        })
    }

    /// Deletes the key at `path`, which must not have subkeys. Returns false if the key does not exist.
    pub fn delete_key(&mut self, path: &str) -> Result<bool, Error> {
        self.delete(path, false)
    }

    /// Deletes the key at `path` and all keys below it. Returns false if the key does not exist.
    pub fn delete_tree(&mut self, path: &str) -> Result<bool, Error> {
        self.delete(path, true)
    }

    fn delete(&mut self, path: &str, tree: bool) -> Result<bool, Error> {
        self.hive.writable()?;
        let Some(top) = self.hive.find(path)? else { return Ok(false) };
        let parent = self.hive.key(top)?.u32(node::PARENT);
        if top != self.hive.root() {
            self.hive.refuse_damaged_lists(Node(parent))?;
        }
        let mut cells = Vec::new();
        let mut records = Vec::new();
        for (depth, key) in self.hive.walk(top) {
            let key = key?;
            if key.flags() & (FLAG_NO_DELETE | FLAG_HIVE_ENTRY) != 0 || key.at == self.hive.root {
                return Err(Error::Protected(path.to_owned()));
            }
            if depth > 0 && !tree {
                return Err(Error::HasSubkeys(path.to_owned()));
            }
            records.push(key.security());
            self.hive.cells_of(key.node(), &mut cells)?;
        }
        // A cell that two structures share would be released twice, and then be free and in use at the same time.
        cells.sort_unstable();
        if let Some(pair) = cells.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::cell("cell", pair[0], "two structures refer to the same cell"));
        }
        self.change(|hive, now| {
            hive.last_above.forget();
            hive.unlink(parent, top.0)?;
            hive.cache.values = None;
            hive.cache.shrunk = true;
            for at in &cells {
                hive.cache.sorted.remove(at);
                hive.cache.stale.remove(at);
            }
            hive.release_all(&cells)?;
            for at in records {
                hive.unreference(at)?;
            }
            hive.cache.stale.insert(parent);
            hive.put_time(parent, now)?;
            Ok(true)
        })
    }
}

impl Hive {
    fn create_subkey(&mut self, parent: Node, name: &KeyName, now: Filetime) -> Result<Node, Error> {
        let above = self.key(parent)?;
        let (security, largest) = (above.security(), above.u32(node::MAX_SUBKEY_NAME));
        let (stored, latin1) = stored(name.as_str());
        let units = if latin1 { stored.len() } else { stored.len() / 2 };

        let mut cell = vec![0; node::HEADER];
        let mut put = |at: usize, bytes: &[u8]| cell[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"nk");
        put(node::FLAGS, &(if latin1 { FLAG_COMP_NAME } else { 0 }).to_le_bytes());
        put(node::LAST_WRITTEN, &now.0.to_le_bytes());
        put(node::PARENT, &parent.0.to_le_bytes());
        for field in [node::SUBKEY_LIST, node::VOLATILE_LIST, node::VALUE_LIST, node::CLASS] {
            put(field, &NOWHERE.to_le_bytes());
        }
        put(node::SECURITY, &security.to_le_bytes());
        if largest & VIRTUAL_RECURSE != 0 {
            put(node::MAX_SUBKEY_NAME, &(largest & VIRTUAL_FLAGS).to_le_bytes());
        }
        put(node::NAME_LENGTH, &(stored.len() as u16).to_le_bytes());
        cell.extend(&stored);

        self.reference(security)?;
        let at = self.allocate(&cell)?;
        self.link(parent.0, at)?;
        // The upper half of this field contains flags.
        if (units * 2) as u16 > largest as u16 {
            self.put_u16(parent.0, node::MAX_SUBKEY_NAME, (units * 2) as u16)?;
        }
        self.put_time(parent.0, now)?;
        Ok(Node(at))
    }

    /// Adds to `cells` the cells that belong only to this key: its node, its class name, its lists, its values and
    /// their data.
    fn cells_of(&self, node: Node, cells: &mut Vec<u32>) -> Result<(), Error> {
        let key = self.key(node)?;
        cells.push(key.at);
        if key.u32(node::CLASS) != NOWHERE && key.u16(node::CLASS_LENGTH) > 0 {
            cells.push(key.u32(node::CLASS));
        }
        cells.extend(self.list_cells(&key)?);
        if key.value_count() > 0 {
            cells.push(key.u32(node::VALUE_LIST));
        }
        for value in self.values(node)? {
            let value = value?;
            cells.push(value.at);
            cells.extend(self.storage(&value)?.cells());
        }
        Ok(())
    }

    /// Updates the sizes that a key stores for its largest subkey name, subkey class name, value name and data.
    pub(super) fn recount(&mut self, node: u32) -> Result<(), Error> {
        let (mut name, mut class) = (0, 0);
        for subkey in self.subkeys(Node(node))?.flatten() {
            name = name.max(subkey.name().len() * 2);
            class = class.max(subkey.u16(node::CLASS_LENGTH).into());
        }
        let (mut value_name, mut data) = (0, 0);
        for value in self.values(Node(node))?.flatten() {
            value_name = value_name.max(value.name().len() * 2);
            data = data.max(value.size());
        }
        self.put_u16(node, node::MAX_SUBKEY_NAME, name as u16)?;
        self.put_u32(node, node::MAX_SUBKEY_CLASS, class)?;
        self.put_u32(node, node::MAX_VALUE_NAME, value_name as u32)?;
        self.put_u32(node, node::MAX_VALUE_DATA, data as u32)
    }
}
