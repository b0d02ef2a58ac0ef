//! Evaluates conditions on the target and records the evidence.

use super::lookup;
use crate::{
    observe::Reader,
    registry::{Key, notation},
    spec::{
        Spec,
        model::{Branch, Condition, FilePattern, FileTest, KeyPattern, OtherValue, ValueAt, ValueTest, VersionTest},
    },
    targets::{Answer, FileFacts, Unread},
    version::{FileVersion, Platform},
};

use super::{
    Evidence, Truth,
    expand::{self, Resolved},
    os,
    value_test::{self, Other, Others},
};

impl Truth {
    pub(super) fn of(holds: bool) -> Self {
        if holds { Self::Met } else { Self::Unmet }
    }

    fn not(self) -> Self {
        match self {
            Self::Met => Self::Unmet,
            Self::Unmet => Self::Met,
            Self::Unknown => Self::Unknown,
        }
    }

    /// Returns unmet if any of the results is unmet; otherwise unknown if any is unknown; otherwise met.
    pub(super) fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        truths.into_iter().fold(Self::Met, |all, one| match (all, one) {
            (Self::Unmet, _) | (_, Self::Unmet) => Self::Unmet,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            _ => Self::Met,
        })
    }

    pub(super) fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        Self::all(truths.into_iter().map(Self::not)).not()
    }
}

/// Evaluates a condition and adds each fact that was tested to `evidence`.
///
/// `own` is the key to which the rule of the condition is applied; `None` if the condition belongs to no rule, or does
/// not depend on this key. All parts of the condition are evaluated, even if one of them decides the result, so that
/// their facts are read together.
pub(super) fn holds(
    condition: &Condition,
    own: Option<&Key>,
    spec: &Spec,
    reader: &Reader<'_>,
    evidence: &mut Vec<Evidence>,
) -> Truth {
    match condition {
        Condition::Key { key, exists } => over_keys(key, own, !exists, reader, evidence, |key| {
            let wanted = if *exists { "the key exists" } else { "the key is absent" };
            let answer = reader.key(key);
            let found = presence(&answer);
            (key.to_string(), wanted.to_owned(), found, known(answer, |there| there.is_some() == *exists))
        }),
        Condition::Value { at, test } => {
            let if_none = *test == ValueTest::Exists(false);
            over_keys(&at.key, own, if_none, reader, evidence, |key| value(key, own, at, test, reader))
        }
        Condition::File { path, test } => {
            let (one, planned_by) = reader.planned_by(|| file(path, test, spec, reader));
            let one = Evidence { planned_by, ..one };
            let truth = one.result;
            evidence.push(one);
            truth
        }
        Condition::Os(test) => {
            let at = evidence.len();
            let (truth, planned_by) = reader.planned_by(|| os::holds(test, reader, evidence));
            evidence[at..].iter_mut().for_each(|one| one.planned_by.clone_from(&planned_by));
            truth
        }
        Condition::All(conditions) => {
            let truths: Vec<_> = conditions.iter().map(|c| holds(c, own, spec, reader, evidence)).collect();
            Truth::all(truths)
        }
        Condition::Any(conditions) => {
            let truths: Vec<_> = conditions.iter().map(|c| holds(c, own, spec, reader, evidence)).collect();
            Truth::any(truths)
        }
        Condition::Not(condition) => {
            let at = evidence.len();
            let truth = holds(condition, own, spec, reader, evidence).not();
            for one in &mut evidence[at..] {
                one.wanted = format!("not: {}", one.wanted);
                one.result = one.result.not();
            }
            truth
        }
    }
}

/// Tests each key that a pattern matches, and adds each result to `evidence`. `test` returns four things: the place,
/// the wanted state, the found state and the result.
///
/// Returns met if at least one key passes the test; otherwise unknown if a key could not be tested or not all keys
/// could be found out; otherwise unmet. If no key matches the pattern, returns met if `if_none` is true, and otherwise
/// unmet.
fn over_keys(
    pattern: &KeyPattern,
    own: Option<&Key>,
    if_none: bool,
    reader: &Reader<'_>,
    evidence: &mut Vec<Evidence>,
    test: impl Fn(&Key) -> (String, String, String, Truth),
) -> Truth {
    let (expand::Found { keys, unread: others }, planned_by) =
        reader.planned_by(|| expand::keys_of(pattern, own, reader));
    if keys.is_empty() && others.is_empty() {
        let found = "no such key".to_owned();
        let wanted = if if_none { "absent" } else { "at least one key" }.to_owned();
        let result = Truth::of(if_none);
        evidence.push(Evidence { place: pattern.to_string(), wanted, found, result, planned_by });
        return result;
    }
    let mut truths = Vec::new();
    for key in &keys {
        let ((place, wanted, found, result), by) = reader.planned_by(|| test(key));
        truths.push(result);
        let planned_by = by.or_else(|| planned_by.clone());
        evidence.push(Evidence { place, wanted, found, result, planned_by });
    }
    for why in &others {
        truths.push(Truth::Unknown);
        evidence.push(unread(pattern.to_string(), "readable", why));
    }
    Truth::any(truths)
}

/// Reads the value with which a test compares another value. If the pattern of its key matches several keys, reads the
/// value in each of these keys.
fn other_value(other: &OtherValue, own: Option<&Key>, reader: &Reader<'_>) -> Others {
    let ValueAt { key: pattern, name } = &other.at;
    let not_read =
        |answer| Other { place: format!("{pattern} {}", notation::value_name(name)), answer, is_hidden: false };
    let read = |key: &Key| {
        let place = format!("{key} {}", notation::value_name(name));
        Other { place, answer: reader.value(key, name), is_hidden: reader.is_hidden(key, name) }
    };
    let found = expand::keys_of(pattern, own, reader);
    let mut all: Vec<Other> = found.keys.iter().map(read).collect();
    all.extend(found.unread.into_iter().map(|why| not_read(Answer::Unread(why))));
    if all.is_empty() {
        all.push(not_read(Answer::Absent));
    }
    Others { ignore_case: other.ignore_case, all }
}

fn value(
    key: &Key,
    own: Option<&Key>,
    at: &ValueAt,
    test: &ValueTest,
    reader: &Reader<'_>,
) -> (String, String, String, Truth) {
    let place = format!("{key} {}", notation::value_name(&at.name));
    let answer = reader.value(key, &at.name);
    let others = test.other().map(|other| other_value(other, own, reader));
    let is_hidden = reader.is_hidden(key, &at.name)
        || others.as_ref().is_some_and(|others| others.all.iter().any(|other| other.is_hidden));
    let found = match &answer {
        Answer::Present(data) if is_hidden => notation::message(Some(data), true),
        Answer::Present(data) => lookup::readable(data),
        other => presence(other),
    };
    let (wanted, truth) = value_test::judged(answer, test, others.as_ref());
    // Hide the wanted data as well, because together with the result it would reveal the data that was found.
    let wanted = match test {
        ValueTest::Exists(_) => wanted,
        _ if is_hidden => notation::HIDDEN.to_owned(),
        _ => wanted,
    };
    (place, wanted, found, truth)
}

/// Tests a file, and returns the evidence. The caller sets `planned_by` of the evidence.
pub(super) fn file(pattern: &FilePattern, test: &FileTest, spec: &Spec, reader: &Reader<'_>) -> Evidence {
    let mut wanted = match test {
        FileTest::Absent => "absent".to_owned(),
        FileTest::Present { version: Some(version), platform } => versions_wanted(version, None, *platform),
        FileTest::Present { version: None, platform } => format!("present{}", built_for(*platform)),
    };
    let place = match expand::path(pattern, spec, reader) {
        Ok(Resolved::Path(path)) => path,
        Ok(Resolved::NoFolder(why)) => {
            let result = Truth::of(*test == FileTest::Absent);
            let found = format!("no such folder: {why}");
            return Evidence { place: pattern.to_string(), wanted, found, result, planned_by: None };
        }
        Err(why) => return unread(pattern.to_string(), &wanted, &why),
    };
    let answer = reader.file(&place);
    let (found, result) = match answer {
        Answer::Absent => ("absent".to_owned(), Truth::of(*test == FileTest::Absent)),
        Answer::Unread(why) => (why.to_string(), Truth::Unknown),
        Answer::Present(facts) => match test {
            FileTest::Absent => ("present".to_owned(), Truth::Unmet),
            FileTest::Present { version, platform } => {
                if let Some(version) = version {
                    wanted = versions_wanted(version, known_version(&facts), *platform);
                }
                present(&facts, version.as_ref(), *platform)
            }
        },
    };
    Evidence { place, wanted, found, result, planned_by: None }
}

/// Tests the version and the processor of a file that exists; `None` allows any. Returns a description of the found
/// state, and the result.
pub(super) fn present(facts: &FileFacts, version: Option<&VersionTest>, platform: Option<Platform>) -> (String, Truth) {
    let found_platform = facts.platform.map_or("no platform".to_owned(), |p| p.to_string());
    let platform_holds = Truth::of(platform.is_none_or(|wanted| facts.platform == Some(wanted)));
    let (found, version_holds) = match (&facts.version, version) {
        (_, None) => ("present".to_owned(), Truth::Met),
        (Answer::Present(found), Some(test)) => (found.to_string(), Truth::of(version_will_do(*found, test))),
        (Answer::Absent, Some(_)) => ("no file version".to_owned(), Truth::Unmet),
        (Answer::Unread(why), Some(_)) => (why.to_string(), Truth::Unknown),
    };
    let shown = if platform.is_some() { format!("{found} ({found_platform})") } else { found };
    (shown, Truth::all([platform_holds, version_holds]))
}

/// Returns whether a file version is sufficient.
///
/// If the test has branches, only one of them counts: the branch with the highest lower limit that the found version
/// reaches. A higher version in another branch does not show that the file has the fix. If the found version is in no
/// branch, it is not sufficient.
fn version_will_do(found: FileVersion, test: &VersionTest) -> bool {
    match test {
        VersionTest::AtLeast(wanted) => found >= *wanted,
        VersionTest::Branches(branches) => branch_of(found, branches).is_some_and(|branch| found >= branch.version),
    }
}

fn branch_of(found: FileVersion, branches: &[Branch]) -> Option<&Branch> {
    branches.iter().filter(|branch| branch.from <= found).max_by_key(|branch| branch.from)
}

/// Describes the file versions and the processor that are sufficient. If `found` belongs to one of the branches, only
/// this branch is described.
pub(super) fn versions_wanted(test: &VersionTest, found: Option<FileVersion>, platform: Option<Platform>) -> String {
    let one = |branch: &Branch| match &branch.title {
        Some(title) => format!("{} or later in the branch from {} ({title})", branch.version, branch.from),
        None => format!("{} or later in the branch from {}", branch.version, branch.from),
    };
    let versions = match test {
        VersionTest::AtLeast(version) => format!("{version} or later"),
        VersionTest::Branches(branches) => match found.and_then(|found| branch_of(found, branches)) {
            Some(branch) => one(branch),
            None => branches.iter().map(one).collect::<Vec<_>>().join(", "),
        },
    };
    versions + &built_for(platform)
}

/// Returns the file's version; `None` if the file has no version or the version could not be read.
pub(super) fn known_version(facts: &FileFacts) -> Option<FileVersion> {
    match &facts.version {
        Answer::Present(version) => Some(*version),
        _ => None,
    }
}

fn built_for(platform: Option<Platform>) -> String {
    platform.map(|platform| format!(" ({platform})")).unwrap_or_default()
}

fn known<T>(answer: Answer<T>, holds: impl FnOnce(Option<T>) -> bool) -> Truth {
    answer.known().map_or(Truth::Unknown, |found| Truth::of(holds(found)))
}

pub(super) fn presence<T>(answer: &Answer<T>) -> String {
    match answer {
        Answer::Present(_) => "present".to_owned(),
        Answer::Absent => "absent".to_owned(),
        Answer::Unread(why) => why.to_string(),
    }
}

fn unread(place: String, wanted: &str, why: &Unread) -> Evidence {
    Evidence { place, wanted: wanted.to_owned(), found: why.to_string(), result: Truth::Unknown, planned_by: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_branch_says_nothing_of_an_earlier_ones_fix() {
        let v = |text: &str| text.parse::<FileVersion>().unwrap();
        let branch = |from: &str, version: &str| Branch { from: v(from), version: v(version), title: None };
        let gpsvc = VersionTest::Branches(vec![
            branch("6.1.7601.18000", "6.1.7601.18711"),
            branch("6.1.7601.22000", "6.1.7601.22917"),
        ]);
        assert!(version_will_do(v("6.1.7601.18711"), &gpsvc));
        assert!(!version_will_do(v("6.1.7601.22800"), &gpsvc));
        assert!(version_will_do(v("6.1.7601.22917"), &gpsvc));
        assert!(!version_will_do(v("6.1.7600.1"), &gpsvc));
        assert!(version_will_do(v("10.0.1.1"), &gpsvc));
        let wanted = |found: Option<&str>| versions_wanted(&gpsvc, found.map(v), None);
        assert_eq!(wanted(Some("6.1.7601.22800")), "6.1.7601.22917 or later in the branch from 6.1.7601.22000");
        assert_eq!(wanted(Some("6.1.7601.18711")), "6.1.7601.18711 or later in the branch from 6.1.7601.18000");
        let all = "6.1.7601.18711 or later in the branch from 6.1.7601.18000, 6.1.7601.22917 or later in the branch from 6.1.7601.22000";
        assert_eq!(wanted(Some("6.1.7600.1")), all);
        assert_eq!(wanted(None), all);
    }

    #[test]
    fn unknown_is_neither_met_nor_unmet() {
        use Truth::*;
        assert_eq!(Truth::all([Met, Unknown]), Unknown);
        assert_eq!(Truth::all([Unmet, Unknown]), Unmet);
        assert_eq!(Truth::any([Met, Unknown]), Met);
        assert_eq!(Truth::any([Unmet, Unknown]), Unknown);
        assert_eq!(Truth::any([]), Unmet);
    }
}
