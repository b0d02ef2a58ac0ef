//! Patterns of keys and files: with a `*`, or with what only the target can fill in.

use crate::registry::{
    Key, KeyName, KeyPath, RootKey, View,
    name::{fits, upcase},
};

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

impl KeyPattern {
    /// Whether a name in it stands for several subkeys.
    pub fn has_star(&self) -> bool {
        self.names.iter().any(|name| matches!(name, NamePattern::Like(_)))
    }

    /// Whether a key can be one of both patterns. Of two names with `*` it is taken that one can.
    pub fn may_meet(&self, other: &Self) -> bool {
        let one = |a: &NamePattern, b: &NamePattern| match (a, b) {
            (NamePattern::Name(a), NamePattern::Name(b)) => a == b,
            (NamePattern::Like(like), NamePattern::Name(name)) | (NamePattern::Name(name), NamePattern::Like(like)) => {
                fits(name.as_str(), like.as_str())
            }
            (NamePattern::Like(_), NamePattern::Like(_)) => true,
        };
        (self.root, self.view, self.names.len()) == (other.root, other.view, other.names.len())
            && self.names.iter().zip(&other.names).all(|(a, b)| one(a, b))
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
        let mut path = KeyPath::root_key(self.root);
        for NamePattern::Name(name) | NamePattern::Like(name) in &self.names {
            path = path.child(name);
        }
        let Key { path, view } = Key { path, view: self.view }.one_name(false);
        let pattern =
            |name: KeyName| if name.as_str().contains('*') { NamePattern::Like } else { NamePattern::Name }(name);
        let names = path.names().filter_map(|name| KeyName::new(name).ok()).map(pattern).collect();
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
