//! Observation: reads the requested facts from a target, in few batches.
//!
//! Which facts are needed can depend on other facts: a registry value can contain the folder of a file, and `*` matches
//! the subkeys that exist. So code that needs facts queries a [`Reader`], which records every query that it cannot
//! answer yet. [`observe()`] reads the answers to these queries together, and runs the code again, until the reader can
//! answer every query. So the code that makes a plan also decides what is read.

mod limits;
mod missing;
mod planned;
mod policies;
mod query;
mod reader;

use std::collections::BTreeMap;

use crate::{
    registry::Key,
    targets::{Answer, Facts, KeyChange, PolicyQuery, PolicyStores, Target, TargetError},
};
use limits::{Limits, PATHS, asked_for};
use missing::Ask;

pub(crate) use limits::MOST_KEYS;
pub use policies::Told;
pub(crate) use query::{AnswerDigest, Query};
pub(crate) use reader::NOT_READ;
pub use reader::{KeyImage, Reader, Reads};

/// The highest number of rounds of one observation. In each round, the code that queries facts runs once, and the facts
/// that it lacks are read.
///
/// What a round reads can depend on the facts of the round before: a value contains the folder of a file, or a `*`
/// matches the keys to read next. A whole tree of keys takes one round, whatever its depth.
const MOST_QUESTIONS: usize = 600;

/// Runs `ask`, which queries facts from a [`Reader`], and reads these facts from the target. Repeats this until `ask`
/// makes no query without an answer, and returns the facts.
///
/// # Errors
///
/// Returns [`TargetError`] if the target as a whole cannot be read, if it contains more of the requested facts than
/// kbfix reads, or if there are too many queries or repetitions.
pub fn observe(target: &mut dyn Target, ask: impl FnMut(&Reader<'_>)) -> Result<Facts, TargetError> {
    observe_within(Limits::MOST, Facts::default(), target, ask)
}

/// Reads facts like [`observe`], but first reads all keys and files in `like` from the target.
///
/// `like` contains the facts of another target for the same queries. So most queries can be answered after this first
/// batch.
///
/// # Errors
///
/// Returns [`TargetError`] like [`observe`].
pub(crate) fn observe_like(
    like: &Facts,
    target: &mut dyn Target,
    ask: impl FnMut(&Reader<'_>),
) -> Result<Facts, TargetError> {
    observe_within(Limits::MOST, read_again(target, like)?, target, ask)
}

/// Reads facts like [`observe`], for code that queries the keys and values in `changes`.
///
/// # Errors
///
/// Returns [`TargetError`] like [`observe`]. The limits are raised, so that `changes` alone cannot exceed them.
pub fn observe_changed(
    target: &mut dyn Target,
    changes: &[KeyChange],
    ask: impl FnMut(&Reader<'_>),
) -> Result<Facts, TargetError> {
    observe_within(Limits::MOST.and(changes), Facts::default(), target, ask)
}

fn observe_within(
    most: Limits,
    mut facts: Facts,
    target: &mut dyn Target,
    mut ask: impl FnMut(&Reader<'_>),
) -> Result<Facts, TargetError> {
    let mut left = most;
    for _ in 0..MOST_QUESTIONS {
        let missing = {
            let has_stores = target.policy_stores() == PolicyStores::Here;
            let reader = Reader::new(&facts).with_policies(has_stores).through_policy(target.through_policy());
            ask(&reader);
            reader.missing.into_inner()
        };
        if missing.is_empty() {
            return Ok(facts);
        }
        let queries = missing.policies.into_iter().map(|(scope, values)| PolicyQuery { scope, values });
        read_policies_into(&mut facts, target, &queries.collect::<Vec<_>>(), &mut left)?;
        let files: Vec<_> = missing.files.into_iter().collect();
        let mut level = missing.keys;
        read_files_into(&mut facts, target, &files)?;
        while !level.is_empty() {
            let keys = |which: fn(&Ask) -> bool| -> Vec<Key> {
                level.iter().filter(|(_, ask)| which(ask)).map(|(key, _)| key.clone()).collect()
            };
            let (trees, to_create) = (keys(|ask| ask.tree), keys(|ask| ask.above));
            let queries: Vec<_> = level.into_iter().map(|(key, ask)| ask.about(key)).collect();
            if let Err(what) = left.take(&queries, most) {
                return Err(too_much(target, &what));
            }
            let answers = target.read_keys(&queries)?;
            if let Err(what) = left.take_found(&answers, most) {
                return Err(too_much(target, &what));
            }
            queries.iter().zip(answers).for_each(|(query, answer)| facts.record_key(query, answer));
            level = below(&trees, &facts, left.paths).ok_or_else(|| too_much(target, &asked_for(most.paths, PATHS)))?;
            above(&to_create, &facts, &mut level);
        }
    }
    let detail = format!(
        "after {MOST_QUESTIONS} rounds of reading, the specs still needed more facts; each round depended on the one before"
    );
    Err(TargetError::TooMuch { what: target.uri(), detail })
}

/// Returns the queries for the keys directly below `trees`, without keys whose facts are already known, and without
/// links, which are not part of a tree. Returns `None` if the paths of all keys directly below `trees` have more than
/// `most` bytes together.
fn below(trees: &[Key], facts: &Facts, most: usize) -> Option<BTreeMap<Key, Ask>> {
    let mut level = BTreeMap::new();
    let mut left = most;
    for tree in trees {
        let Some(Answer::Present(names)) = facts.subkeys(tree) else { continue };
        // Check the size before building any path.
        let paths = names.iter().map(|name| tree.path.below_root().len() + name.as_str().len()).sum();
        left = left.checked_sub(paths)?;
        let one_view = tree.is_of_one_view();
        for name in names {
            let key = tree.child(&name);
            let known = facts.all_values(&key).is_some() && facts.subkeys(&key).is_some();
            if !known && key.one_name(one_view) == key {
                level.insert(key, Ask::tree());
            }
        }
    }
    Some(level)
}

/// Adds to `level` a query for the parent of each absent key in `keys`, unless the facts already contain this parent.
fn above(keys: &[Key], facts: &Facts, level: &mut BTreeMap<Key, Ask>) {
    let mut last = None;
    for key in keys.iter().filter(|key| facts.known_key(key).existence() == Some(Answer::Absent)) {
        // A key that differs between the two views can be below a key that both views share.
        let Some(parent) = key.canonical_parent() else { continue };
        // The keys are sorted, so keys with the same parent follow each other.
        if last.as_ref() != Some(&parent) && facts.known_key(&parent).existence().is_none() {
            level.entry(parent.clone()).or_insert_with(Ask::above);
        }
        last = Some(parent);
    }
}

fn too_much(target: &dyn Target, what: &str) -> TargetError {
    let detail = format!(
        "{what}; the specs select too much, or the target is damaged or was crafted to exhaust the memory of kbfix"
    );
    TargetError::TooMuch { what: target.uri(), detail }
}

/// Reads everything in `facts` from the target again.
///
/// # Errors
///
/// Returns [`TargetError`] if the target as a whole cannot be read, or if its policy stores contain too much.
pub fn observe_again(target: &mut dyn Target, facts: &Facts) -> Result<Facts, TargetError> {
    let mut now = read_again(target, facts)?;
    read_policies_into(&mut now, target, &facts.policy_questions(), &mut Limits::MOST.clone())?;
    Ok(now)
}

/// Reads the keys and files in `facts` from the target again.
fn read_again(target: &mut dyn Target, facts: &Facts) -> Result<Facts, TargetError> {
    let (queries, files) = facts.questions();
    let mut now = Facts::default();
    if !queries.is_empty() {
        for (query, answer) in queries.iter().zip(target.read_keys(&queries)?) {
            now.record_key(query, answer);
        }
    }
    read_files_into(&mut now, target, &files)?;
    Ok(now)
}

fn read_policies_into(
    facts: &mut Facts,
    target: &mut dyn Target,
    queries: &[PolicyQuery],
    left: &mut Limits,
) -> Result<(), TargetError> {
    if !queries.is_empty() {
        let answers = target.read_policies(queries)?;
        left.take_policies(&answers).map_err(|what| too_much(target, &what))?;
        answers.into_iter().for_each(|answer| facts.record_policies(answer));
    }
    Ok(())
}

fn read_files_into(facts: &mut Facts, target: &mut dyn Target, files: &[String]) -> Result<(), TargetError> {
    if !files.is_empty() {
        for (path, answer) in files.iter().zip(target.read_files(files)?) {
            facts.record_file(path, answer);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::{Address, ChangeAction, open};

    /// Observes a tree of three keys, with paths of 3, 4 and 5 names, with these limits. Returns whether the subkeys of
    /// the top key were read.
    fn observed(most: Limits) -> Result<bool, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machine.reg");
        let key = r"[HKEY_LOCAL_MACHINE\SOFTWARE\Vendor\Top";
        let text = format!("REGEDIT4\r\n\r\n{key}]\r\n\"v\"=\"x\"\r\n{key}\\a]\r\n{key}\\a\\b]\r\n");
        std::fs::write(&file, text).unwrap();
        let address = Address::new(&format!("reg:{}", file.display()), None, None).unwrap();
        let top: Key = r"HKLM\SOFTWARE\Vendor\Top".parse().unwrap();
        let facts =
            observe_within(most, Facts::default(), open(&address).unwrap().as_mut(), |reader| drop(reader.tree(&top)));
        facts.map(|facts| facts.subkeys(&top).is_some()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_keys_above_an_absent_key_are_read_with_it_and_no_further_than_the_first_that_exists() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machine.reg");
        std::fs::write(&file, "REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor]\r\n").unwrap();
        let address = Address::new(&format!("reg:{}", file.display()), None, None).unwrap();
        let key = |path: &str| -> Key { path.parse().unwrap() };
        let mut passes = 0;
        let facts = observe(open(&address).unwrap().as_mut(), |reader| {
            passes += 1;
            for name in [r"a\b\c", r"a\b\d", r"a\e"] {
                let _ = reader.key_to_create(&key(&format!(r"HKLM\SOFTWARE\Vendor\{name}")));
            }
        });
        let facts = facts.unwrap();
        let read = |path: &str| facts.known_key(&key(path)).existence();
        assert_eq!(passes, 2);
        for absent in [r"a\b\c", r"a\b\d", r"a\b", r"a\e", "a"] {
            assert_eq!(read(&format!(r"HKLM\SOFTWARE\Vendor\{absent}")), Some(Answer::Absent), "{absent}");
        }
        assert_eq!(read(r"HKLM\SOFTWARE\Vendor"), Some(Answer::Present(())));
        assert_eq!(read(r"HKLM\SOFTWARE"), None);
    }

    #[test]
    fn a_tree_below_wow6432node_of_32_bit_windows_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machine.reg");
        let node = r"SOFTWARE\Wow6432Node";
        let keys = ["", r"\a", r"\a\b", r"\Policies", r"\Policies\a", r"\Policies\a\b"];
        let lines = keys.map(|key| format!("[HKEY_LOCAL_MACHINE\\{node}{key}]\r\n"));
        std::fs::write(&file, format!("REGEDIT4\r\n\r\n{}", lines.concat())).unwrap();
        let address = Address::new(&format!("reg:{}", file.display()), None, None).unwrap();
        for top in [r"a", r"Policies\a"] {
            let top: Key = format!("HKLM\\{node}\\{top}").parse().unwrap();
            let mut found = Err(String::new());
            observe(open(&address).unwrap().as_mut(), |reader| {
                found = reader.tree(&top).map(|keys| keys.len()).map_err(|why| why.to_string());
            })
            .unwrap();
            assert_eq!(found, Ok(2), "{top}");
        }
    }

    #[test]
    fn a_key_that_was_queried_several_times_is_noted_once() {
        let facts = Facts::default();
        let (reader, key) = (Reader::new(&facts), r"HKLM\SOFTWARE\Vendor".parse().unwrap());
        let (_, reads) = reader.logged(|| (reader.key(&key), reader.subkeys(&key)));
        let reads = reads.unwrap();
        assert_eq!((reads.keys().count(), reads.lists().count()), (1, 1));
    }

    #[test]
    fn what_is_asked_has_a_limit() {
        let enough = Limits { keys: 3, names: 12, paths: 1000, found: 7, listed: 2, ..Limits::MOST };
        assert_eq!(observed(enough), Ok(true));
        for (most, word) in [
            (Limits { keys: 2, ..enough }, "more than 2 keys"),
            (Limits { names: 11, ..enough }, "more than 11 names"),
            (Limits { paths: 30, ..enough }, "more than 30 bytes"),
            (Limits { paths: 10, ..enough }, "more than 10 bytes"),
            (Limits { found: 6, ..enough }, "more than 6 keys and values"),
            (Limits { listed: 1, ..enough }, "more than 1 names of subkeys"),
        ] {
            let error = observed(most).unwrap_err();
            assert!(error.contains(word) && error.contains("exhaust the memory"), "{error}");
        }
    }

    #[test]
    fn what_changes_name_is_never_too_much_to_read_back() {
        let least = Limits { keys: 1, names: 1, paths: 1, found: 1, listed: 1, ..Limits::MOST };
        let changes: Vec<KeyChange> = [r"HKLM\SOFTWARE\Vendor\Top", r"HKLM\SOFTWARE\Vendor\Top\a"]
            .map(|key| KeyChange::new(key.parse().unwrap(), ChangeAction::Create, Vec::new()))
            .into();
        assert!(observed(least.and(&changes[..1])).is_err(), "a tree below the one changed key");
        let below = r"HKLM\SOFTWARE\Vendor\Top\a\b".parse().unwrap();
        let all = [changes, vec![KeyChange::new(below, ChangeAction::Create, Vec::new())]].concat();
        assert_eq!(observed(least.and(&all)), Ok(true));
    }
}
