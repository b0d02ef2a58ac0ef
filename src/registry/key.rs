//! Root keys and key paths.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::name::{self, KeyName, NameError};

/// One of the predefined keys at the top of the registry.
///
/// Source: Microsoft, "Predefined Keys".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RootKey {
    /// `HKEY_CLASSES_ROOT`: file types and COM classes, a merged view of machine and user.
    Hkcr,
    /// `HKEY_CURRENT_USER`.
    Hkcu,
    /// `HKEY_LOCAL_MACHINE`.
    Hklm,
    /// `HKEY_USERS`: one key for every loaded user hive, named after the user's SID.
    Hku,
    /// `HKEY_CURRENT_CONFIG`.
    Hkcc,
}

impl RootKey {
    /// All root keys, in the order in which `regedit` shows them.
    pub const ALL: [Self; 5] = [Self::Hkcr, Self::Hkcu, Self::Hklm, Self::Hku, Self::Hkcc];

    /// Returns the short name, such as `HKLM`.
    pub fn short(self) -> &'static str {
        match self {
            Self::Hkcr => "HKCR",
            Self::Hkcu => "HKCU",
            Self::Hklm => "HKLM",
            Self::Hku => "HKU",
            Self::Hkcc => "HKCC",
        }
    }

    /// Returns the long name, such as `HKEY_LOCAL_MACHINE`, which `.reg` files use.
    pub fn long(self) -> &'static str {
        match self {
            Self::Hkcr => "HKEY_CLASSES_ROOT",
            Self::Hkcu => "HKEY_CURRENT_USER",
            Self::Hklm => "HKEY_LOCAL_MACHINE",
            Self::Hku => "HKEY_USERS",
            Self::Hkcc => "HKEY_CURRENT_CONFIG",
        }
    }

    /// Parses the short or long name of a root key, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| text.eq_ignore_ascii_case(r.short()) || text.eq_ignore_ascii_case(r.long()))
    }
}

/// The path of a key: a root key and the names below it. Paths compare without case; a parent sorts before the keys
/// below it.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct KeyPath {
    root: RootKey,
    /// The names below the root key, joined by backslashes; empty for the root key itself.
    below: String,
}

/// The most names below a root key: the 512 levels that the registry allows (Microsoft, "Registry element size
/// limits"), counted from the key where a hive is mounted, and the levels above that key.
const MAX_LEVELS: usize = 516;

/// The error for a string that is not a key path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyPathError {
    /// The path does not begin with a root key.
    #[error("`{0}` is not a root key; a key begins with HKLM, HKCU, HKU, HKCR or HKCC")]
    Root(String),
    /// The path is in PowerShell's drive notation.
    #[error("`{0}` is PowerShell's notation; write it without the colon")]
    Drive(String),
    /// The path has more levels than the registry allows.
    #[error(
        "a key path has {0} names below its root key; the registry allows 512 levels in a hive, so {MAX_LEVELS} names at most"
    )]
    TooDeep(usize),
    /// One of the names is not valid.
    #[error("in `{path}`: {source}")]
    Name {
        /// The whole path.
        path: String,
        /// The error of that name.
        source: NameError,
    },
}

impl KeyPath {
    /// Returns the path of a root key.
    pub fn root_key(root: RootKey) -> Self {
        Self { root, below: String::new() }
    }

    /// Returns the root key.
    pub fn root(&self) -> RootKey {
        self.root
    }

    /// Returns the names below the root key, joined by backslashes.
    pub fn below_root(&self) -> &str {
        &self.below
    }

    /// Returns the names below the root key, topmost first.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        names(&self.below)
    }

    /// Returns the number of names below the root key.
    pub fn depth(&self) -> usize {
        self.names().count()
    }

    /// Returns the last name; `None` for a root key.
    pub fn last(&self) -> Option<&str> {
        self.names().next_back()
    }

    /// Returns the key above; `None` for a root key.
    pub fn parent(&self) -> Option<Self> {
        if self.below.is_empty() {
            return None;
        }
        let below = self.below.rsplit_once('\\').map_or("", |(above, _)| above);
        Some(Self { root: self.root, below: below.to_owned() })
    }

    /// Returns the key `name` directly below this one.
    pub fn child(&self, name: &KeyName) -> Self {
        let below = if self.below.is_empty() { name.to_string() } else { format!("{}\\{name}", self.below) };
        Self { root: self.root, below }
    }

    /// Returns the path of the names `below` (joined by backslashes) under `root`.
    pub fn from_parts(root: RootKey, below: &str) -> Result<Self, KeyPathError> {
        let levels = below.split('\\').count();
        if levels > MAX_LEVELS {
            return Err(KeyPathError::TooDeep(levels));
        }
        if !below.is_empty() {
            for part in below.split('\\') {
                KeyName::new(part)
                    .map_err(|source| KeyPathError::Name { path: format!("{}\\{below}", root.short()), source })?;
            }
        }
        Ok(Self { root, below: below.to_owned() })
    }

    /// Returns the part of the path below `ancestor`: `Some("")` for the same key, `None` where the path is not within
    /// it.
    pub fn relative_to(&self, ancestor: &KeyPath) -> Option<&str> {
        if self.root != ancestor.root {
            return None;
        }
        let mut rest = self.below.as_str();
        for wanted in ancestor.names() {
            let (head, tail) = rest.split_once('\\').unwrap_or((rest, ""));
            if name::compare(head, wanted) != Ordering::Equal {
                return None;
            }
            rest = tail;
        }
        Some(rest)
    }

    /// Returns whether this key is `ancestor` or anywhere below it.
    pub fn is_within(&self, ancestor: &KeyPath) -> bool {
        self.relative_to(ancestor).is_some()
    }

    /// Returns the path with the long name of its root key, as in a `.reg` file.
    pub fn to_long(&self) -> String {
        self.joined(self.root.long())
    }

    fn joined(&self, root: &str) -> String {
        if self.below.is_empty() { root.to_owned() } else { format!("{root}\\{}", self.below) }
    }
}

impl FromStr for KeyPath {
    type Err = KeyPathError;

    fn from_str(text: &str) -> Result<Self, KeyPathError> {
        let (root, below) = text.split_once('\\').unwrap_or((text, ""));
        match RootKey::parse(root) {
            Some(_) if text.ends_with('\\') => {
                Err(KeyPathError::Name { path: text.to_owned(), source: NameError::Empty })
            }
            Some(found) => Self::from_parts(found, below),
            None if root.ends_with(':') => Err(KeyPathError::Drive(root.to_owned())),
            None => Err(KeyPathError::Root(root.to_owned())),
        }
    }
}

impl TryFrom<String> for KeyPath {
    type Error = KeyPathError;
    fn try_from(text: String) -> Result<Self, KeyPathError> {
        text.parse()
    }
}

impl From<KeyPath> for String {
    fn from(path: KeyPath) -> String {
        path.to_string()
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.joined(self.root.short()))
    }
}

impl fmt::Debug for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for KeyPath {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root && name::compare(&self.below, &other.below) == Ordering::Equal
    }
}
impl Eq for KeyPath {}
impl PartialOrd for KeyPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for KeyPath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.root.cmp(&other.root).then_with(|| {
            // Paths below one key differ at their ends only. Hundreds of names that are the same are not compared one by one.
            let same = same_bytes(self.below.as_bytes(), other.below.as_bytes());
            let from = self.below.as_bytes()[..same].iter().rposition(|byte| *byte == b'\\').map_or(0, |at| at + 1);
            let mut theirs = names(&other.below[from..]);
            for mine in names(&self.below[from..]) {
                match theirs.next().map_or(Ordering::Greater, |t| name::compare(mine, t)) {
                    Ordering::Equal => {}
                    other => return other,
                }
            }
            if theirs.next().is_some() { Ordering::Less } else { Ordering::Equal }
        })
    }
}

/// Returns how many bytes both begin with.
fn same_bytes(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 32;
    let steps = a.chunks_exact(STEP).zip(b.chunks_exact(STEP)).take_while(|(a, b)| a == b).count() * STEP;
    steps + a[steps..].iter().zip(&b[steps..]).take_while(|(a, b)| a == b).count()
}

fn names(below: &str) -> impl DoubleEndedIterator<Item = &str> {
    below.split('\\').filter(|name| !name.is_empty())
}

impl Hash for KeyPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.root.hash(state);
        name::hash(&self.below, state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> KeyPath {
        text.parse().unwrap()
    }

    #[test]
    fn both_spellings_of_a_root_key_are_one_key() {
        assert_eq!(key(r"HKLM\Software"), key(r"hkey_local_machine\SOFTWARE"));
        assert_eq!(key(r"HKLM\Software").to_long(), r"HKEY_LOCAL_MACHINE\Software");
        assert_eq!(key("HKU"), KeyPath::root_key(RootKey::Hku));
    }

    #[test]
    fn what_is_no_key_is_refused_by_name() {
        let error = |text: &str| text.parse::<KeyPath>().unwrap_err().to_string();
        assert!(error(r"HKLM:\SOFTWARE").contains("PowerShell"));
        assert!(error(r"SOFTWARE\X").contains("not a root key"));
        assert!(error(r"HKLM\a\\b").contains("empty"));
        assert!(error(r"HKLM\a\").contains("empty"));
    }

    #[test]
    fn a_parent_sorts_before_its_subkeys_and_they_before_its_neighbours() {
        let mut keys = [key(r"HKLM\A B"), key(r"HKLM\A\Z"), key(r"HKLM\A"), key("HKLM"), key(r"HKLM\a\b")];
        keys.sort();
        let sorted: Vec<String> = keys.iter().map(ToString::to_string).collect();
        assert_eq!(sorted, ["HKLM", r"HKLM\A", r"HKLM\a\b", r"HKLM\A\Z", r"HKLM\A B"]);
        let long = "name".repeat(20);
        let of = |end: &str| key(&format!(r"HKLM\{long}\{long}{end}"));
        assert!(of("") < of(r"\a") && of(r"\A") < of(r"\b\a") && of(r"\b") < of(" a") && of(r"\é") == of(r"\É"));
    }

    #[test]
    fn relatives() {
        assert_eq!(key(r"HKLM\A\B\C").relative_to(&key(r"hklm\a")), Some(r"B\C"));
        assert_eq!(key(r"HKLM\A").relative_to(&key(r"HKLM\A")), Some(""));
        assert_eq!(key(r"HKLM\AB").relative_to(&key(r"HKLM\A")), None);
        assert_eq!(key(r"HKLM\A\B").parent(), Some(key(r"HKLM\A")));
        assert_eq!(key(r"HKLM\A").parent(), Some(key("HKLM")));
        assert_eq!(key("HKLM").parent(), None);
    }
}
