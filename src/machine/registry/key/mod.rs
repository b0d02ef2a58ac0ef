//! The path of a registry key, such as `HKLM\SOFTWARE\Vendor`.

use std::{
    cell::RefCell,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    name::{self, KeyName, NameError},
    root_key::RootKey,
};

/// The path of a key: a root key and the names below it. Paths are compared without regard to case, and a parent sorts
/// before the keys below it.
// Cloning is cheap. The names are converted to upper case once, when the path is made, so two paths can be compared
// byte by byte.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct KeyPath {
    root: RootKey,
    /// The number of bytes at the beginning of `both` that contain the folded names. A `u32` is large enough and saves
    /// memory, because millions of paths can exist.
    folded: u32,
    /// First the names below the root key, as [`name::fold`] folds them, joined by NULs; then the names as they were
    /// written, joined by backslashes. Both parts are empty for the root key itself.
    ///
    /// No name contains a NUL, and a NUL sorts before all other characters, so a parent sorts before the keys below it.
    both: Arc<str>,
}

/// The maximum number of names below a root key.
///
/// The registry allows 512 levels, counted from the key where a hive is mounted (Microsoft, "Registry element size
/// limits"); the remaining 4 are above that key.
const MAX_LEVELS: usize = 516;

/// The error for a string that is not a key path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyPathError {
    /// The path does not begin with a root key.
    #[error("`{0}` is not a root key; a key begins with HKLM, HKCU, HKU, HKCR or HKCC")]
    Root(String),
    /// The path begins with the name of a drive, such as `C:`, or `HKLM:` in PowerShell. The string is that name.
    #[error("`{0}` is PowerShell's notation for a drive; a key begins with a root key without a colon, such as HKLM")]
    Drive(String),
    /// The path has more levels than the registry allows.
    #[error(
        "a key path has {0} names below its root key; the limit is {MAX_LEVELS}, because a hive has at most 512 levels"
    )]
    TooDeep(usize),
    /// One of the names in the path is not valid.
    #[error("in `{path}`: {source}")]
    Name {
        /// The whole path.
        path: String,
        /// The error of the invalid name.
        source: NameError,
    },
}

impl KeyPath {
    /// Returns the path of a root key.
    pub fn root_key(root: RootKey) -> Self {
        Self::known(root, "")
    }

    /// Returns the path of the key `below` (names joined by backslashes) under `root`. The names must be valid, for
    /// example because they are constants of this program.
    pub fn known(root: RootKey, below: &str) -> Self {
        Self::build(root, |both| {
            for (at, name) in below.split('\\').enumerate() {
                if at > 0 {
                    both.push('\0');
                }
                name::fold(name, both);
            }
            let folded = both.len();
            both.push_str(below);
            folded
        })
    }

    /// Returns a path under `root`. `write` must append both parts of the field `both` to an empty string, first the
    /// folded names, and return the number of bytes of the folded names.
    #[allow(clippy::missing_const_for_thread_local, reason = "clippy for Windows does not see that it is const")]
    fn build(root: RootKey, write: impl FnOnce(&mut String) -> usize) -> Self {
        thread_local! {
            // Millions of paths can be made. With this buffer, each takes one allocation instead of two.
            static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
        }
        TEXT.with_borrow_mut(|both| {
            both.clear();
            let folded = write(both) as u32;
            Self { root, folded, both: both.as_str().into() }
        })
    }

    /// Returns the folded names below the root key, joined by NULs; [`name::fold`] folds a name for comparison.
    fn folded(&self) -> &str {
        &self.both[..self.folded as usize]
    }

    /// Returns the bytes of [`Self::folded`]. This is faster: `folded` also reads the first byte after the folded
    /// names.
    fn folded_bytes(&self) -> &[u8] {
        &self.both.as_bytes()[..self.folded as usize]
    }

    /// Returns the root key.
    pub fn root(&self) -> RootKey {
        self.root
    }

    /// Returns the names below the root key, joined by backslashes.
    pub fn below_root(&self) -> &str {
        &self.both[self.folded as usize..]
    }

    /// Returns the names below the root key, topmost first.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.below_root().split('\\').filter(|name| !name.is_empty())
    }

    /// Returns the number of names below the root key.
    pub fn depth(&self) -> usize {
        self.folded().split('\0').filter(|name| !name.is_empty()).count()
    }

    /// Returns the last name; `None` for a root key.
    pub fn last(&self) -> Option<&str> {
        self.names().next_back()
    }

    /// Returns the key above; `None` for a root key.
    pub fn parent(&self) -> Option<Self> {
        let (folded, below) = (self.folded(), self.below_root());
        if below.is_empty() {
            return None;
        }
        let folded = folded.rsplit_once('\0').map_or("", |(above, _)| above);
        let below = below.rsplit_once('\\').map_or("", |(above, _)| above);
        Some(Self::build(self.root, |both| {
            both.push_str(folded);
            both.push_str(below);
            folded.len()
        }))
    }

    /// Returns the path of the subkey `name` of this key.
    pub fn child(&self, name: &KeyName) -> Self {
        self.descendant([name])
    }

    /// Returns the path of a key below this key. `names` are its names below this key, topmost first.
    pub fn descendant<'n>(&self, names: impl IntoIterator<Item = &'n KeyName> + Clone) -> Self {
        Self::build(self.root, |both| {
            both.push_str(self.folded());
            for name in names.clone() {
                if !both.is_empty() {
                    both.push('\0');
                }
                name::fold(name.as_str(), both);
            }
            let folded = both.len();
            both.push_str(self.below_root());
            for name in names {
                if both.len() > folded {
                    both.push('\\');
                }
                both.push_str(name.as_str());
            }
            folded
        })
    }

    /// Returns the path of the key `below` (names joined by backslashes; empty for the root key itself) under `root`.
    ///
    /// # Errors
    /// Fails if a name is not valid, or if there are more names than the registry allows.
    pub fn from_parts(root: RootKey, below: &str) -> Result<Self, KeyPathError> {
        let levels = below.split('\\').count();
        if levels > MAX_LEVELS {
            return Err(KeyPathError::TooDeep(levels));
        }
        if !below.is_empty() {
            for part in below.split('\\') {
                KeyName::check(part)
                    .map_err(|source| KeyPathError::Name { path: format!("{}\\{below}", root.short()), source })?;
            }
        }
        Ok(Self::known(root, below))
    }

    /// Returns the part of the path below `ancestor`: `Some("")` for `ancestor` itself, `None` if the path is not below
    /// it.
    pub fn relative_to(&self, ancestor: &KeyPath) -> Option<&str> {
        if !self.is_within(ancestor) {
            return None;
        }
        let (below, above) = (self.below_root(), ancestor.folded as usize);
        // A name has as many bytes as its folded form if both are ASCII. Otherwise the names must be counted.
        match below.as_bytes().get(..above) {
            Some(same) if same.is_ascii() => Some(below[above..].strip_prefix('\\').unwrap_or(&below[above..])),
            _ => {
                let names = ancestor.depth();
                Some(below.splitn(names + 1, '\\').nth(names).unwrap_or(""))
            }
        }
    }

    /// Returns whether this key is `ancestor` or is below it, at any depth.
    pub fn is_within(&self, ancestor: &KeyPath) -> bool {
        let rest = self.folded_bytes().strip_prefix(ancestor.folded_bytes()).filter(|_| self.root == ancestor.root);
        rest.is_some_and(|rest| ancestor.folded == 0 || matches!(rest, [] | [0, ..]))
    }

    /// Returns the path with `from`, at its beginning, replaced by `to`. Returns `None` if the path is neither `from`
    /// nor below it.
    pub fn moved(&self, from: &KeyPath, to: &KeyPath) -> Option<Self> {
        let below = self.relative_to(from)?;
        let folded = self.folded()[from.folded as usize..].trim_start_matches('\0');
        let join = |both: &mut String, above: &str, separator: char, below: &str| {
            both.push_str(above);
            if !above.is_empty() && !below.is_empty() {
                both.push(separator);
            }
            both.push_str(below);
        };
        Some(Self::build(to.root, |both| {
            join(both, to.folded(), '\0', folded);
            let length = both.len();
            join(both, to.below_root(), '\\', below);
            length
        }))
    }

    /// Returns the path at which a sorted search continues if it skips this key and all keys below it: the first
    /// possible path after them, which ends with the character U+0001. This key must not be a root key.
    pub fn after_tree(&self) -> Self {
        Self::build(self.root, |both| {
            both.extend([self.folded(), "\u{1}"]);
            let folded = both.len();
            both.extend([self.below_root(), "\u{1}"]);
            folded
        })
    }

    /// Returns the path with the long name of its root key, as in a `.reg` file.
    pub fn to_long(&self) -> String {
        let root = self.root.long();
        if self.below_root().is_empty() { root.to_owned() } else { format!("{root}\\{}", self.below_root()) }
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
        f.write_str(self.root.short())?;
        if self.below_root().is_empty() { Ok(()) } else { write!(f, "\\{}", self.below_root()) }
    }
}

impl fmt::Debug for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for KeyPath {
    fn eq(&self, other: &Self) -> bool {
        // The paths that are compared are often copies of one path, and then its names need not be in the cache.
        self.root == other.root && (Arc::ptr_eq(&self.both, &other.both) || self.folded_bytes() == other.folded_bytes())
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
        self.root.cmp(&other.root).then_with(|| self.folded_bytes().cmp(other.folded_bytes()))
    }
}
impl Hash for KeyPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.root.hash(state);
        self.folded_bytes().hash(state);
    }
}

#[cfg(test)]
mod tests;
