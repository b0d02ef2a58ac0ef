//! Makes changes on a remote machine.
//!
//! All changes are checked against the present state, and then made one by one over one connection. There is no
//! transaction.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use crate::{
    registry::{Key, ValueName, notation},
    targets::{ChangeAction, Facts, KeyChange, KeyQuery, ValueSelection, WriteError, WriteFailure, precondition},
};

use super::{
    Connection, Trouble,
    protocol::{Order, Place, Refusal, Setting},
};

/// The error code that the helper script returns if a key to create already exists: ERROR_ALREADY_EXISTS. Source:
/// Microsoft, "System Error Codes".
const ALREADY_EXISTS: u32 = 183;

impl Connection {
    /// Makes the changes in their order.
    ///
    /// # Errors
    /// Returns [`WriteFailure`], which says which changes may have been made.
    pub(super) fn write(&self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        if changes.is_empty() {
            return Ok(());
        }
        let orders = self.checked(changes)?;
        self.order(&orders).map_err(|refusal| match refusal {
            Refusal::Trouble { trouble, begun } => {
                WriteFailure { error: self.whole(trouble), begun: changes.get(..begun).unwrap_or(changes).to_vec() }
            }
            Refusal::Change { at, name, begun, fault } => {
                let name = name.and_then(|name| ValueName::new(name).ok());
                let change = changes.get(at);
                let place = change.map(|change| name.map_or(change.key.to_string(), |name| change.place(&name)));
                let place = place.unwrap_or_else(|| self.host.to_string());
                let stale = |expected: &str, found: &str| WriteError::Stale {
                    place: place.clone(),
                    expected: expected.to_owned(),
                    found: found.to_owned(),
                };
                let linked = fault.link.as_ref().map(|link| link.unread().detail.to_string());
                let error = match (fault.code, linked) {
                    (_, Some(detail)) => WriteError::Unsupported { place, detail },
                    (ALREADY_EXISTS, _) => stale("absent", "present"),
                    (_, _) if fault.is_denied() => WriteError::Denied { place },
                    (_, _) if fault.is_absent() => stale("present", "absent"),
                    (code, _) => {
                        let source =
                            io::Error::other(format!("the machine reported the error {} ({code})", fault.text));
                        WriteError::Io { place, source }
                    }
                };
                WriteFailure { error, begun: changes.get(..begun).unwrap_or(changes).to_vec() }
            }
        })
    }

    /// Checks each change against the present state, to which the changes before it are applied. Returns the requests
    /// that make the changes.
    fn checked(&self, changes: &[KeyChange]) -> Result<Vec<Order>, WriteError> {
        let queries = questions(changes);
        let mut facts = Facts::default();
        let answers = self.read(&queries).map_err(|trouble| self.whole(trouble))?;
        for (query, answer) in queries.iter().zip(answers) {
            facts.record_key(query, answer);
        }
        let mut orders = Vec::new();
        for change in changes {
            if change.action != ChangeAction::Update && change.key.path.parent().is_none() {
                let detail = "a root key can be neither created nor deleted".to_owned();
                return Err(WriteError::Unsupported { place: change.key.to_string(), detail });
            }
            precondition::before(change, |query| {
                facts.answer(query, |what| format!("kbfix did not read {what} before the change"))
            })?;
            orders.push(order(change, &facts));
            facts.apply(change);
        }
        Ok(orders)
    }

    fn whole(&self, trouble: Trouble) -> WriteError {
        let place = self.host.to_string();
        match trouble {
            Trouble::Denied(_) => WriteError::Denied { place },
            other => WriteError::Io { place, source: io::Error::other(other) },
        }
    }
}

/// Returns one question for each key that is changed, and for the parent of each such key.
fn questions(changes: &[KeyChange]) -> Vec<KeyQuery> {
    let mut asked: BTreeMap<&Key, (BTreeSet<ValueName>, bool)> = BTreeMap::new();
    let parents: Vec<Key> = changes.iter().filter_map(|change| change.key.parent()).collect();
    for change in changes {
        let (names, all) = asked.entry(&change.key).or_default();
        names.extend(change.values.iter().map(|value| value.name.clone()));
        *all |= change.action == ChangeAction::Delete;
    }
    for parent in &parents {
        asked.entry(parent).or_default();
    }
    let query = |(key, (names, all)): (&Key, (_, bool))| KeyQuery {
        key: key.clone(),
        values: if all { ValueSelection::All } else { ValueSelection::Names(names) },
        subkeys: all,
    };
    asked.into_iter().map(query).collect()
}

/// Returns the request that makes a change. In the request, value names are spelled as in `facts`, and so usually as on
/// the machine: a machine with Samba would change the spelling to that of the request, while Windows would keep it.
fn order(change: &KeyChange, facts: &Facts) -> Order {
    let spelled = |name: &ValueName| facts.spelled(&change.key, name).unwrap_or(name).as_str().to_owned();
    let setting = |value: &crate::targets::ValueChange| Setting {
        name: spelled(&value.name),
        value_type: value.after.as_ref().map_or(0, |data| data.value_type.0),
        bytes: value.after.as_ref().map(|data| notation::hex_digits(&data.bytes)),
    };
    // The values of a deleted key are deleted together with the key.
    let values = match change.action {
        ChangeAction::Delete => Vec::new(),
        _ => change.values.iter().map(setting).collect(),
    };
    let properties = change.properties.clone().filter(|_| change.action == ChangeAction::Create);
    // If the parent key is shared by both views, the protocol cannot express which view the key to delete is in.
    let is_held_by_the_other_view = change.key.parent().is_some_and(|above| above.view != change.key.view);
    let place =
        if is_held_by_the_other_view { Place::new(&Key::new(change.key.stored())) } else { Place::new(&change.key) };
    Order { place, action: change.action, properties, values }
}
