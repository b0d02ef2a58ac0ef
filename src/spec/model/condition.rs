//! Conditions and their tests.

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
    /// A key exists, or does not.
    Key {
        /// The key.
        key: KeyPattern,
        /// Whether the key must exist.
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
    /// All of these hold.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
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
    /// The data is one of these.
    OneOf(Vec<Literal>),
    /// The data is that of another value.
    SameAs(Box<OtherValue>),
    /// The data is a number within these bounds, inclusive.
    Number(Bounds),
    /// The data is one of these, compared by type and bytes. Each of its types counts.
    Data(Vec<Data>),
    /// The data is a string that begins with this.
    StartsWith(String),
    /// The data is a string with this in it, or a list with this string.
    Contains(String),
    /// The data is a string in which this occurs.
    Matches(Expression),
    /// The data is a string with one version in it, which is in this range: the first that will do, and the first that
    /// is too high.
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

/// Data that a condition compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A number: REG_DWORD, REG_DWORD_BIG_ENDIAN or REG_QWORD.
    Number(u64),
    /// A string: REG_SZ or REG_EXPAND_SZ, compared exactly.
    Text(String),
    /// Strings: REG_MULTI_SZ, compared in order.
    List(Vec<String>),
}

/// A test of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileTest {
    /// The file is absent.
    Absent,
    /// The file exists and passes the tests that are given.
    Present {
        /// The file versions that are sufficient.
        version: Option<VersionTest>,
        /// The processor that the file is built for.
        platform: Option<Platform>,
    },
}

/// The file versions that are sufficient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionTest {
    /// This version or later.
    AtLeast(FileVersion),
    /// By branch, sorted by floor: the last branch whose floor is not above the found version counts.
    Branches(Vec<Branch>),
}

/// A servicing branch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The lowest file version of the branch.
    pub from: FileVersion,
    /// The first file version of the branch that has the fix.
    pub version: FileVersion,
    /// The name that the spec gives the branch.
    pub title: Option<String>,
}

/// A test of the operating system; everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsTest {
    /// The lowest version: major, minor, build, update revision; parts that the spec omits are 0.
    pub at_least: Option<[u32; 4]>,
    /// The first version that is too high.
    pub below: Option<[u32; 4]>,
    /// The accepted editions; any if empty.
    pub editions: Vec<String>,
    /// The accepted products; any if empty.
    pub products: Vec<Product>,
    /// The lowest service pack.
    pub service_pack: Option<u32>,
}

/// A prerequisite.
#[derive(Debug, Clone, PartialEq)]
pub struct Prerequisite {
    /// The prerequisite, as the article names it.
    pub title: String,
    /// The condition that must hold.
    pub condition: Condition,
}
