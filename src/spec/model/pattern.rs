//! Patterns for keys and files: they contain a `*`, or parts that only the target can fill in.

use crate::registry::{Key, KeyName, KeyPath, RootKey, View, name::upcase};

use super::NamePattern;

/// A pattern for keys in one view. A name in it may match many subkeys, and HKCU means each user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern {
    /// The root key.
    pub root: RootKey,
    /// The names below the root key.
    pub names: Vec<NamePattern>,
    /// The registry view, 32-bit or 64-bit.
    pub view: View,
    /// For a condition that refers to its rule's key as `.`: the number of names that belong to that key. The pattern
    /// then means a key at or below the one key to which the rule is applied, in the view of that key.
    pub own: Option<usize>,
    /// For a condition of a rule below HKCU: whether the key is in the hive of the same user as the key to which the
    /// rule is applied.
    pub same_user: bool,
    /// Whether a key below HKCU also means the key in the Default profile.
    pub default_profile: bool,
    /// An unset parameter in the key, because of which the key is not known.
    pub unset: Option<String>,
}

/// The path of a file. Its folder may have to be read from a registry value of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePattern(pub Vec<PathPart>);

/// A piece of a [`FilePattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPart {
    /// Text that has no special meaning.
    Text(String),
    /// A `{location}`: a folder whose path the target stores.
    Location(String),
    /// An environment variable such as `%SystemRoot%`.
    Variable(PathVariable),
}

/// The environment variables in paths that kbfix can find in the target's registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathVariable {
    /// `%SystemRoot%` or `%windir%`.
    SystemRoot,
    /// The variable `%SystemDrive%`.
    SystemDrive,
    /// The variable `%ProgramFiles%`.
    ProgramFiles,
    /// The variable `%ProgramFiles(x86)%`.
    ProgramFilesX86,
    /// The variable `%CommonProgramFiles%`.
    CommonProgramFiles,
    /// The variable `%CommonProgramFiles(x86)%`.
    CommonProgramFilesX86,
    /// `%ProgramData%` or `%ALLUSERSPROFILE%`.
    ProgramData,
}

impl KeyPattern {
    /// Returns whether a name in the key contains a `*`.
    pub fn has_star(&self) -> bool {
        self.names.iter().any(|name| matches!(name, NamePattern::Like(_)))
    }

    /// Returns whether one key can match both patterns. Two names that both contain `*` are assumed to overlap.
    pub fn may_meet(&self, other: &Self) -> bool {
        (self.root, self.view, self.names.len()) == (other.root, other.view, other.names.len())
            && self.names.iter().zip(&other.names).all(|(a, b)| a.may_meet(b))
    }

    /// Returns the pattern that matches only this key, in the 64-bit view.
    pub fn of(path: &KeyPath) -> Self {
        let names = path.names().filter_map(|name| KeyName::new(name).ok()).map(NamePattern::Name).collect();
        Self {
            root: path.root(),
            names,
            view: View::Bits64,
            own: None,
            same_user: false,
            default_profile: false,
            unset: None,
        }
    }

    /// Returns the path of the key; `None` if a name contains a `*`.
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

    /// Returns the pattern with the canonical names of the same keys, on a Windows with two views.
    pub fn one_name(&self) -> Self {
        // A name with `*` has no other canonical form. During the conversion, a numbered placeholder takes its place.
        let stand_in = |at: usize| format!("\u{1}{at}");
        let mut path = KeyPath::root_key(self.root);
        for (at, name) in self.names.iter().enumerate() {
            let name = match name {
                NamePattern::Name(name) => Some(name.clone()),
                NamePattern::Like(_) => KeyName::new(stand_in(at)).ok(),
            };
            path = name.map_or(path.clone(), |name| path.child(&name));
        }
        let Key { path, view } = Key { path, view: self.view }.one_name(false);
        let likes = || self.names.iter().enumerate().filter(|(_, name)| matches!(name, NamePattern::Like(_)));
        let pattern = |name: &str| match likes().find(|(at, _)| stand_in(*at) == name) {
            Some((_, like)) => Some(like.clone()),
            None => KeyName::new(name).ok().map(NamePattern::Name),
        };
        let names = path.names().filter_map(pattern).collect();
        Self {
            root: path.root(),
            names,
            view,
            own: None,
            same_user: false,
            default_profile: self.default_profile,
            unset: self.unset.clone(),
        }
    }

    /// Returns a string that is equal for two patterns exactly if the patterns are equal without regard to case. It can
    /// be used as the key of a map.
    pub fn folded(&self) -> String {
        let mut text = self.to_string();
        if text.is_ascii() {
            text.make_ascii_uppercase();
            return text;
        }
        String::from_utf16_lossy(&text.encode_utf16().map(upcase).collect::<Vec<_>>())
    }
}

impl std::fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.root.short())?;
        for name in &self.names {
            write!(f, "\\{name}")?;
        }
        if self.view == View::Bits32 { f.write_str(" [32-bit view]") } else { Ok(()) }
    }
}

impl PathVariable {
    /// Parses the name of a variable, without percent signs and in any letter case.
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

    /// Returns the name of the variable, as Windows spells it.
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
