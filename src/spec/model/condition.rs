//! Conditions, and what they test.

use super::{Bounds, FilePattern, KeyPattern};
use crate::{
    registry::ValueName,
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

/// Something that holds or does not hold on a target.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A key exists, or does not.
    Key {
        /// The key.
        key: KeyPattern,
        /// Whether it is to exist.
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
    /// Each holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
}

impl Condition {
    /// The keys that are tested.
    pub fn keys(&self) -> Vec<&KeyPattern> {
        match self {
            Self::Key { key, .. } => vec![key],
            Self::Value { at, .. } => vec![&at.key],
            Self::File { .. } | Self::Os(_) => Vec::new(),
            Self::All(all) | Self::Any(all) => all.iter().flat_map(Self::keys).collect(),
            Self::Not(one) => one.keys(),
        }
    }
}

/// A test of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueTest {
    /// It is there, or is not.
    Exists(bool),
    /// Its data is one of these.
    OneOf(Vec<Literal>),
    /// Its data is a number between these, both included.
    Number(Bounds),
}

/// Data that a condition compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A number, of a REG_DWORD, REG_DWORD_BIG_ENDIAN or REG_QWORD.
    Number(u64),
    /// A string, of a REG_SZ or REG_EXPAND_SZ, compared exactly.
    Text(String),
    /// Strings, of a REG_MULTI_SZ, compared in order.
    List(Vec<String>),
}

/// A test of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileTest {
    /// It is absent.
    Absent,
    /// It is there, and what is given holds.
    Present {
        /// The file versions that will do.
        version: Option<VersionTest>,
        /// The processor it was built for.
        platform: Option<Platform>,
    },
}

/// Which file versions will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionTest {
    /// This or later.
    AtLeast(FileVersion),
    /// By branch, sorted by floor: the last whose floor is not above the found version counts.
    Branches(Vec<Branch>),
}

/// A servicing branch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its lowest file version.
    pub from: FileVersion,
    /// Its first file version with the fix.
    pub version: FileVersion,
    /// What it is, as the spec calls it.
    pub title: Option<String>,
}

/// A test of the operating system; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsTest {
    /// The lowest version: major, minor, build, update revision; what was not written is 0.
    pub at_least: Option<[u32; 4]>,
    /// The first version that is too high.
    pub below: Option<[u32; 4]>,
    /// The editions that will do; empty: any.
    pub editions: Vec<String>,
    /// The products that will do; empty: any.
    pub products: Vec<Product>,
    /// The lowest service pack.
    pub service_pack: Option<u32>,
}

/// A prerequisite.
#[derive(Debug, Clone, PartialEq)]
pub struct Prerequisite {
    /// What it is, as the article names it.
    pub title: String,
    /// What must hold.
    pub condition: Condition,
}
