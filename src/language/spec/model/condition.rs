//! Conditions of a checked spec, and the tests in them.

use super::{Bounds, Expression, FilePattern, KeyPattern, text_version::TextVersion};
use crate::{
    registry::{Data, ValueName, ValueType},
    spec::document::Product,
    version::{FileVersion, Platform},
};

/// A value in the registry that a spec reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueAt {
    /// The key.
    pub key: KeyPattern,
    /// The value name.
    pub name: ValueName,
}

/// A test that passes or fails on a target.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A key exists, or is absent.
    Key {
        /// The key.
        key: KeyPattern,
        /// Whether the key must exist; otherwise it must be absent.
        exists: bool,
    },
    /// A value passes a test.
    Value {
        /// The value.
        at: ValueAt,
        /// The test.
        test: ValueTest,
    },
    /// A file passes a test.
    File {
        /// The file.
        path: FilePattern,
        /// The test.
        test: FileTest,
    },
    /// The operating system passes a test.
    Os(OsTest),
    /// All of these conditions are true.
    All(Vec<Condition>),
    /// At least one of these conditions is true.
    Any(Vec<Condition>),
    /// This condition is false.
    Not(Box<Condition>),
}

impl Condition {
    /// Returns the keys that the condition tests.
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

/// A test of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueTest {
    /// The value exists (`true`) or is absent (`false`).
    Exists(bool),
    /// The data equals one of these.
    OneOf(Vec<Literal>),
    /// The data equals that of another value.
    SameAs(Box<OtherValue>),
    /// The data is a number within these bounds, which are included.
    Number(Bounds),
    /// The data equals one of these in type and bytes. If the condition accepts several types, the list contains the
    /// data once for each type.
    Data(Vec<Data>),
    /// The data is a string that begins with this text.
    StartsWith(String),
    /// The data is a string that contains this text, or a list that contains this string.
    Contains(String),
    /// The data is a string in which this regular expression matches.
    Matches(Expression),
    /// The data is a string that contains one version, and the version is in this range: the lowest accepted version,
    /// and the lowest version that is too high.
    Version(Option<TextVersion>, Option<TextVersion>),
    /// The value has one of these types and passes the test.
    OfType(Vec<ValueType>, Box<ValueTest>),
}

/// Another value of the target, whose data a value must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherValue {
    /// The other value.
    pub at: ValueAt,
    /// Whether letter case is ignored in strings.
    pub ignore_case: bool,
}

impl ValueTest {
    /// Returns the other value that the test compares with, if it does.
    pub fn other(&self) -> Option<&OtherValue> {
        match self {
            Self::SameAs(other) => Some(other),
            Self::OfType(_, test) => test.other(),
            _ => None,
        }
    }
}

/// Data with which a condition compares a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A number: REG_DWORD, REG_DWORD_BIG_ENDIAN or REG_QWORD.
    Number(u64),
    /// A string: REG_SZ or REG_EXPAND_SZ, compared exactly.
    Text(String),
    /// A list of strings: REG_MULTI_SZ, compared in order.
    List(Vec<String>),
}

/// A test of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileTest {
    /// The file is absent.
    Absent,
    /// The file exists and passes all tests that are given here.
    Present {
        /// The accepted file versions.
        version: Option<VersionTest>,
        /// The processor for which the file must be built.
        platform: Option<Platform>,
    },
}

/// The file versions that a test accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionTest {
    /// This version or later.
    AtLeast(FileVersion),
    /// A version that depends on the branch. The branches are sorted by their lowest version. The branch of a file is
    /// the last one whose lowest version is not above the file's version.
    Branches(Vec<Branch>),
}

/// A servicing branch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The lowest file version of the branch.
    pub from: FileVersion,
    /// The first file version with the fix in this branch.
    pub version: FileVersion,
    /// The name that the spec gives the branch.
    pub title: Option<String>,
}

/// A test of the operating system. All fields that are given must be satisfied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsTest {
    /// The lowest accepted version: major, minor, build, update revision. Numbers that the spec omits are 0.
    pub at_least: Option<[u32; 4]>,
    /// The lowest version that is too high.
    pub below: Option<[u32; 4]>,
    /// The accepted editions; empty if any is accepted.
    pub editions: Vec<String>,
    /// The accepted kinds of Windows; empty if any is accepted.
    pub products: Vec<Product>,
    /// The lowest accepted service pack.
    pub service_pack: Option<u32>,
}

/// A prerequisite: a condition with a title.
#[derive(Debug, Clone, PartialEq)]
pub struct Prerequisite {
    /// The prerequisite in words, as the article names it.
    pub title: String,
    /// The condition that must be true.
    pub condition: Condition,
}
