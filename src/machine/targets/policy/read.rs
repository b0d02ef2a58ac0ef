//! Answers queries about policy stores from their files.

use std::collections::HashMap;

use crate::{
    format::pol,
    targets::{Answer, KeyFacts, KeyQuery, TargetError},
};

use super::{
    Place, PolicyFacts, PolicyQuery, PolicyStore, StoreFacts,
    evaluate::{self, Entries},
    places,
};

/// Gives the code that reads policy stores access to the keys and files of a target.
pub(in crate::targets) trait Stores {
    /// Answers a query about a key below `HKLM`.
    fn key(&mut self, query: &KeyQuery) -> Result<Answer<KeyFacts>, TargetError>;

    /// Returns the bytes of the file `place.below` in the folder with the path `folder` on the machine; absent if the
    /// file does not exist, and unread if it cannot be read or has more than `most` bytes.
    fn bytes(&mut self, place: &Place, folder: &str, most: u64) -> Result<Answer<Vec<u8>>, TargetError>;
}

/// The maximum size, in bytes, of a policy store's file that kbfix reads.
const MOST: u64 = pol::MAX_FILE as u64;

/// Answers each query, in the same order. A policy store that applies to several users is read only once.
pub(in crate::targets) fn read(
    queries: &[PolicyQuery],
    stores: &mut impl Stores,
) -> Result<Vec<PolicyFacts>, TargetError> {
    let mut shared: HashMap<String, Answer<Entries>> = HashMap::new();
    let mut all = Vec::with_capacity(queries.len());
    for query in queries {
        let mut found = Vec::new();
        for place in places::places(|query: &KeyQuery| stores.key(query), &query.scope)? {
            let path = place.path();
            let is_shared = !matches!(place.store, PolicyStore::User | PolicyStore::Applied);
            let entries = match shared.remove(&path) {
                Some(known) => known,
                None => match &place.folder {
                    Ok(Some(folder)) => {
                        stores.bytes(&place, folder, MOST)?.and_then(|bytes| Entries::parse(&path, &query.scope, bytes))
                    }
                    Ok(None) => Answer::Absent,
                    Err(why) => Answer::Unread(why.clone()),
                },
            };
            let settings = entries.as_ref().map(|entries| evaluate::settings(entries, query));
            found.push(StoreFacts { store: place.store, path: path.clone(), found: settings });
            if is_shared {
                shared.insert(path, entries);
            }
        }
        let PolicyQuery { scope, values } = query.clone();
        all.push(PolicyFacts { scope, asked: values, uncovered: Default::default(), stores: found });
    }
    Ok(all)
}
