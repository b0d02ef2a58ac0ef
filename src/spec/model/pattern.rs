//! Patterns of keys and files: with a `*`, or with parts that only the target can fill in.

use crate::registry::{Key, KeyName, KeyPath, RootKey, View, name::upcase};

use super::NamePattern;

/// A key in one view, in which a name may stand for many subkeys and HKCU for each user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern {
    /// The root key.
    pub root: RootKey,
    /// The names below the root key.
    pub names: Vec<NamePattern>,
    /// The view.
    pub view: View,
    /// In a condition that refers to its rule's key as `.`: how many of the names belong to that key. The pattern then
    /// stands for a place below the one key that the rule is applied to, in that key's view.
    pub own: Option<usize>,
    /// In a condition of a rule below HKCU: the key is in the hive of the user whose key the rule is applied to.
    pub same_user: bool,
    /// Whether a key below HKCU also stands for the key in the Default profile.
    pub default_profile: bool,
    /// An unset parameter in the key; which key is meant is then unknown.
    pub unset: Option<String>,
}

/// The path of a file, whose folder the target may have to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePattern(pub Vec<PathPart>);

/// A piece of a [`FilePattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPart {
    /// Literal text.
    Text(String),
    /// `{location}`.
    Location(String),
    /// A variable such as `%SystemRoot%`.
    Variable(PathVariable),
}

/// The path variables that are resolved from the target's registry.
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

impl KeyPattern {
    /// Returns whether a name in the key has a `*`.
    pub fn has_star(&self) -> bool {
        self.names.iter().any(|name| matches!(name, NamePattern::Like(_)))
    }

    /// Returns whether one key can match both patterns. Two names with `*` are assumed to overlap.
    pub fn may_meet(&self, other: &Self) -> bool {
        (self.root, self.view, self.names.len()) == (other.root, other.view, other.names.len())
            && self.names.iter().zip(&other.names).all(|(a, b)| a.may_meet(b))
    }

    /// Returns the pattern of exactly this key, in the 64-bit view.
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

    /// Returns the path below the root key; `None` if a name has a `*`.
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

    /// Returns the pattern of the same keys by their canonical names, on a Windows with two views.
    pub fn one_name(&self) -> Self {
        // A name with `*` has no other canonical form. A placeholder with its number takes its place during the
        // conversion.
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

    /// Returns a string that is the same for two patterns exactly if they are equal without regard to case, for use as
    /// the key of a map.
    pub fn folded(&self) -> String {
        let units = |text: &str| text.encode_utf16().map(upcase).collect::<Vec<_>>();
        String::from_utf16_lossy(&units(&self.to_string()))
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
    /// Parses the name of a variable, without percent signs and in any case.
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

    /// Returns the name as Windows spells it.
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
