//! Patterns of keys and files: with a `*`, or with what only the target can fill in.

use crate::registry::{Key, KeyName, KeyPath, RootKey, View, name::upcase};

use super::NamePattern;

/// A key in one view, in which a name may stand for every subkey and HKCU for each user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern {
    /// The root key.
    pub root: RootKey,
    /// The names below it.
    pub names: Vec<NamePattern>,
    /// The view.
    pub view: View,
    /// In a condition that names the key of its rule as `.`: how many of the names are that key's. The pattern then stands
    /// for what is below the one key that the rule is about, in that key's view.
    pub own: Option<usize>,
    /// Of a key below HKCU: it is also the one of the Default profile.
    pub default_profile: bool,
    /// A parameter in it that is not set: which key it is is not known.
    pub unset: Option<String>,
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

impl KeyPattern {
    /// Whether a name in it stands for several subkeys.
    pub fn has_star(&self) -> bool {
        self.names.iter().any(|name| matches!(name, NamePattern::Like(_)))
    }

    /// Whether a key can be one of both patterns. Of two names with `*` it is taken that one can.
    pub fn may_meet(&self, other: &Self) -> bool {
        (self.root, self.view, self.names.len()) == (other.root, other.view, other.names.len())
            && self.names.iter().zip(&other.names).all(|(a, b)| a.may_meet(b))
    }

    /// The pattern of just this key, in the 64-bit view.
    pub fn of(path: &KeyPath) -> Self {
        let names = path.names().filter_map(|name| KeyName::new(name).ok()).map(NamePattern::Name).collect();
        Self { root: path.root(), names, view: View::Bits64, own: None, default_profile: false, unset: None }
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

    /// The pattern of the same keys under the one name that each has, on a Windows with two views.
    pub fn one_name(&self) -> Self {
        // A name with `*` is the other name of nothing: while the others change, its number stands for it.
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
            default_profile: self.default_profile,
            unset: self.unset.clone(),
        }
    }

    /// A text that is the same for two patterns exactly where they are equal, for use as the key of a map.
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
