//! Answers questions from the live registry.
//!
//! A key is opened with only the rights that the question needs: to query values, to list subkeys, or to read the
//! security descriptor. So an ordinary user can run `diff`, and a key that denies other rights can still be read.

use std::collections::{BTreeMap, BTreeSet};

use windows_registry::Key as Handle;
use windows_sys::Win32::System::Registry::{KEY_ENUMERATE_SUB_KEYS, KEY_QUERY_VALUE};

use crate::{
    registry::{Data, KeyName, ValueName, name::MAX_VALUE_NAME},
    small_map::SmallMap,
    targets::{Answer, KeyFacts, KeyQuery, Reason, ValueSelection},
};

use super::{error::Code, place, properties, raw};

/// The buffers, and the facts about the keys above the queried keys. Questions that are asked together share them.
pub(super) struct Questions {
    buffer: raw::Buffer,
    above: place::Above,
}

impl Questions {
    pub(super) fn new() -> Self {
        Self { buffer: raw::Buffer::new(), above: place::Above::default() }
    }
}

/// Answers one question about a key, which is opened only once.
pub(super) fn key_facts(query: &KeyQuery, questions: &mut Questions) -> Answer<KeyFacts> {
    let mut access = KEY_QUERY_VALUE;
    if query.subkeys {
        access |= KEY_ENUMERATE_SUB_KEYS;
    }
    if query.values == ValueSelection::All {
        access |= properties::READ;
    }
    let handle = match place::open_below(&query.key, access, &mut questions.above) {
        Ok(opened) => opened.handle,
        Err(closed) => return closed.answer(),
    };
    if query.lists_all() && raw::is_volatile(&handle) {
        return Answer::Unread(place::volatile(&query.key));
    }
    contents(&handle, query, &mut questions.buffer).map_or_else(|answer| *answer, Answer::Present)
}

/// Reads from an open key what the query asks for.
///
/// # Errors
/// Returns the answer about the key if its values or subkeys cannot be read: absent if the key was deleted after it was
/// opened, otherwise the reason.
fn contents(handle: &Handle, query: &KeyQuery, buffer: &mut raw::Buffer) -> Result<KeyFacts, Box<Answer<KeyFacts>>> {
    let values = match &query.values {
        ValueSelection::Names(names) => named_values(handle, names, buffer).map_err(boxed)?,
        ValueSelection::All => all_values(handle, buffer).map_err(boxed)?,
    };
    let subkeys = if query.subkeys { Some(subkey_names(handle)?) } else { None };
    let properties = (query.values == ValueSelection::All).then(|| properties::read(handle));
    Ok(KeyFacts { values, unsure: None, properties, subkeys })
}

/// Returns the values that the query names, with their names spelled as in the registry.
///
/// To read a value by its name, Windows searches all values of the key. Therefore the first values of the key are
/// listed instead: at most twice as many as are queried, and one more. A queried value that is not among them is then
/// read by its name. If such values exist, the names of the key's values are listed, to know how these names are
/// spelled.
fn named_values(
    handle: &Handle,
    names: &BTreeSet<ValueName>,
    buffer: &mut raw::Buffer,
) -> Result<SmallMap<ValueName, Answer<Data>>, Code> {
    let mut values = SmallMap::new();
    if names.is_empty() {
        return Ok(values);
    }
    let mut left = 2 * names.len() + 1;
    raw::each_value(handle, buffer, |units, data| {
        if let Some(name) = value_name(units).filter(|name| names.contains(name)) {
            values.insert(name, Answer::Present(data));
        }
        left -= 1;
        left > 0 && values.len() < names.len()
    })?;
    // A value counts as absent only after it was looked up: if the key changed in the meantime, the listing may have
    // missed it.
    let mut looked_up = BTreeMap::new();
    for name in names {
        if values.contains_key(name) {
            continue;
        }
        match raw::value(handle, name.as_str(), buffer) {
            Ok(data) => drop(looked_up.insert(name.clone(), data)),
            Err(code) => drop(values.insert(name.clone(), code.answer())),
        }
    }
    if !looked_up.is_empty() {
        raw::each_value_name(handle, buffer, |units| {
            let found = value_name(units).and_then(|name| looked_up.remove(&name).map(|data| (name, data)));
            if let Some((name, data)) = found {
                values.insert(name, Answer::Present(data));
            }
            !looked_up.is_empty()
        })?;
    }
    values.extend(looked_up.into_iter().map(|(name, data)| (name, Answer::Present(data))));
    Ok(values)
}

/// Returns all values of a key.
///
/// If kbfix cannot express the name of a value, or cannot distinguish it from the name of another value, the value gets
/// a similar valid name that no other value has, and the answer about it is "unsupported". So every value is listed.
pub(super) fn all_values(handle: &Handle, buffer: &mut raw::Buffer) -> Result<SmallMap<ValueName, Answer<Data>>, Code> {
    let mut values = SmallMap::new();
    let mut odd = Vec::new();
    raw::each_value(handle, buffer, |units, data| {
        match value_name(units) {
            None => odd.push((units.to_vec(), "contains a NUL or is not valid UTF-16")),
            Some(name) => match values.get_key_value(&name) {
                None => drop(values.insert(name, Answer::Present(data))),
                // If the key changes while it is listed, Windows can list a value twice.
                Some((listed, _)) if listed.as_str() == name.as_str() => {}
                Some(_) => odd.push((units.to_vec(), "differs from another value name only in letter case")),
            },
        }
        true
    })?;
    for (units, why) in odd {
        let near = String::from_utf16_lossy(&units).replace('\0', "\u{FFFD}");
        let answer = Answer::unread(Reason::Unsupported, format!("the value name {near:?} {why}"));
        // The number must not make the name too long.
        let numbered = |number| format!("{} ({number})", near.chars().take(MAX_VALUE_NAME / 4).collect::<String>());
        let names = std::iter::once(near.clone()).chain((2..).map(numbered));
        let free = |name: &ValueName| !values.contains_key(name);
        let name = names.filter_map(|name| ValueName::new(name).ok()).find(free);
        values.extend(name.map(|name| (name, answer)));
    }
    Ok(values)
}

fn value_name(units: &[u16]) -> Option<ValueName> {
    ValueName::new(String::from_utf16(units).ok()?).ok()
}

/// Returns the names of a key's subkeys; "unsupported" if kbfix cannot express one of the names.
///
/// # Errors
/// Returns the answer about the key if the subkeys cannot be listed.
fn subkey_names(handle: &Handle) -> Result<Answer<Vec<KeyName>>, Box<Answer<KeyFacts>>> {
    let (mut names, mut odd) = (Vec::new(), None);
    raw::each_subkey(handle, |units| match String::from_utf16(units).ok().and_then(|name| KeyName::new(name).ok()) {
        Some(name) => names.push(name),
        None => odd = Some(String::from_utf16_lossy(units)),
    })
    .map_err(boxed)?;
    match odd {
        None => Ok(Answer::Present(names)),
        Some(near) => {
            let detail = format!("the subkey name {near:?} contains a NUL or is not valid UTF-16");
            Ok(Answer::unread(Reason::Unsupported, detail))
        }
    }
}

fn boxed(code: Code) -> Box<Answer<KeyFacts>> {
    Box::new(code.answer())
}
