//! Opens keys of the live registry, but follows no links except those that Windows itself makes.
//!
//! Windows silently follows a symbolic link in a key's path. Therefore kbfix asks Windows for the real name of each
//! opened key. If this is not a name of the requested key, the path contains a link that Windows did not make, and
//! kbfix does not use the key. A handle continues to refer to the opened key, even if a link is changed later.
//!
//! Sources: Microsoft, "RegOpenKeyEx function", "ZwQueryKey function" (KeyNameInformation).

use windows_registry::Key as Handle;
use windows_sys::Win32::{Foundation::ERROR_FILE_NOT_FOUND, System::Registry::KEY_QUERY_VALUE};

use super::{error::Code, raw, view_flag};
use crate::{
    registry::{Key, KeyPath, LINK_VALUE, RootKey, View, link_target, native_path},
    targets::{Answer, Reason, Unread, WriteError, control_set},
};

/// The reason why a key was not opened.
#[derive(Debug)]
pub(super) enum Closed {
    /// Windows returned this error code.
    Code(Code),
    /// The path of the key contains a link that leads to another key.
    Elsewhere(Unread),
}

impl From<Code> for Closed {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}

impl Closed {
    /// Converts the reason into the answer about the key: absent if it does not exist, otherwise why it was not read.
    pub(super) fn answer<T>(self) -> Answer<T> {
        match self {
            Self::Code(code) => code.answer(),
            Self::Elsewhere(why) => Answer::Unread(why),
        }
    }

    /// Converts the reason into the error of a change. `place` is the key in the message.
    pub(super) fn write_error(self, place: String) -> WriteError {
        match self {
            Self::Code(code) => code.write_error(place),
            Self::Elsewhere(why) => WriteError::Unsupported { place, detail: why.detail.to_string() },
        }
    }
}

/// A registry key that was opened on this machine: its handle, and the key at which its hive is loaded.
pub(super) struct Opened {
    pub(super) handle: Handle,
    /// The key at which the hive that contains this key is loaded. `None` for a root key, and in a Windows container.
    pub(super) hive: Option<KeyPath>,
}

/// Facts about the keys above some queried keys, so that kbfix need not query them again for the next key. The facts
/// are valid only for questions that are asked together, because the registry can change at any time.
#[derive(Default)]
pub(super) struct Above {
    /// The last key that was found absent. Every key below it is absent too.
    absent: Option<KeyPath>,
    /// The last key that was found not to be a link. Among the keys above it, as [`Key::way`] lists them, no link was
    /// found either.
    no_link: Option<KeyPath>,
}

impl Above {
    fn is_absent(&self, key: &Key) -> bool {
        key.view == View::Bits64 && self.absent.as_ref().is_some_and(|absent| key.path.is_within(absent))
    }

    /// Records that `path`, a key above `key`, is absent. Does nothing for keys of the 32-bit view, and for keys below
    /// root keys other than HKLM and HKU: such a key can exist although the key above it in the path is absent.
    fn note_absent(&mut self, key: &Key, path: KeyPath) {
        let is_direct = key.view == View::Bits64 && matches!(path.root(), RootKey::Hklm | RootKey::Hku);
        if is_direct && key.path.is_within(&path) {
            self.absent = Some(path);
        }
    }

    fn is_no_link(&self, path: &KeyPath) -> bool {
        self.no_link.as_ref().is_some_and(|below| below.is_within(path))
    }
}

/// Opens an existing key, in the view of `key` and with these access rights.
///
/// # Errors
/// Returns Windows' error code, or that the path contains a link to another key.
pub(super) fn open(key: &Key, access: u32) -> Result<Opened, Closed> {
    open_below(key, access, &mut Above::default())
}

/// Opens a key as [`open`] does. `above` has what earlier questions found: if it shows that a key above this key is
/// absent, Windows is not asked again.
///
/// # Errors
/// Returns the errors of [`open`].
pub(super) fn open_below(key: &Key, access: u32, above: &mut Above) -> Result<Opened, Closed> {
    if above.is_absent(key) {
        return Err(Closed::Code(Code(ERROR_FILE_NOT_FOUND)));
    }
    let opened =
        Code::of(root(key.path.root()).options().access(access | view_flag(key.view)).open(key.path.below_root()));
    let handle = match opened {
        Ok(handle) => handle,
        // A link to a missing key is itself a key that exists.
        Err(code) if code.is_absent() => {
            return Err(link_on_the_way(key, above).map_or(Closed::Code(code), Closed::Elsewhere));
        }
        Err(code) => return Err(code.into()),
    };
    if key.path.parent().is_none() {
        return Ok(Opened { handle, hive: None });
    }
    let name = raw::name(&handle)?;
    // The name shows that the path leads elsewhere now, so what was found before does not count.
    let link = || link_on_the_way(key, &mut Above::default());
    let elsewhere = match native_path(&name) {
        Some(real) if key.is_at(&real) => return Ok(Opened { handle, hive: hive_of(&real) }),
        Some(real) => link().unwrap_or_else(|| Unread::linked(&key.path, &real.to_string())),
        // In a Windows container, the hives have other names.
        None => match link() {
            Some(link) => link,
            None => return Ok(Opened { handle, hive: None }),
        },
    };
    Err(Closed::Elsewhere(elsewhere))
}

/// Returns the topmost registry link in the path of `key`, as the reason for not reading the key. Links that Windows
/// itself makes are not considered. Keys that are no links according to `above` are not examined again. Returns `None`
/// if no link was found. Below an absent key, none is looked for.
fn link_on_the_way(key: &Key, above: &mut Above) -> Option<Unread> {
    let mut buffer = raw::Buffer::new();
    for path in key.way() {
        if above.is_no_link(&path) {
            continue;
        }
        let access = KEY_QUERY_VALUE | view_flag(View::Bits64);
        let found = match raw::open_itself(root(path.root()), path.below_root(), access) {
            Ok(handle) => raw::value(&handle, LINK_VALUE, &mut buffer),
            Err(code) if code.is_absent() => {
                above.note_absent(key, path);
                return None;
            }
            // Here it is not known whether the key is a link; the name of the key that is opened through it will show
            // it.
            Err(_) => continue,
        };
        if let Some(to) = found.as_ref().ok().and_then(link_target) {
            return Some(Unread::linked(&path, &to.map_or_else(|text| text, |path| path.to_string())));
        }
        above.no_link = Some(path);
    }
    None
}

/// Returns the number of the control set to which the key `CurrentControlSet` leads. The answer is absent if the key is
/// not a link, and malformed if the link does not lead to a control set.
///
/// The link is read, not the key `Select`, which may have been changed since Windows made the link at startup.
pub(super) fn control_set() -> Answer<u16> {
    let access = KEY_QUERY_VALUE | view_flag(View::Bits64);
    let link = raw::open_itself(root(RootKey::Hklm), r"SYSTEM\CurrentControlSet", access)
        .and_then(|key| raw::value(&key, LINK_VALUE, &mut raw::Buffer::new()));
    match link {
        Ok(link) => control_set::of_link(&link),
        Err(code) => code.answer(),
    }
}

/// Returns the reason why kbfix neither changes nor deletes a volatile key, which exists in memory only.
pub(super) fn volatile(key: &Key) -> Unread {
    let detail = format!("{key} is a volatile key: Windows deletes it, with all changes in it, at the next restart");
    Unread::new(Reason::Unsupported, detail)
}

/// Returns the key at which the hive that contains a key is loaded. This is the root key and the first name of the
/// key's real path, such as `HKLM\SOFTWARE`; `None` for a root key.
fn hive_of(real: &KeyPath) -> Option<KeyPath> {
    KeyPath::from_parts(real.root(), real.names().next()?).ok()
}

fn root(root: RootKey) -> &'static Handle {
    match root {
        RootKey::Hkcr => windows_registry::CLASSES_ROOT,
        RootKey::Hkcu => windows_registry::CURRENT_USER,
        RootKey::Hklm => windows_registry::LOCAL_MACHINE,
        RootKey::Hku => windows_registry::USERS,
        RootKey::Hkcc => windows_registry::CURRENT_CONFIG,
    }
}
