//! Answers questions about keys from facts that were read earlier, instead of reading a target.

use crate::targets::{Answer, Facts, KeyFacts, KeyQuery, Reason, ValueSelection};

impl Facts {
    /// Answers the query from these facts. If the facts do not cover the key, or all its values although the query asks
    /// for them, the whole answer is unknown. If they do not cover a named value or the subkeys, only the answer about
    /// these is unknown. `uncovered` gets the name of what is not covered, and returns the reason as a sentence.
    pub(in crate::targets) fn answer(&self, query: &KeyQuery, uncovered: impl Fn(&str) -> String) -> Answer<KeyFacts> {
        let not_covered = |what: &str| Answer::unread(Reason::Unknown, uncovered(what));
        let place = query.key.to_string();
        let Some(there) = self.key(&query.key) else { return not_covered(&place) };
        let mut found = KeyFacts::default();
        match there {
            Answer::Absent => return Answer::Absent,
            Answer::Unread(why) if why.reason == Reason::NotConfigured => found.unsure = Some(why),
            Answer::Unread(why) => return Answer::Unread(why),
            Answer::Present(()) => {}
        }
        match &query.values {
            ValueSelection::Names(names) => {
                for name in names {
                    let value = self
                        .value(&query.key, name)
                        .unwrap_or_else(|| Answer::unread(Reason::Unknown, uncovered(&format!("{place} {name:?}"))));
                    found.values.insert(self.spelled(&query.key, name).unwrap_or(name).clone(), value);
                }
            }
            ValueSelection::All => match self.all_values(&query.key) {
                Some(Answer::Present(values)) => {
                    found.values = values;
                    found.values.extend(self.deleted_values(&query.key));
                    found.properties = self.properties(&query.key);
                }
                Some(other) => return other.map(|_| KeyFacts::default()),
                None => return not_covered(&format!("all values of {place}")),
            },
        }
        if query.subkeys {
            let unlisted = || Answer::unread(Reason::Unknown, uncovered(&format!("the subkeys of {place}")));
            found.subkeys = Some(self.subkeys(&query.key).unwrap_or_else(unlisted));
        }
        Answer::Present(found)
    }
}
