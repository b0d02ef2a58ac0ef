//! A checked spec: parsed, its parameters resolved, nothing left that could be invalid.

use std::collections::BTreeMap;

use super::document::{ComputerRestart, Document, Product};
use crate::{
    registry::{
        Data, Decoded, Key, KeyName, KeyPath, RootKey, ValueName, ValueType, View,
        name::{compare, upcase},
    },
    version::{FileVersion, Platform},
};

/// A spec whose meaning was checked, with the operator's choices put in.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The name by which messages and documents call it.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// Where it was read from.
    pub origin: Origin,
    /// Each parameter's data, as text, for the plan.
    pub parameters: BTreeMap<String, String>,
    /// The folders that the target knows, by name.
    pub locations: BTreeMap<String, ValueAt>,
    /// Where this does not hold, the spec is not applicable.
    pub applicable: Option<Condition>,
    /// What must hold before anything is changed.
    pub prerequisites: Vec<Prerequisite>,
    /// The update that must be installed.
    pub hotfix: Option<Hotfix>,
    /// What must hold in the registry, in the order of the file; two views are two rules.
    pub rules: Vec<KeyRule>,
    /// What has to be restarted.
    pub restart: Restart,
    /// The document it came from, for [`crate::review`] and exports.
    pub document: Document,
}

/// Where a spec was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file's path as given, `-` for standard input, or the name of a built-in spec.
    pub name: String,
    /// The SHA-256 of its bytes, in hex digits.
    pub sha256: String,
}

/// A value in the registry that a spec reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueAt {
    /// The key.
    pub key: KeyPattern,
    /// The value name.
    pub name: ValueName,
}

/// A key in one view, in which a name may stand for every subkey and HKCU for each user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern {
    /// The root key.
    pub root: RootKey,
    /// The names below it.
    pub names: Vec<NamePattern>,
    /// The view.
    pub view: View,
}

/// One name of a [`KeyPattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// This name.
    Name(KeyName),
    /// A name with `*` in it: every subkey that exists and whose name fits, where `*` is any characters, also none.
    Like(KeyName),
}

/// The path of a file, in which folders may be named by what the target knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePattern(pub Vec<PathPart>);

/// A piece of a [`FilePattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPart {
    /// As written.
    Text(String),
    /// `{location}`.
    Location(String),
    /// `%SystemRoot%` and its kin.
    Variable(PathVariable),
}

/// The variables of paths that are resolved on the target, from its registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathVariable {
    /// `%SystemRoot%`, `%windir%`.
    SystemRoot,
    /// `%SystemDrive%`.
    SystemDrive,
    /// `%ProgramFiles%`.
    ProgramFiles,
    /// `%ProgramFiles(x86)%`.
    ProgramFilesX86,
    /// `%CommonProgramFiles%`.
    CommonProgramFiles,
    /// `%CommonProgramFiles(x86)%`.
    CommonProgramFilesX86,
    /// `%ProgramData%`, `%ALLUSERSPROFILE%`.
    ProgramData,
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

/// A test of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueTest {
    /// It is there, or is not.
    Exists(bool),
    /// Its data is one of these.
    OneOf(Vec<Literal>),
    /// Its data is a number, this or higher.
    AtLeast(u64),
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

/// The update that must be installed.
#[derive(Debug, Clone, PartialEq)]
pub struct Hotfix {
    /// What it is called.
    pub title: String,
    /// Its files.
    pub files: Vec<HotfixFile>,
    /// The package that installs it, where kbfix may do that.
    pub package: Option<Package>,
    /// Whether the operator supplies the package and asks that it be installed.
    pub install: bool,
}

/// A package that installs a hotfix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The name of its file; `*` stands for any characters.
    pub file: String,
    /// The SHA-256 of its file, in small hex digits.
    pub sha256: String,
    /// The arguments that install it without questions and without a restart.
    pub arguments: Vec<String>,
    /// Exit codes that mean success.
    pub success: Vec<u32>,
    /// Exit codes that mean success, and that the computer must be restarted.
    pub restart: Vec<u32>,
}

/// A file of a hotfix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotfixFile {
    /// The file.
    pub path: FilePattern,
    /// The file versions that will do.
    pub version: VersionTest,
    /// The processor it is built for.
    pub platform: Option<Platform>,
}

/// A key and what must hold in it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRule {
    /// The key.
    pub key: KeyPattern,
    /// Counts only where this holds.
    pub when: Option<Condition>,
    /// The key must exist, also where all of its values must be absent.
    pub must_exist: bool,
    /// What must hold.
    pub desired: DesiredKey,
}

/// What must hold of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum DesiredKey {
    /// It is absent, with all below it.
    Absent,
    /// It exists.
    Present,
    /// These hold of its values; it exists where one of them must.
    Values(Vec<ValueRule>),
}

/// A value and what must hold of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRule {
    /// The value name.
    pub name: ValueName,
    /// Counts only where this holds.
    pub when: Option<Condition>,
    /// What must hold.
    pub desired: Desired,
    /// What an absent value means to Windows.
    pub if_absent: Option<Data>,
}

/// What must hold of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    /// It is absent.
    Absent,
    /// It is one of these, type and bytes. The first is written.
    OneOf(Vec<Data>),
    /// It is a string of this type that, as a list separated by commas, has just the items of `text`.
    CommaSet {
        /// REG_SZ or REG_EXPAND_SZ.
        value_type: ValueType,
        /// What is written.
        text: String,
    },
    /// It is a number of this type in which these bits are 1 and those are 0.
    Bits {
        /// REG_DWORD or REG_QWORD.
        value_type: ValueType,
        /// Bits that are 1.
        set: u64,
        /// Bits that are 0.
        clear: u64,
    },
    /// It is a REG_MULTI_SZ that has these strings and not those.
    List {
        /// Strings that are in it.
        add: Vec<String>,
        /// Strings that are not in it.
        remove: Vec<String>,
    },
}

/// What has to be restarted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// Whether the computer must be.
    pub computer: ComputerRestart,
    /// The services, by service name.
    pub services: Vec<String>,
    /// What the operator should know.
    pub note: Option<String>,
}

impl KeyPattern {
    /// Whether a name in it stands for several subkeys.
    pub fn has_star(&self) -> bool {
        self.names.iter().any(|name| matches!(name, NamePattern::Like(_)))
    }

    /// The path, where no name in it stands for several and the root key is not HKCU.
    pub fn path(&self) -> Option<KeyPath> {
        let mut path = KeyPath::root_key(self.root);
        for name in &self.names {
            match name {
                NamePattern::Name(name) => path = path.child(name),
                NamePattern::Like(_) => return None,
            }
        }
        Some(path)
    }

    /// The pattern of the same keys under the one name that each has, in the 64-bit view.
    pub fn one_name(&self) -> Self {
        let mut path = KeyPath::root_key(self.root);
        for NamePattern::Name(name) | NamePattern::Like(name) in &self.names {
            path = path.child(name);
        }
        let path = Key { path, view: self.view }.one_name();
        let pattern =
            |name: KeyName| if name.as_str().contains('*') { NamePattern::Like } else { NamePattern::Name }(name);
        let names = path.names().filter_map(|name| KeyName::new(name).ok()).map(pattern).collect();
        Self { root: path.root(), names, view: View::Bits64 }
    }

    /// A text that is the same for two patterns exactly where they are equal, for use as the key of a map.
    pub fn folded(&self) -> String {
        let units = |text: &str| text.encode_utf16().map(upcase).collect::<Vec<_>>();
        String::from_utf16_lossy(&units(&self.to_string()))
    }
}

impl Desired {
    /// Whether a value can be what this and `other` ask for, at the same time.
    pub fn agrees_with(&self, other: &Self) -> bool {
        use Desired::{Absent, Bits, CommaSet, List, OneOf};
        match (self, other) {
            (Absent, Absent) => true,
            (OneOf(a), OneOf(b)) => a.iter().any(|data| b.contains(data)),
            (OneOf(all), Bits { value_type, set, clear }) | (Bits { value_type, set, clear }, OneOf(all)) => {
                all.iter().any(|data| match data.decode() {
                    Decoded::Number(n) => data.value_type == *value_type && n & set == *set && n & clear == 0,
                    _ => false,
                })
            }
            (Bits { value_type: a, set, clear }, Bits { value_type: b, set: set_too, clear: clear_too }) => {
                a == b && set & clear_too == 0 && clear & set_too == 0
            }
            (List { add, remove }, List { add: add_too, remove: remove_too }) => {
                !meet(add, remove_too) && !meet(remove, add_too)
            }
            (OneOf(all), List { add, remove }) | (List { add, remove }, OneOf(all)) => {
                all.iter().any(|data| match data.decode() {
                    Decoded::List(found) => add.iter().all(|a| has(&found, a)) && !meet(&found, remove),
                    _ => false,
                })
            }
            (CommaSet { value_type: a, text }, CommaSet { value_type: b, text: other }) => {
                a == b && comma_set(text) == comma_set(other)
            }
            (OneOf(all), CommaSet { value_type, text }) | (CommaSet { value_type, text }, OneOf(all)) => {
                all.iter().any(|data| match data.decode() {
                    Decoded::Text(found) => data.value_type == *value_type && comma_set(&found) == comma_set(text),
                    _ => false,
                })
            }
            _ => false,
        }
    }
}

/// The items of a list separated by commas: without blanks around them and without case, sorted, each once.
pub fn comma_set(text: &str) -> Vec<String> {
    let items = text.split(',').map(|item| item.trim().to_lowercase()).filter(|item| !item.is_empty());
    let mut items: Vec<String> = items.collect();
    items.sort_unstable();
    items.dedup();
    items
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|item| compare(item, wanted).is_eq())
}

fn meet(a: &[String], b: &[String]) -> bool {
    a.iter().any(|item| has(b, item))
}

impl std::fmt::Display for NamePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Like(pattern) => write!(f, "{pattern}"),
        }
    }
}

impl std::fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.root.short())?;
        for name in &self.names {
            match name {
                NamePattern::Name(name) | NamePattern::Like(name) => write!(f, "\\{name}")?,
            }
        }
        if self.view == View::Bits32 { f.write_str(" [32-bit view]") } else { Ok(()) }
    }
}

impl PathVariable {
    /// The variable that `name` (without the percent signs, in any case) names.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "systemroot" | "windir" => Self::SystemRoot,
            "systemdrive" => Self::SystemDrive,
            "programfiles" | "programw6432" => Self::ProgramFiles,
            "programfiles(x86)" => Self::ProgramFilesX86,
            "commonprogramfiles" | "commonprogramw6432" => Self::CommonProgramFiles,
            "commonprogramfiles(x86)" => Self::CommonProgramFilesX86,
            "programdata" | "allusersprofile" => Self::ProgramData,
            _ => return None,
        })
    }

    /// Its name, as Windows spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SystemRoot => "SystemRoot",
            Self::SystemDrive => "SystemDrive",
            Self::ProgramFiles => "ProgramFiles",
            Self::ProgramFilesX86 => "ProgramFiles(x86)",
            Self::CommonProgramFiles => "CommonProgramFiles",
            Self::CommonProgramFilesX86 => "CommonProgramFiles(x86)",
            Self::ProgramData => "ProgramData",
        }
    }
}

impl std::fmt::Display for FilePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in &self.0 {
            match part {
                PathPart::Text(text) => f.write_str(text)?,
                PathPart::Location(name) => write!(f, "{{{name}}}")?,
                PathPart::Variable(variable) => write!(f, "%{}%", variable.name())?,
            }
        }
        Ok(())
    }
}
