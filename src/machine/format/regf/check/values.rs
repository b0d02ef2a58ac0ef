//! Checks the values of keys: the value lists, the value records and the data.

use super::{
    super::{
        KeyNode, RawName,
        base::NOWHERE,
        bytes::u32_at,
        hash::HashSet,
        node,
        value::{DATA, SEGMENT, Storage},
    },
    Checker,
    keys::Largest,
};
use crate::registry::name::upcase;

/// The value names of one key that were already checked.
enum Names<'a> {
    /// A list of the names, for a key with few values.
    Few(Vec<RawName<'a>>),
    /// A set of the names in upper case, for a key with many values.
    Many(HashSet<Vec<u16>>),
}

impl<'a> Names<'a> {
    fn of(count: usize) -> Self {
        if count <= 16 { Self::Few(Vec::new()) } else { Self::Many(HashSet::default()) }
    }

    /// Adds a name; returns false if the name was already added.
    fn insert(&mut self, name: RawName<'a>) -> bool {
        match self {
            Self::Few(names) => {
                let is_new = !names.iter().any(|known| known.len() == name.len() && known.compare(&name).is_eq());
                names.push(name);
                is_new
            }
            Self::Many(names) => names.insert(name.units().map(upcase).collect()),
        }
    }
}

impl<'a> Checker<'a> {
    pub(super) fn values(&mut self, key: &KeyNode<'a>) {
        let mut largest = Largest::default();
        let at = key.u32(node::VALUE_LIST);
        if key.value_count() > 0 && self.claim(at, "value list") {
            match self.hive.known_value_list(key) {
                Err(error) => self.add_error("value-list-malformed", at, &error),
                Ok(list) => {
                    let mut names = Names::of(list.len() / 4);
                    for element in list.chunks_exact(4) {
                        self.value(u32_at(element, 0).unwrap_or(NOWHERE), &mut largest, &mut names);
                    }
                }
            }
        }
        self.largest(key, "value name", largest.name, key.u32(node::MAX_VALUE_NAME));
        self.largest(key, "data", largest.other, key.u32(node::MAX_VALUE_DATA));
    }

    fn value(&mut self, at: u32, largest: &mut Largest, names: &mut Names<'a>) {
        if !self.claim(at, "value list") {
            return;
        }
        let value = match self.hive.value_at(at) {
            Ok(value) => value,
            Err(error) => return self.add_error("value-malformed", at, &error),
        };
        largest.name = largest.name.max(value.name().len() as u32 * 2);
        largest.other = largest.other.max(value.size() as u32);
        if !names.insert(value.name()) {
            self.add("value-duplicate", at, format!("the key has a second value with the name {:?}", value.name()));
        }
        let storage = match self.hive.storage(&value) {
            Err(error) => return self.add_error("data-malformed", at, &error),
            Ok(storage) => storage,
        };
        match &storage {
            Storage::Inline => return,
            Storage::Cell(data) => {
                if !self.claim(*data, "value") {
                    return;
                }
            }
            Storage::Segments { record, list, segments } => {
                let whole = self.claim(*record, "value") & self.claim(*list, "big data record");
                if !segments.iter().fold(whole, |whole, at| self.claim(*at, "list of data segments") & whole) {
                    return;
                }
                for at in segments.iter().take(segments.len() - 1) {
                    if self.hive.cell(DATA, *at).is_ok_and(|cell| cell.len() > SEGMENT + 12) {
                        self.add("data-malformed", *at, "a data segment is larger than 16344 bytes");
                    }
                }
            }
        }
        if let Err(error) = self.hive.bytes_in(&value, storage) {
            self.add_error("data-malformed", at, &error);
        }
    }
}
