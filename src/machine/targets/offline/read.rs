//! Answers a question about one key from one hive.

use std::collections::BTreeSet;

use crate::{
    format::regf::{Error, Hive, Node, NotUnicode, ValueNode},
    registry::{Data, KeyName, KeyProperties, SecurityDescriptor, ValueName},
    small_map::SmallMap,
    targets::{Answer, KeyFacts, KeyQuery, Reason, Unread, ValueSelection},
};

/// The minimum number of queried value names for which the key's value list is read once for all names. For fewer
/// names, the list is searched once for each name. For a key whose values have an index because it is being edited, the
/// index is searched once for each name, however many there are.
const MANY: usize = 8;

/// Returns the facts that the query asks for about the key at `node`.
pub(super) fn key_facts(hive: &Hive, node: Node, query: &KeyQuery) -> Answer<KeyFacts> {
    let facts = || {
        let values = match &query.values {
            ValueSelection::All => all_values(hive, node)?,
            ValueSelection::Names(names) if names.len() < MANY || hive.finds_values_fast(node) => {
                one_by_one(hive, node, names)
            }
            ValueSelection::Names(names) => out_of_all(hive, node, names)?,
        };
        let subkeys = query.subkeys.then(|| subkeys(hive, node).map_or_else(Answer::Unread, Answer::Present));
        let properties = (query.values == ValueSelection::All).then(|| properties(hive, node));
        Ok(KeyFacts { values, unsure: None, properties, subkeys })
    };
    facts().map_or_else(Answer::Unread, Answer::Present)
}

/// Converts an error of the hive format into the reason why a key or value could not be read.
pub(super) fn unread(error: &Error) -> Unread {
    // A name that is not valid Unicode is not damage: Windows itself creates such names.
    let reason = match error {
        Error::NotUnicode { .. } | Error::Name(_) => Reason::Unsupported,
        // An error of the disk says nothing about the hive.
        Error::Unreadable { .. } => Reason::Unknown,
        _ => Reason::Malformed,
    };
    Unread::new(reason, error.to_string())
}

fn one_by_one(hive: &Hive, node: Node, names: &BTreeSet<ValueName>) -> SmallMap<ValueName, Answer<Data>> {
    let one = |name: &ValueName| match hive.value_node(node, name.as_str()) {
        Ok(None) => (name.clone(), Answer::Absent),
        Ok(Some(value)) if value.name().ascii() == Some(name.as_str()) => (name.clone(), data(hive, &value)),
        Ok(Some(value)) => (name_of(&value).unwrap_or_else(|_| name.clone()), data(hive, &value)),
        Err(error) => (name.clone(), Answer::Unread(unread(&error))),
    };
    names.iter().map(one).collect()
}

fn out_of_all(
    hive: &Hive,
    node: Node,
    names: &BTreeSet<ValueName>,
) -> Result<SmallMap<ValueName, Answer<Data>>, Unread> {
    let mut found = SmallMap::new();
    let mut unreadable = None;
    for value in hive.values(node).map_err(|e| unread(&e))? {
        match value {
            // If two values have the same name, the first one counts, as when Windows looks up a name. A name that is
            // not valid Unicode matches no query.
            Ok(value) => {
                if let Ok(name) = name_of(&value)
                    && names.contains(&name)
                    && !found.contains_key(&name)
                {
                    found.insert(name, data(hive, &value));
                }
            }
            Err(error) => unreadable = unreadable.or(Some(unread(&error))),
        }
    }
    for name in names.iter().filter(|name| !found.contains_key(*name)).cloned().collect::<Vec<_>>() {
        found.insert(name, unreadable.clone().map_or(Answer::Absent, Answer::Unread));
    }
    Ok(found)
}

fn all_values(hive: &Hive, node: Node) -> Result<SmallMap<ValueName, Answer<Data>>, Unread> {
    let mut all = SmallMap::new();
    for value in hive.values(node).map_err(|e| unread(&e))? {
        let value = value.map_err(|e| unread(&e))?;
        let name = name_of(&value)?;
        if all.contains_key(&name) {
            return Err(Unread::new(Reason::Malformed, format!("two values of the key have the name {name:?}")));
        }
        all.insert(name, data(hive, &value));
    }
    Ok(all)
}

fn properties(hive: &Hive, node: Node) -> Answer<KeyProperties> {
    let properties = || {
        let malformed = |why| Unread::new(Reason::Malformed, why);
        let security = hive.security_descriptor(node).map_err(|error| unread(&error))?;
        let security = SecurityDescriptor::new(security).map_err(malformed)?;
        let class = hive.class(node).map_err(|error| unread(&error))?.map(|class| class.text());
        let odd = |error: NotUnicode| Unread::new(Reason::Unsupported, format!("its class name: {error}"));
        Ok(KeyProperties { class: class.transpose().map_err(odd)?, security })
    };
    properties().map_or_else(Answer::Unread, Answer::Present)
}

fn subkeys(hive: &Hive, node: Node) -> Result<Vec<KeyName>, Unread> {
    let mut names = Vec::new();
    for key in hive.subkeys(node).map_err(|e| unread(&e))? {
        let text = key.and_then(|key| key.name_text()).map_err(|e| unread(&e))?;
        names.push(KeyName::new(text).map_err(|e| Unread::new(Reason::Unsupported, e.to_string()))?);
    }
    Ok(names)
}

fn name_of(value: &ValueNode<'_>) -> Result<ValueName, Unread> {
    let name = match value.name().ascii() {
        Some(text) => ValueName::new(text),
        None => ValueName::new(value.name_text().map_err(|e| unread(&e))?),
    };
    name.map_err(|e| Unread::new(Reason::Unsupported, e.to_string()))
}

fn data(hive: &Hive, value: &ValueNode<'_>) -> Answer<Data> {
    hive.data(value).map_or_else(|error| Answer::Unread(unread(&error)), Answer::Present)
}
