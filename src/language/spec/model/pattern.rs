//! Patterns for keys and files. A pattern can contain a `*`, or parts that kbfix replaces with data of the target.

use std::{collections::BTreeSet, fmt};

use crate::registry::{Key, KeyName, KeyPath, RootKey, View, name::upcase};

use super::NamePattern;

/// A pattern for keys in one registry view. A name in it may match many subkeys, and HKCU means the hive of each user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern {
    /// The root key.
    pub root: RootKey,
    /// The names below the root key.
    pub names: Vec<NamePattern>,
    /// The registry view of the keys: 32-bit or 64-bit.
    pub view: View,
    /// For the key of a condition that begins with `.`: the number of names in the key of the rule that contains the
    /// condition. The `.` means the key to which kbfix applies the rule, in the view of that key. `None` for any other
    /// key.
    pub own: Option<usize>,
    /// For a key below HKCU in a condition of a rule: whether the key must be in the hive of the same user as the key
    /// to which kbfix applies the rule. False if the key begins with `.`.
    pub same_user: bool,
    /// Whether a pattern below HKCU also matches the key in the Default profile, which Windows copies for every new
    /// user.
    pub default_profile: bool,
    /// The unset parameters in the key, because of which the key is not known; `names` then contains example data.
    /// `None` if all parameters in the key have data.
    pub unset: Option<Box<Unset>>,
}

/// The unset parameters in a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    /// The names of the parameters; never empty.
    pub parameters: BTreeSet<String>,
    /// The key for messages, with `{name}` in place of each unset parameter, and without a view.
    pub key: String,
}

/// The path of a file, in parts. The path of its folder may be in a registry value of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePattern(pub Vec<PathPart>);

/// A part of a [`FilePattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPart {
    /// Text that has no special meaning.
    Text(String),
    /// A `{location}`: a folder whose path is in the registry of the target; the field is the name of the location.
    Location(String),
    /// An environment variable such as `%SystemRoot%`.
    Variable(PathVariable),
}

/// The environment variables that kbfix can look up in the registry of the target. The path of a file or folder can
/// begin with one of them. The names `%ProgramW6432%` and `%CommonProgramW6432%` can only be in the registry, and not
/// in a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathVariable {
    /// `%SystemRoot%` or `%windir%`.
    SystemRoot,
    /// The variable `%SystemDrive%`.
    SystemDrive,
    /// `%ProgramFiles%` or `%ProgramW6432%`.
    ProgramFiles,
    /// The variable `%ProgramFiles(x86)%`.
    ProgramFilesX86,
    /// `%CommonProgramFiles%` or `%CommonProgramW6432%`.
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

    /// Returns whether there can be a key that matches both patterns. Both must contain the canonical names of their
    /// keys, see [`KeyPattern::one_name`]. If both have a name with `*` at the same index, this function assumes that
    /// one name can match both.
    pub fn may_meet(&self, other: &Self) -> bool {
        (self.root, self.view, self.names.len()) == (other.root, other.view, other.names.len())
            && self.names.iter().zip(&other.names).all(|(a, b)| a.may_meet(b))
    }

    /// Returns the pattern that matches only the key at `path`, in the 64-bit view.
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

    /// Returns the pattern as the path of one key; `None` if a name contains a `*`. A path below HKCU then means this
    /// key in the hive of each user.
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

    /// Returns the pattern for the same keys by their canonical names on 64-bit Windows: for example, HKCR becomes
    /// `HKLM\SOFTWARE\Classes`. In the result, [`own`](Self::own) is `None` and [`same_user`](Self::same_user) is
    /// false.
    pub fn one_name(&self) -> Self {
        let is_node = |name: &NamePattern| match name {
            NamePattern::Name(name) => name.as_str().eq_ignore_ascii_case("Wow6432Node"),
            NamePattern::Like(_) => false,
        };
        let has_one = matches!(self.root, RootKey::Hklm | RootKey::Hkcu) && self.view == View::Bits64;
        if has_one && !self.names.iter().any(is_node) {
            return Self { own: None, same_user: false, ..self.clone() };
        }
        self.looked_up_name()
    }

    /// Returns the same as [`KeyPattern::one_name`], but without its quick test for a key that has only one name.
    fn looked_up_name(&self) -> Self {
        // A name with `*` has no other canonical form. During the conversion, a numbered placeholder takes its place.
        let stand_in = |at: usize| format!("\u{1}{at}");
        let mut below = String::new();
        for (at, name) in self.names.iter().enumerate() {
            if at > 0 {
                below.push('\\');
            }
            match name {
                NamePattern::Name(name) => below.push_str(name.as_str()),
                NamePattern::Like(_) => below.push_str(&stand_in(at)),
            }
        }
        // `KeyPath` refuses only a path with too many names. Such a path is built name by name.
        let each = || below.split('\\').filter_map(|name| KeyName::new(name).ok());
        let long = |_| each().fold(KeyPath::root_key(self.root), |path, name| path.child(&name));
        let path = KeyPath::from_parts(self.root, &below).unwrap_or_else(long);
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

    /// Returns the name of an unset parameter in the key, the first one in alphabetical order; `None` if all parameters
    /// in the key have data.
    pub fn unset_parameter(&self) -> Option<&str> {
        self.unset.as_ref()?.parameters.first().map(String::as_str)
    }

    /// Writes the path of the pattern, without its view.
    fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        out.write_str(self.root.short())?;
        for name in &self.names {
            out.write_char('\\')?;
            name.write(out)?;
        }
        Ok(())
    }

    /// Returns the root key, the names and the view of the pattern as text in upper case. For two patterns in which
    /// these parts are equal without regard to letter case, the text is equal, so it can be the key of a map.
    pub fn folded(&self) -> String {
        let mut text = String::with_capacity(64);
        let _ = self.write(&mut text);
        if self.view == View::Bits32 {
            // Unlike words in brackets, two backslashes are not a part of any name.
            text.push_str("\\\\32");
        }
        if text.is_ascii() {
            text.make_ascii_uppercase();
            return text;
        }
        String::from_utf16_lossy(&text.encode_utf16().map(upcase).collect::<Vec<_>>())
    }
}

impl fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unset {
            Some(unset) => f.write_str(&unset.key)?,
            None => self.write(f)?,
        }
        if self.view == View::Bits32 { f.write_str(" [32-bit view]") } else { Ok(()) }
    }
}

impl PathVariable {
    /// Parses the name of a variable, without percent signs. Letter case is ignored. Returns `None` if kbfix does not
    /// know the variable.
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

    /// Returns the name of the variable, in the spelling of Windows.
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

impl fmt::Display for FilePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::model::Like;

    proptest! {
        #[test]
        fn a_key_with_one_name_is_found_without_looking_it_up(
            root in prop::sample::select(RootKey::ALL.to_vec()),
            names in prop::collection::vec(
                prop::sample::select(vec![
                    "SOFTWARE", "software", "Classes", "Wow6432Node", "WOW6432NODE", "Policies", "SYSTEM", "x", "*",
                    "CurrentControlSet", "Hardware Profiles", "Current", "S-1-5-18", "S-1-5-21-1-2-3-4_Classes",
                    ".DEFAULT", "AppID",
                ]),
                0..6,
            ),
            is_narrow: bool,
        ) {
            let name = |text: &str| match text {
                "*" => NamePattern::Like(Like::new(vec![String::new(), String::new()])),
                text => NamePattern::Name(KeyName::new(text).unwrap()),
            };
            let key = KeyPattern {
                root,
                names: names.into_iter().map(name).collect(),
                view: if is_narrow { View::Bits32 } else { View::Bits64 },
                own: Some(0),
                same_user: true,
                default_profile: true,
                unset: None,
            };
            prop_assert_eq!(key.one_name(), key.looked_up_name());
            prop_assert_eq!(key.one_name().to_string(), key.looked_up_name().to_string());
        }
    }
}
