//! The conditions of a checked spec.

use super::{Bounds, Expression, FilePattern, KeyPattern, text_version::TextVersion};
use crate::{
    registry::{Data, ValueName, ValueType},
    spec::document::Product,
    version::{FileVersion, Platform},
};

/// A value in the registry of the target, which a spec reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueAt {
    /// The key that contains the value.
    pub key: KeyPattern,
    /// The value name.
    pub name: ValueName,
}

/// A condition of a checked spec, which is true, false or unknown on a target.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Tests whether a key exists or is absent.
    Key {
        /// The key that is tested.
        key: KeyPattern,
        /// `true`: the key must exist. `false`: the key must be absent.
        exists: bool,
    },
    /// Tests a value.
    Value {
        /// The key and the name of the value.
        at: ValueAt,
        /// The test that the value must pass.
        test: ValueTest,
    },
    /// Tests a file.
    File {
        /// The path of the file.
        path: FilePattern,
        /// The test that the file must pass.
        test: FileTest,
    },
    /// Tests the operating system.
    Os(OsTest),
    /// Is true if all of these conditions are true, false if at least one is false, and otherwise unknown.
    All(Vec<Condition>),
    /// Is true if at least one of these conditions is true, false if all are false, and otherwise unknown.
    Any(Vec<Condition>),
    /// Is true if this condition is false, false if it is true, and unknown if it is unknown.
    Not(Box<Condition>),
}

impl Condition {
    /// Returns all keys that the condition reads or whose values it reads, also in nested conditions. The keys of
    /// locations in the paths of files are not included.
    pub fn keys(&self) -> Vec<&KeyPattern> {
        match self {
            Self::Key { key, .. } => vec![key],
            Self::Value { at, test } => {
                std::iter::once(&at.key).chain(test.other().map(|other| &other.at.key)).collect()
            }
            Self::File { .. } | Self::Os(_) => Vec::new(),
            Self::All(all) | Self::Any(all) => all.iter().flat_map(Self::keys).collect(),
            Self::Not(one) => one.keys(),
        }
    }
}

/// A test that a condition makes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueTest {
    /// The value must exist (`true`) or be absent (`false`).
    Exists(bool),
    /// The data must equal one item of this list.
    OneOf(Vec<Literal>),
    /// The data must equal the data of another value of the target.
    SameAs(Box<OtherValue>),
    /// The data must be a number, not a string, within these bounds. The bounds themselves are accepted.
    Number(Bounds),
    /// The data must equal one item of this list in type and bytes. If the condition accepts several types, the list
    /// contains the data once for each type for which the data is valid.
    Data(Vec<Data>),
    /// The data must be a string that begins with this text. Letter case matters.
    StartsWith(String),
    /// The data must be a string that contains this text, or a list that contains this string. Letter case matters only
    /// in a string.
    Contains(String),
    /// The data must be a string in which this regular expression matches.
    Matches(Expression),
    /// The data must be a string that contains a version in a range. If the string contains several versions, the
    /// condition is unknown. The fields are the lowest accepted version and the lowest version that is too high; `None`
    /// if there is no such limit.
    Version(Option<TextVersion>, Option<TextVersion>),
    /// The value must have one of these types and pass the test.
    OfType(Vec<ValueType>, Box<ValueTest>),
}

/// Another value of the target, with whose data a test compares the data of the tested value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherValue {
    /// The key and the name of the other value.
    pub at: ValueAt,
    /// Whether strings are compared without regard to letter case.
    pub ignore_case: bool,
}

impl ValueTest {
    /// Returns the other value with which this test compares the tested value; `None` if the test compares with no
    /// other value.
    pub fn other(&self) -> Option<&OtherValue> {
        match self {
            Self::SameAs(other) => Some(other),
            Self::OfType(_, test) => test.other(),
            _ => None,
        }
    }
}

/// Data in a spec with which a condition compares the data of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A number, equal to the same number in a REG_DWORD, REG_DWORD_BIG_ENDIAN or REG_QWORD.
    Number(u64),
    /// A string, equal to the same string in a REG_SZ or REG_EXPAND_SZ. Letter case matters.
    Text(String),
    /// A list of strings, equal to the same strings in the same order in a REG_MULTI_SZ.
    List(Vec<String>),
}

/// A test that a condition makes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileTest {
    /// The file must be absent.
    Absent,
    /// The file must exist, and pass each test in these fields that is not `None`.
    Present {
        /// The accepted file versions; `None` if every version is accepted.
        version: Option<VersionTest>,
        /// The processor for which the file must be built; `None` if every processor is accepted.
        platform: Option<Platform>,
    },
}

/// The file versions that a test of a file accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionTest {
    /// This version and all later versions.
    AtLeast(FileVersion),
    /// In each branch, the version with the fix and all later versions. The branches are sorted by their lowest
    /// version. A file belongs to the last branch whose lowest version is not above the version of the file. A file
    /// that belongs to no branch is not accepted.
    Branches(Vec<Branch>),
}

/// A servicing branch of a file, such as GDR or LDR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The lowest file version of the branch.
    pub from: FileVersion,
    /// The first file version of this branch that contains the fix.
    pub version: FileVersion,
    /// The name that the spec gives the branch; `None` if the spec gives no name.
    pub title: Option<String>,
}

/// A test that a condition makes of the operating system. Each field that is given must be satisfied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsTest {
    /// The lowest accepted version: major, minor, build and update revision. Numbers that the spec does not give are 0.
    /// `None` if there is no lower limit.
    pub at_least: Option<[u32; 4]>,
    /// The lowest version that is too high, in the same form as `at_least`; `None` if there is no upper limit.
    pub below: Option<[u32; 4]>,
    /// The accepted editions of Windows (`EditionID`), in any letter case; empty if all editions are accepted.
    pub editions: Vec<String>,
    /// The accepted kinds of Windows; empty if all kinds are accepted.
    pub products: Vec<Product>,
    /// The number of the lowest accepted service pack; `None` if every service pack is accepted.
    pub service_pack: Option<u32>,
}

/// A prerequisite or a cause: a condition with a title.
#[derive(Debug, Clone, PartialEq)]
pub struct Prerequisite {
    /// The prerequisite or the cause in words, as the article names it.
    pub title: String,
    /// The condition. A prerequisite requires that it is true; for a cause, kbfix only reports the result.
    pub condition: Condition,
}
