//! Reads keys of a remote machine: converts questions into requests, and responses into answers.

use std::collections::BTreeSet;

use crate::{
    registry::{
        Data, Key, KeyName, KeyProperties, LINK_VALUE, RootKey, SecurityDescriptor, ValueName, ValueType, notation,
    },
    targets::{Answer, KeyFacts, KeyQuery, Reason, Unread, ValueSelection, control_set, hku},
};

use super::{
    Connection, Trouble,
    protocol::{Fault, Found, FoundProperties, Place, Question},
};

/// Windows' error codes. Source: Microsoft, "System Error Codes".
mod code {
    pub(super) const FILE_NOT_FOUND: u32 = 2;
    pub(super) const PATH_NOT_FOUND: u32 = 3;
    pub(super) const ACCESS_DENIED: u32 = 5;
    pub(super) const NOT_SUPPORTED: u32 = 50;
    pub(super) const FILENAME_EXCED_RANGE: u32 = 206;
    pub(super) const BADDB: u32 = 1009;
    pub(super) const BADKEY: u32 = 1010;
    pub(super) const REGISTRY_CORRUPT: u32 = 1015;
    pub(super) const REGISTRY_IO_FAILED: u32 = 1016;
    pub(super) const NOT_REGISTRY_FILE: u32 = 1017;
    pub(super) const KEY_DELETED: u32 = 1018;
    pub(super) const PRIVILEGE_NOT_HELD: u32 = 1314;
}

impl Fault {
    /// Returns whether the error code means that the key or value does not exist.
    pub(super) fn is_absent(&self) -> bool {
        matches!(self.code, code::FILE_NOT_FOUND | code::PATH_NOT_FOUND | code::KEY_DELETED)
    }

    /// Returns whether the error code means that the account lacks a right or privilege.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self.code, code::ACCESS_DENIED | code::PRIVILEGE_NOT_HELD)
    }

    fn answer<T>(&self) -> Answer<T> {
        if let Some(link) = &self.link {
            return Answer::Unread(link.unread());
        }
        let reason = match self.code {
            _ if self.is_absent() => return Answer::Absent,
            _ if self.is_denied() => Reason::Denied,
            code::BADDB
            | code::BADKEY
            | code::REGISTRY_CORRUPT
            | code::REGISTRY_IO_FAILED
            | code::NOT_REGISTRY_FILE => Reason::Malformed,
            code::FILENAME_EXCED_RANGE | code::NOT_SUPPORTED => Reason::Unsupported,
            // Any other error proves neither that the item exists nor that it does not.
            _ => Reason::Unknown,
        };
        Answer::unread(reason, format!("the machine reported the error {} ({})", self.text, self.code))
    }
}

impl Connection {
    /// Answers each question about a key, in the same order.
    ///
    /// # Errors
    /// Returns an error if the remote machine as a whole cannot be read.
    pub(super) fn read(&self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, Trouble> {
        let asked: Vec<&KeyQuery> = queries.iter().filter(|query| !is_callers_own(query)).collect();
        let questions: Vec<Question> = asked.iter().map(|query| question(query)).collect();
        let mut found = if questions.is_empty() { Vec::new() } else { self.ask(&questions)? }.into_iter();
        let mut answers = Vec::new();
        for query in queries {
            answers.push(match is_callers_own(query) {
                true => Answer::unread(
                    Reason::Unknown,
                    "on another machine, HKCU is the hive of the account that kbfix \
                        logs on with; use HKU and the user's SID",
                ),
                false => found.next().map_or_else(missing, |found| answer(query, found)),
            });
        }
        self.tell_unloaded_hives(queries, &mut answers)?;
        Ok(answers)
    }

    /// Returns the number of the control set to which the key `CurrentControlSet` leads. The answer is absent if the
    /// key is not a link, and malformed if the link does not lead to a control set.
    ///
    /// # Errors
    /// Returns an error if the remote machine as a whole cannot be read.
    pub(super) fn control_set(&self) -> Result<Answer<u16>, Trouble> {
        let (Ok(path), Ok(name)) = (r"HKLM\SYSTEM\CurrentControlSet".parse(), ValueName::new(LINK_VALUE)) else {
            return Ok(missing());
        };
        let names = ValueSelection::Names(BTreeSet::from([name]));
        let query = KeyQuery { key: Key::new(path), values: names, subkeys: false };
        let found = self.ask(&[Question { itself: true, ..question(&query) }])?.into_iter().next();
        let facts = match found.map_or_else(missing, |found| answer(&query, found)) {
            Answer::Present(facts) => facts,
            Answer::Absent => return Ok(Answer::Absent),
            Answer::Unread(why) => return Ok(Answer::Unread(why)),
        };
        Ok(match facts.values.into_iter().next().map(|(_, answer)| answer) {
            Some(Answer::Present(link)) => control_set::of_link(&link),
            Some(Answer::Unread(why)) => Answer::Unread(why),
            Some(Answer::Absent) | None => Answer::Absent,
        })
    }

    /// Changes an answer from absent to unknown if the key is in a user's hive that the remote machine has not
    /// loaded. Keys in such a hive cannot be read remotely.
    fn tell_unloaded_hives(&self, queries: &[KeyQuery], answers: &mut [Answer<KeyFacts>]) -> Result<(), Trouble> {
        let mut users = Vec::new();
        for (at, query) in queries.iter().enumerate() {
            if answers[at] == Answer::Absent
                && let Some(hive) = hku::of_a_user(&query.key.path)
            {
                users.push((
                    at,
                    KeyQuery { key: hive, values: ValueSelection::Names(Default::default()), subkeys: false },
                ));
            }
        }
        if users.is_empty() {
            return Ok(());
        }
        let found = self.ask(&users.iter().map(|(_, query)| question(query)).collect::<Vec<_>>())?;
        for ((at, hive), found) in users.iter().zip(found) {
            if answer(hive, found) == Answer::Absent {
                let detail =
                    format!("the user hive of {} is not loaded, and cannot be read over the network", queries[*at].key);
                answers[*at] = Answer::unread(Reason::Unknown, detail);
            }
        }
        Ok(())
    }
}

fn missing<T>() -> Answer<T> {
    Answer::unread(Reason::Unknown, "the machine did not answer this query")
}

fn is_callers_own(query: &KeyQuery) -> bool {
    query.key.path.root() == RootKey::Hkcu
}

fn question(query: &KeyQuery) -> Question {
    let names = match &query.values {
        ValueSelection::All => None,
        ValueSelection::Names(names) => Some(names.iter().map(|name| name.as_str().to_owned()).collect()),
    };
    Question { place: Place::new(&query.key), names, subkeys: query.subkeys, itself: false }
}

fn answer(query: &KeyQuery, found: Found) -> Answer<KeyFacts> {
    if let Some(fault) = &found.error {
        return fault.answer();
    }
    contents(query, found).map_or_else(Answer::Unread, Answer::Present)
}

fn contents(query: &KeyQuery, found: Found) -> Result<KeyFacts, Unread> {
    let unsupported = |name: &str| {
        Unread::new(Reason::Unsupported, format!("kbfix cannot express the name {name:?} in {}", query.key))
    };
    let mut facts = KeyFacts::default();
    for value in found.values {
        let name = ValueName::new(value.name.as_str()).map_err(|_| unsupported(&value.name))?;
        if let ValueSelection::Names(names) = &query.values
            && !names.contains(&name)
        {
            continue;
        }
        let answer = match (&value.error, notation::parse_hex_digits(&value.bytes)) {
            (Some(fault), _) => fault.answer(),
            (None, Some(bytes)) => Answer::Present(Data::new(ValueType(value.value_type), bytes)),
            (None, None) => missing(),
        };
        facts.values.insert(name, answer);
    }
    if let ValueSelection::Names(names) = &query.values {
        for name in names {
            if !facts.values.contains_key(name) {
                facts.values.insert(name.clone(), Answer::Absent);
            }
        }
    }
    facts.properties = found.properties.map(properties);
    if query.subkeys {
        let names = found.subkeys.unwrap_or_default();
        let names: Result<_, _> = names.iter().map(|n| KeyName::new(n.as_str()).map_err(|_| unsupported(n))).collect();
        facts.subkeys = Some(names.map_or_else(Answer::Unread, Answer::Present));
    }
    Ok(facts)
}

fn properties(found: FoundProperties) -> Answer<KeyProperties> {
    let (class, security) = match found {
        FoundProperties::Unread { error } => return error.answer(),
        FoundProperties::Read { class, security } => (Some(class).filter(|class| !class.is_empty()), security),
    };
    match notation::parse_hex_digits(&security).map(SecurityDescriptor::new) {
        Some(Ok(security)) => Answer::Present(KeyProperties { class, security }),
        Some(Err(why)) => Answer::unread(Reason::Malformed, why),
        None => missing(),
    }
}
