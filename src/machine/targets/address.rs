//! The address of a target: its URI, and the further options that some kinds of targets need.

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    files::canonical::canonical,
    registry::{KeyPath, RootKey},
};

use super::smb::Host;

/// The address of a target: its URI and options, with absolute paths. Journals store it, so that a rollback can open
/// the same target again. It contains no password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The URI. If it contains a path, the path is absolute.
    pub uri: String,
    /// The local folder that contains the files of drive C, for an export, a hive or another machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<PathBuf>,
    /// The number of the ANSI code page of a registry export that has no byte order mark, such as 1252.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_page: Option<u16>,
    /// Local folders with the files of further drives, for an image, a hive or another machine. The keys of the map are
    /// drive letters in upper case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drives: BTreeMap<char, PathBuf>,
    /// Whether kbfix may read a hive that was not written completely (dirty) and that its logs cannot complete. kbfix
    /// never writes such a hive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_dirty: bool,
    /// Whether kbfix reads and writes values in the policy branches of `HKLM` in the local GPO of an image, instead of
    /// in the image's hives.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub through_policy: bool,
}

/// The kinds of targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// This Windows machine: its live registry and the files on its disks.
    Local,
    /// A Windows installation that is not running; the path is the folder where its volume is mounted.
    Image(PathBuf),
    /// A hive file, and the key at which Windows loads this hive.
    Hive(PathBuf, KeyPath),
    /// A registry export (`.reg` file).
    Reg(PathBuf),
    /// A registry policy file (`Registry.pol`), and the root key that its settings are for: HKLM or HKCU.
    Pol(PathBuf, RootKey),
    /// A snapshot: a file that contains facts which kbfix read from another target.
    Snapshot(PathBuf),
    /// Another machine, which kbfix accesses over SMB.
    Smb(Host),
}

/// The options of an address that only some kinds of targets accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// The option that sets [`Address::files`].
    Files,
    /// The option that sets [`Address::drives`].
    Drives,
    /// The option that sets [`Address::allow_dirty`].
    AllowDirty,
    /// The option that sets [`Address::through_policy`].
    ThroughPolicy,
    /// The option that sets [`Address::code_page`].
    CodePage,
}

/// The error for a string that is not the address of a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{uri}` is not a target: {detail}")]
pub struct AddressError {
    /// The string that was given as an address, for messages. Text that may be a password is replaced with `…`.
    pub uri: String,
    /// A description of what is wrong with the string.
    pub detail: String,
}

/// The accepted forms of a URI, for error messages.
const KINDS: &str =
    "a target is `local`, `image:DIR`, `hive:FILE=KEY`, `reg:FILE`, `pol:FILE`, `snapshot:FILE` or `smb://HOST`";

impl Address {
    /// Returns the address with this URI, `files` and `code_page`, and no other option. The path in the URI and the
    /// path `files` become absolute.
    ///
    /// # Errors
    /// Returns [`AddressError`] if the URI is not valid.
    pub fn new(uri: &str, files: Option<&Path>, code_page: Option<u16>) -> Result<Self, AddressError> {
        let mut address = Self {
            uri: uri.to_owned(),
            files: files.map(absolute),
            code_page,
            drives: BTreeMap::new(),
            allow_dirty: false,
            through_policy: false,
        };
        address.uri = match address.kind()? {
            Kind::Local => "local".to_owned(),
            Kind::Image(path) => format!("image:{}", absolute(&path).display()),
            Kind::Hive(path, key) => format!("hive:{}={key}", absolute(&path).display()),
            Kind::Reg(path) => format!("reg:{}", absolute(&path).display()),
            Kind::Pol(path, root) => format!("pol:{}={}", absolute(&path).display(), root.short()),
            Kind::Snapshot(path) => format!("snapshot:{}", absolute(&path).display()),
            Kind::Smb(host) => host.to_string(),
        };
        Ok(address)
    }

    /// Sets the local folders that contain the files of further drives, and makes their paths absolute.
    #[must_use]
    pub fn with_drives<'a>(mut self, drives: impl IntoIterator<Item = &'a (char, PathBuf)>) -> Self {
        self.drives = drives.into_iter().map(|(letter, folder)| (*letter, absolute(folder))).collect();
        self
    }

    /// Sets [`Address::allow_dirty`].
    #[must_use]
    pub fn with_dirty_hives(mut self, allowed: bool) -> Self {
        self.allow_dirty = allowed;
        self
    }

    /// Sets [`Address::through_policy`].
    #[must_use]
    pub fn with_through_policy(mut self, through: bool) -> Self {
        self.through_policy = through;
        self
    }

    /// Returns an option that this kind of target does not accept, or that names a folder for drive C a second time,
    /// with the reason why it is wrong; `None` if there is no such option.
    ///
    /// Callers reject such an option: if they ignored it, kbfix could read something other than what the user named.
    ///
    /// # Errors
    /// Returns [`AddressError`] if the URI is not valid.
    pub fn misfit(&self) -> Result<Option<(Extra, &'static str)>, AddressError> {
        let kind = self.kind()?;
        let own_drive = match kind {
            Kind::Local => Some("the target `local` reads the drives of this machine"),
            Kind::Image(_) => Some("the folder of an image already contains its files"),
            Kind::Snapshot(_) => Some("a snapshot already contains the facts of its files"),
            Kind::Pol(..) => Some("a policy file does not contain files"),
            Kind::Hive(..) | Kind::Reg(_) | Kind::Smb(_) => None,
        };
        let no_drives = match kind {
            Kind::Reg(_) => Some("an export accepts only the folder of drive C"),
            Kind::Image(_) => None,
            _ => own_drive,
        };
        let whole = (!matches!(kind, Kind::Image(_) | Kind::Hive(..)))
            .then_some("only a hive file, or the hives of an image, can be incomplete (dirty)");
        let stores = match kind {
            Kind::Image(_) => None,
            Kind::Pol(..) => Some("a target `pol:FILE` always changes the policy file itself"),
            Kind::Local => Some("on a running Windows, name the `Registry.pol` of the local GPO with `pol:FILE`"),
            _ => Some("kbfix can change the local GPO only in an image"),
        };
        let unicode = (!matches!(kind, Kind::Reg(_))).then_some("only a registry export has a code page");
        let twice = self.drives.contains_key(&'C').then_some("another option names a folder for drive C too");
        Ok(None
            .or(own_drive.or(twice).filter(|_| self.files.is_some()).map(|why| (Extra::Files, why)))
            .or(no_drives.filter(|_| !self.drives.is_empty()).map(|why| (Extra::Drives, why)))
            .or(whole.filter(|_| self.allow_dirty).map(|why| (Extra::AllowDirty, why)))
            .or(stores.filter(|_| self.through_policy).map(|why| (Extra::ThroughPolicy, why)))
            .or(unicode.filter(|_| self.code_page.is_some()).map(|why| (Extra::CodePage, why))))
    }

    /// Returns the kind of the target.
    ///
    /// # Errors
    /// Returns [`AddressError`] if the URI is not valid.
    pub fn kind(&self) -> Result<Kind, AddressError> {
        let because = |detail: String| AddressError { uri: self.uri.clone(), detail };
        let error = || AddressError { uri: without_password(&self.uri), detail: KINDS.to_owned() };
        let (scheme, rest) = match self.uri.split_once(':') {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), Some(rest)),
            None => (self.uri.to_ascii_lowercase(), None),
        };
        match (scheme.as_str(), rest) {
            ("local", None) => Ok(Kind::Local),
            (_, None | Some("")) => Err(error()),
            ("image", Some(path)) => Ok(Kind::Image(path.into())),
            // The last `=` counts: a file name may contain `=`, but the key at which Windows loads a hive does not.
            ("hive", Some(rest)) => match rest.rsplit_once('=') {
                Some((path, key)) if !path.is_empty() => {
                    let key: KeyPath = key.parse().map_err(|e| because(format!("{e}")))?;
                    match (key.root(), key.parent()) {
                        (RootKey::Hklm | RootKey::Hku | RootKey::Hkcc | RootKey::Hkcr, None) => Err(because(format!(
                            "Windows never loads a hive at the key {key}; give the key at which it loads this hive, such as HKLM\\SYSTEM"
                        ))),
                        _ => Ok(Kind::Hive(path.into(), key)),
                    }
                }
                _ => Err(because(
                    "a hive needs its file and the key at which Windows loads it, such as `hive:FILE=HKLM\\SYSTEM`"
                        .to_owned(),
                )),
            },
            ("reg", Some(path)) => Ok(Kind::Reg(path.into())),
            ("pol", Some(rest)) => policy(rest).map_err(because),
            ("snapshot", Some(path)) => Ok(Kind::Snapshot(path.into())),
            // A password in the wrong place may be the cause of the error, so no part of the URI is quoted.
            ("smb", Some(_)) => self.uri.parse().map(Kind::Smb).map_err(|error: crate::targets::smb::HostError| {
                AddressError { uri: "smb://…".to_owned(), detail: error.to_string() }
            }),
            _ => Err(error()),
        }
    }
}

/// Returns the string without the text that may be a password: everything from the first `:` or `%` to the last `@`
/// after it becomes `…`. A string such as `smbs://USER:PASSWORD@HOST` may be the misspelled URI of another machine. If
/// `smb:` is in the string, in any letter case, nothing after it is kept.
fn without_password(uri: &str) -> String {
    if let Some(at) = uri.to_ascii_lowercase().find("smb:") {
        return format!("{}smb://…", &uri[..at]);
    }
    match (uri.find([':', '%']), uri.rfind('@')) {
        (Some(from), Some(to)) if from < to => format!("{}…{}", &uri[..=from], &uri[to..]),
        _ => uri.to_owned(),
    }
}

/// Parses the text after `pol:` in the URI of a policy file: `PATH=ROOT` or `PATH`. Without ROOT, the root key is HKLM.
/// If the text after the last `=` is not the name of a root key, it belongs to PATH.
///
/// # Errors
/// Returns a message if PATH is empty before `=ROOT`, if ROOT is neither HKLM nor HKCU, or if there is no ROOT although
/// [`may_be_of_users`] is true.
fn policy(rest: &str) -> Result<Kind, String> {
    let given = rest.rsplit_once('=').and_then(|(path, root)| Some((path, RootKey::parse(root)?)));
    if let Some((path, root)) = given {
        return match root {
            _ if path.is_empty() => Err("a policy file needs a path, such as `pol:Registry.pol=HKLM`".to_owned()),
            RootKey::Hklm | RootKey::Hkcu => Ok(Kind::Pol(path.into(), root)),
            _ => Err("the root key of a policy file must be HKLM or HKCU".to_owned()),
        };
    }
    match may_be_of_users(rest) {
        true => Err(format!(
            "this file may be the policy of a user or of the machine; give its root key: `pol:{rest}=HKCU` or `pol:{rest}=HKLM`"
        )),
        false => Ok(Kind::Pol(rest.into(), RootKey::Hklm)),
    }
}

/// Returns whether a policy file may contain settings for HKCU: its name, or the name of its folder, is `ntuser.pol` or
/// `User` in any letter case. Only the path can show this, because the file does not contain its root key. A relative
/// path starts at the current folder.
pub fn may_be_of_users(path: &str) -> bool {
    let whole = std::path::absolute(path).map_or_else(|_| path.into(), |whole| whole.display().to_string());
    let mut parts = whole.split(['/', '\\']).rev().take(2);
    parts.any(|part| part.eq_ignore_ascii_case("User") || part.eq_ignore_ascii_case("ntuser.pol"))
}

/// Returns the path in the form that locks, journals and plans use: absolute, without `.` and `..`, and with links
/// resolved as far as the path exists.
///
/// If this form is not valid Unicode, and so cannot be written in a URI, links and (except on Windows) `..` are kept.
/// If the current folder is unknown, a relative path is returned as given.
fn absolute(path: &Path) -> PathBuf {
    let given = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut rest = Vec::new();
    for above in given.ancestors() {
        if let Ok(mut whole) = canonical(above) {
            for part in rest.into_iter().rev() {
                match part {
                    Component::ParentDir => drop(whole.pop()),
                    Component::CurDir => {}
                    part => whole.push(part),
                }
            }
            return if whole.to_str().is_some() { whole } else { given };
        }
        // `file_name` would skip `..`, but it is a part of the path as well.
        rest.extend(above.components().next_back());
    }
    given
}

#[cfg(all(test, unix))]
mod tests {
    use crate::targets::address::*;

    #[test]
    fn every_spelling_of_a_place_is_one_uri() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::os::unix::fs::symlink("a/b", root.join("link")).unwrap();
        let uri = |below: &str| Address::new(&format!("image:{}/{below}", root.display()), None, None).unwrap().uri;
        let one = format!("image:{}/a/b", root.display());
        for spelling in ["a/b", "a/b/", "a//b/.", "a/../a/b", "a/b/../../link", "link/", "./link/../b"] {
            assert_eq!(uri(spelling), one, "{spelling}");
        }
        // A path that does not exist has only one canonical form as well.
        let none = format!("image:{}/a/no/x", root.display());
        for spelling in ["a/no/x", "a/no/../no/x/", "a/./no/./x"] {
            assert_eq!(uri(spelling), none, "{spelling}");
        }
    }

    #[test]
    fn a_scheme_has_any_letter_case() {
        for (given, uri) in [
            ("LOCAL", "local"),
            ("Image:/i", "image:/i"),
            (r"HIVE:/f=hklm\System", r"hive:/f=HKLM\System"),
            ("Reg:/A.reg", "reg:/A.reg"),
            ("POL:/f", "pol:/f=HKLM"),
            ("Snapshot:/f", "snapshot:/f"),
            ("SMB://Corp;User@HOST:1445?smb1", "smb://Corp;User@host:1445?smb1"),
            ("Smb://h", "smb://h"),
        ] {
            assert_eq!(Address::new(given, None, None).map(|address| address.uri).as_deref(), Ok(uri), "{given}");
        }
    }

    #[test]
    fn no_message_contains_a_password() {
        for uri in [
            "smb://user:geheim@host",
            "SMB://user:geheim@host",
            "Smb://user:geheim",
            "SMB:user%geheim@host",
            " smb://user:geheim",
            "\"smb://user:geheim",
            "smbs://user:geheim@host",
            "smb ://user:geheim@host",
            "cifs://user:gehe:im@gehe@im@host",
            "//user:geheim@host",
            "smb//user:geheim@host",
            "user:geheim@host",
            "user%geheim@host",
            "local:geheim@",
        ] {
            let error = Address::new(uri, None, None).unwrap_err().to_string();
            assert!(!error.contains("gehe") && !error.contains("im@"), "{uri}: {error}");
            assert!(error.contains(" is not a target: "), "{uri}: {error}");
        }
        let quoted = |uri| Address::new(uri, None, None).unwrap_err().uri;
        assert_eq!(quoted("cifs://user:geheim@host"), "cifs:…@host");
        assert_eq!(quoted("imge:/mnt"), "imge:/mnt");
    }

    #[test]
    fn a_hive_is_not_named_with_a_root_key_that_no_hive_is_mounted_at() {
        for (uri, is_one) in [
            (r"hive:f=HKLM\SYSTEM", true),
            ("hive:f=HKCU", true),
            ("hive:f=HKLM", false),
            ("hive:f=HKU", false),
            ("hive:f=HKCC", false),
            ("hive:f=HKCR", false),
            ("hive:f=HKEY_LOCAL_MACHINE", false),
        ] {
            assert_eq!(Address::new(uri, None, None).is_ok(), is_one, "{uri}");
        }
    }
}
