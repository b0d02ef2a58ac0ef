//! Detects from the registry whether the machine is already waiting for a restart.
//!
//! Windows cannot replace a file that is in use. Therefore an installer requests that the file is moved when Windows
//! starts next, and the registry contains this request. Until then, an installed hotfix can look as if it were missing.
//!
//! Only the facts that a spec needs are read. The signs of a restart (keys that exist while Windows waits for one) are
//! read if the spec is applicable, and has a hotfix or may require a restart of the computer. The list of requested
//! moves, which changes often, is read only if a file of the hotfix is missing or too old.
//!
//! Sources: Microsoft, "MoveFileExA function" (`PendingFileRenameOperations`), and KB202071 for a move without
//! `MOVEFILE_REPLACE_EXISTING` to a file that exists. Two details are inferred from what Windows writes: `!` means that
//! flag, and `*` with a number is an internal mark of Windows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Check, Part, SpecPlan, Truth, condition, evidence,
    expand::{self, Resolved},
    lookup,
};
use crate::{
    observe::Reader,
    registry::{Data, Decoded, name::folded},
    spec::{Spec, document::ComputerRestart, model::HotfixFile},
    targets::{Answer, FileFacts, Unread},
};

/// The keys that exist while Windows waits for a restart.
const SIGNS: [&str; 2] = [
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
];

const SESSION_MANAGER: &str = r"SYSTEM\CurrentControlSet\Control\Session Manager";

/// The values that list the file moves of the next start, in the order in which Windows makes these moves.
const MOVES: [&str; 2] = ["PendingFileRenameOperations", "PendingFileRenameOperations2"];

/// The facts in the registry that show whether the machine is already waiting for a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PendingRestart {
    /// The existing keys which show that Windows waits for a restart. A key that could not be read is in `unread`.
    pub signs: Vec<String>,
    /// The missing or insufficient files of the hotfix that the next start of the computer replaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<ReplacedFile>,
    /// The facts that could not be read, each with the reason. If there are any, the machine may be waiting for a
    /// restart even if nothing else here shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// A file of a hotfix that the next start of the computer replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplacedFile {
    /// The path of the file on the target.
    pub path: String,
    /// The path of the file that will replace the hotfix's file.
    pub from: String,
    /// The version of the replacing file, or the reason why there is no version or it is not known.
    pub found: String,
    /// Whether the version and the processor of the replacing file are sufficient for the hotfix.
    pub result: Truth,
}

impl PendingRestart {
    /// Returns whether one of the `signs` exists, or the next start replaces a file with one that may be sufficient.
    pub fn is_pending(&self) -> bool {
        !self.signs.is_empty() || self.replaced.iter().any(|file| file.result != Truth::Unmet)
    }

    /// Combines the pending restarts that several specs found; `None` if `each` is empty.
    pub fn together<'a>(each: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        each.into_iter().fold(None, |all: Option<Self>, one| {
            let mut all = all.unwrap_or_default();
            add(&mut all.signs, &one.signs);
            add(&mut all.replaced, &one.replaced);
            add(&mut all.unread, &one.unread);
            Some(all)
        })
    }

    /// Returns a sentence that says for what the machine is waiting; `None` if [`is_pending`](Self::is_pending) is
    /// false.
    pub fn sentence(&self) -> Option<String> {
        let signs = self.signs.iter().map(|sign| format!("{sign} exists"));
        let files = self.replaced.iter().filter(|file| file.result != Truth::Unmet);
        let all: Vec<_> = signs.chain(files.map(|file| format!("the restart replaces {}", file.path))).collect();
        (!all.is_empty()).then(|| format!("this machine is already waiting for a restart: {}", all.join("; ")))
    }

    /// Returns whether the next start of the computer replaces every missing or old file of the hotfix with a
    /// sufficient one. A replacing file whose version cannot be read is assumed to be sufficient. Returns `false` if no
    /// file is missing or old, or if this is not known of one of the files.
    pub(super) fn installs(&self, checks: &[Check]) -> bool {
        let of_hotfix = || checks.iter().filter(|check| check.part == Part::Hotfix && check.result != Truth::Met);
        let is_replaced = |check: &Check| {
            let path = check.evidence.first().map_or("", |evidence| &evidence.place);
            let replaced = self.replaced.iter().find(|file| folded(&file.path) == folded(path));
            check.result == Truth::Unmet && replaced.is_some_and(|file| file.result != Truth::Unmet)
        };
        of_hotfix().next().is_some() && of_hotfix().all(is_replaced)
    }
}

impl ReplacedFile {
    /// Returns a sentence that names the file with which the next start replaces the file at `path`, and says whether
    /// this other file is sufficient.
    pub fn sentence(&self) -> String {
        let Self { path, from, found, result } = self;
        match result {
            Truth::Met => format!("{path}: the next start replaces this file with {from}, which is {found}"),
            Truth::Unknown => {
                format!("{path}: the next start replaces this file with {from}, whose version is not known: {found}")
            }
            Truth::Unmet => format!(
                "{path}: {from}, which should replace this file at the next start, is not sufficient \
                either: {found}"
            ),
        }
    }
}

fn add<T: Clone + PartialEq>(all: &mut Vec<T>, new: &[T]) {
    for one in new {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

/// Reads the facts about pending restarts that the spec needs. Returns `None` if the spec needs no such facts, or if it
/// is not known that the spec is applicable.
pub(super) fn of(spec: &Spec, checks: &[Check], reader: &Reader<'_>) -> Option<PendingRestart> {
    let truth = |part: Part| Truth::all(checks.iter().filter(|check| check.part == part).map(|check| check.result));
    let asks = spec.hotfix.is_some() || spec.restart.computer != ComputerRestart::Never;
    if !asks || truth(Part::Applicable) != Truth::Met {
        return None;
    }
    let (signs, mut unread) = signs(reader);
    let mut replaced = Vec::new();
    if let Some(hotfix) = spec.hotfix.as_ref().filter(|_| truth(Part::Hotfix) == Truth::Unmet) {
        match moves(reader) {
            Err(why) => unread.push(format!(r"HKLM\{SESSION_MANAGER}: {why}")),
            Ok(moves) => {
                replaced.extend(hotfix.files.iter().filter_map(|file| replacement(file, &moves, spec, reader)))
            }
        }
    }
    Some(PendingRestart { signs, replaced, unread })
}

/// Returns the keys in [`SIGNS`] that exist, and a sentence about each that could not be read.
fn signs(reader: &Reader<'_>) -> (Vec<String>, Vec<String>) {
    let (mut signs, mut unread) = (Vec::new(), Vec::new());
    for below in SIGNS {
        match reader.key(&lookup::hklm(below)).known() {
            Ok(Some(())) => signs.push(format!(r"HKLM\{below}")),
            Ok(None) => {}
            Err(why) => unread.push(format!(r"HKLM\{below}: {why}")),
        }
    }
    (signs, unread)
}

fn replacement(file: &HotfixFile, moves: &[Move], spec: &Spec, reader: &Reader<'_>) -> Option<ReplacedFile> {
    let Ok(Resolved::Path(path)) = expand::path(&file.path, spec, reader) else { return None };
    if is_sufficient(&path, file, reader) {
        return None;
    }
    let (facts, from) = fate(&path, moves, reader)?;
    let (found, result) = match facts {
        // A move fails if its source does not exist, and leaves the destination as it is.
        Answer::Absent => ("absent".to_owned(), Truth::Unmet),
        Answer::Unread(why) => (why.to_string(), Truth::Unknown),
        Answer::Present(facts) => condition::present(&facts, Some(&file.version), file.platform),
    };
    Some(ReplacedFile { path, from, found, result })
}

/// Returns whether the file that is now at the path is known to be sufficient for the hotfix.
fn is_sufficient(path: &str, file: &HotfixFile, reader: &Reader<'_>) -> bool {
    matches!(reader.file(path), Answer::Present(facts)
        if condition::present(&facts, Some(&file.version), file.platform).1 == Truth::Met)
}

/// Returns the facts and the present path of the file that will be at `path` after the next start. Returns `None` if
/// the next start does not replace the file at `path`, or leaves no file there.
fn fate(path: &str, moves: &[Move], reader: &Reader<'_>) -> Option<(Answer<FileFacts>, String)> {
    let here = folded(path);
    moves.iter().find(|one| folded(&one.to) == here)?;
    let exists = !matches!(reader.file(path), Answer::Absent);
    // Maps each path that a move has changed to the file that is there after the move.
    let mut at: BTreeMap<Vec<u16>, Option<String>> = BTreeMap::new();
    let origin = |at: &BTreeMap<Vec<u16>, Option<String>>, path: &str| match at.get(&folded(path)) {
        Some(origin) => origin.clone(),
        None => Some(path.to_owned()),
    };
    for Move { from, to, replaces } in moves {
        let Some(file) = origin(&at, from) else { continue };
        let is_in_the_way = folded(to) == here && at.get(&here).map_or(exists, Option::is_some);
        if is_in_the_way && !replaces {
            continue;
        }
        at.insert(folded(from), None);
        if !to.is_empty() {
            at.insert(folded(to), Some(file));
        }
    }
    let from = at.remove(&here)??;
    (folded(&from) != here).then(|| (reader.file(&from), from))
}

/// A move of a file at the next start of Windows. If `to` is empty, Windows deletes the file instead.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Move {
    from: String,
    to: String,
    /// Whether the move may replace a file that exists at `to`.
    replaces: bool,
}

/// Reads the file moves that Windows makes when it starts next, in order.
fn moves(reader: &Reader<'_>) -> Result<Vec<Move>, Unread> {
    let read = |name: &str| lookup::read(SESSION_MANAGER, name, "a list of pairs of paths", parse, reader);
    // Request both before examining either, so that they are read in one batch.
    let both = MOVES.map(read);
    let mut all = Vec::new();
    for moves in both {
        all.extend(moves?.unwrap_or_default());
    }
    Ok(all)
}

fn parse(data: &Data) -> Option<Vec<Move>> {
    let Decoded::List(list) = data.decode() else { return None };
    let pairs = list.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    Some(
        pairs
            .map(|pair| Move { from: dos_path(&pair[0]), to: dos_path(&pair[1]), replaces: replaces(&pair[1]) })
            .collect(),
    )
}

/// Returns whether the destination `text` of a move has the mark `!` before its path, which allows the move to replace
/// a file.
fn replaces(text: &str) -> bool {
    text.split('\\').next().is_some_and(|marks| marks.contains('!'))
}

/// Converts a path of a requested move to the form that programs use: without marks (`!`, or `*` with a number), and
/// without the prefix `\??\` of the Windows object manager.
fn dos_path(text: &str) -> String {
    let path = text.trim_start_matches(|c: char| c == '!' || c == '*' || c.is_ascii_digit());
    let path = [r"\??\", r"\DosDevices\"].iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or(path);
    match path.strip_prefix(r"UNC\") {
        Some(share) => format!(r"\\{share}"),
        None => path.to_owned(),
    }
}

/// Returns a sentence if the pending restart in a plan contradicts the facts of the plan; `None` if it does not.
pub(super) fn fault(spec: &SpecPlan, reader: &Reader<'_>) -> Option<String> {
    let pending = spec.pending_restart.as_ref()?;
    if signs(reader).0 != pending.signs {
        return Some("`signs` of its pending restart differ from the facts of the plan".to_owned());
    }
    if pending.replaced.is_empty() {
        return None;
    }
    let moves = match moves(reader) {
        Ok(moves) => moves,
        Err(why) => return Some(format!("its facts do not say what the next start replaces: {why}")),
    };
    pending.replaced.iter().find_map(|file| {
        let told = fate(&file.path, &moves, reader).filter(|(_, from)| *from == file.from);
        let agrees = told.is_some_and(|(facts, _)| evidence::file(&facts).contains(&file.found));
        (!agrees).then(|| format!("its facts do not say that the next start replaces {} in this way", file.path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Facts;

    fn after_restart(moves: &[(&str, &str)], exists: bool) -> Option<String> {
        let path = r"C:\app\a.dll";
        let mut facts = Facts::default();
        let file = FileFacts { size: 1, platform: None, version: Answer::Absent };
        facts.record_file(path, if exists { Answer::Present(file) } else { Answer::Absent });
        let list = moves.iter().flat_map(|(from, to)| [*from, *to]);
        let moves = parse(&Data::multi_sz(list)).unwrap();
        fate(path, &moves, &Reader::new(&facts)).map(|(_, from)| from)
    }

    #[test]
    fn the_moves_of_a_start_are_followed_in_order() {
        let from = |text: &str| Some(text.to_owned());
        let replace = (r"\??\C:\app\new.tmp", r"!\??\c:\APP\a.dll");
        assert_eq!(after_restart(&[replace], true), from(r"C:\app\new.tmp"));
        assert_eq!(after_restart(&[(r"*1\??\C:\app\new.tmp", r"!*1\??\C:\app\A.DLL")], true), from(r"C:\app\new.tmp"));
        assert_eq!(after_restart(&[(r"\DosDevices\C:\n", r"!\DosDevices\C:\app\a.dll")], true), from(r"C:\n"));
        assert_eq!(after_restart(&[(r"\??\UNC\s\f\n", replace.1)], true), from(r"\\s\f\n"));
        // Without the mark, a move fails if the destination exists, and succeeds if an earlier move removed it.
        let bare = (r"\??\C:\app\new.tmp", r"\??\C:\app\a.dll");
        assert_eq!(after_restart(&[bare], true), None);
        assert_eq!(after_restart(&[bare], false), from(r"C:\app\new.tmp"));
        assert_eq!(after_restart(&[(r"\??\C:\app\a.dll", ""), bare], true), from(r"C:\app\new.tmp"));
        assert_eq!(after_restart(&[(r"\??\C:\app\a.dll", r"!\??\C:\app\old"), bare], true), from(r"C:\app\new.tmp"));
        // The last move counts, because a file that was moved or deleted before cannot be moved again.
        assert_eq!(after_restart(&[replace, (r"\??\C:\2", replace.1)], true), from(r"C:\2"));
        assert_eq!(after_restart(&[(replace.0, ""), replace], true), None);
        assert_eq!(after_restart(&[(r"\??\C:\1", r"!\??\C:\app\new.tmp"), replace], true), from(r"C:\1"));
        assert_eq!(after_restart(&[replace, (r"\??\C:\app\a.dll", "")], true), None);
        assert_eq!(after_restart(&[(r"\??\C:\app\a.dll", r"!\??\C:\t"), (r"\??\C:\t", replace.1)], true), None);
        assert_eq!(after_restart(&[(r"\??\C:\app\a.dll", r"!\??\C:\app\b.dll")], true), None);
        assert_eq!(after_restart(&[(r"\??\C:\x", r"!\??\D:\app\a.dll")], true), None);
    }

    #[test]
    fn what_is_no_list_of_pairs_is_malformed() {
        assert_eq!(parse(&Data::multi_sz([""; 0])), Some(Vec::new()));
        for data in
            [Data::multi_sz([r"\??\C:\a"]), Data::sz(r"\??\C:\a"), Data::new(Data::multi_sz(["a", ""]).value_type, [1])]
        {
            assert_eq!(parse(&data), None, "{data:?}");
        }
    }
}
