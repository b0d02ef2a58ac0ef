//! Opens keys of the live registry, but follows no links except those that Windows itself makes.
//!
//! Windows silently follows a symbolic link in a key's path. Therefore kbfix asks Windows for the real name of each
//! opened key. If this is not the name of the requested key, the path contains a link that Windows did not make, and
//! kbfix does not use the key. Otherwise the handle refers to the opened key, even if a link is changed later.
//!
//! Sources: Microsoft, "RegOpenKeyEx function", "ZwQueryKey function" (KeyNameInformation).

use windows_registry::Key as Handle;
use windows_sys::Win32::System::Registry::KEY_QUERY_VALUE;

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
    /// Converts the reason into the answer to a question.
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
            Self::Elsewhere(why) => WriteError::Unsupported { place, detail: why.detail },
        }
    }
}

/// An open key.
pub(super) struct Opened {
    pub(super) handle: Handle,
    /// The key at which the hive that contains this key is loaded. `None` for a root key, and in a Windows container.
    pub(super) hive: Option<KeyPath>,
}

/// Opens an existing key, in the view of `key` and with these access rights.
///
/// # Errors
/// Returns Windows' error code, or that the path contains a link to another key.
pub(super) fn open(key: &Key, access: u32) -> Result<Opened, Closed> {
    let opened =
        Code::of(root(key.path.root()).options().access(access | view_flag(key.view)).open(key.path.below_root()));
    let handle = match opened {
        Ok(handle) => handle,
        // A link to a missing key is itself a key that exists.
        Err(code) if code.is_absent() => return Err(link_on_the_way(key).map_or(Closed::Code(code), Closed::Elsewhere)),
        Err(code) => return Err(code.into()),
    };
    if key.path.parent().is_none() {
        return Ok(Opened { handle, hive: None });
    }
    let name = raw::name(&handle)?;
    let elsewhere = match native_path(&name) {
        Some(real) if key.is_at(&real) => return Ok(Opened { handle, hive: hive_of(&real) }),
        Some(real) => link_on_the_way(key).unwrap_or_else(|| Unread::linked(&key.path, &real.to_string())),
        // In a Windows container, the hives have other names.
        None => match link_on_the_way(key) {
            Some(link) => link,
            None => return Ok(Opened { handle, hive: None }),
        },
    };
    Err(Closed::Elsewhere(elsewhere))
}

/// Returns the topmost registry link in the path of `key`, as the reason for not reading the key. Links that Windows
/// itself makes are not considered.
fn link_on_the_way(key: &Key) -> Option<Unread> {
    let mut buffer = raw::Buffer::new();
    for path in key.way() {
        let found =
            match raw::open_itself(root(path.root()), path.below_root(), KEY_QUERY_VALUE | view_flag(View::Bits64)) {
                Ok(handle) => raw::value(&handle, LINK_VALUE, &mut buffer),
                Err(code) if code.is_absent() => return None,
                // Here it is not known whether the key is a link; the name of the key that is opened through it will
                // show it.
                Err(_) => continue,
            };
        if let Some(to) = found.ok().as_ref().and_then(link_target) {
            return Some(Unread::linked(&path, &to.map_or_else(|text| text, |path| path.to_string())));
        }
    }
    None
}

/// Returns the number of the control set to which `CurrentControlSet` leads.
///
/// The link itself is read, because `Select` may have been changed since Windows started.
pub(super) fn control_set() -> Answer<u16> {
    let access = KEY_QUERY_VALUE | view_flag(View::Bits64);
    let link = raw::open_itself(root(RootKey::Hklm), r"SYSTEM\CurrentControlSet", access)
        .and_then(|key| raw::value(&key, LINK_VALUE, &mut raw::Buffer::new()));
    match link {
        Ok(link) => control_set::of_link(&link),
        Err(code) => code.answer(),
    }
}

/// Returns the reason why kbfix does not change a volatile key: a key that exists in memory only.
pub(super) fn volatile(key: &Key) -> Unread {
    let detail = format!("{key} is a volatile key: Windows deletes it, with all changes in it, at the next restart");
    Unread::new(Reason::Unsupported, detail)
}

/// Returns the key at which the hive that contains a key is loaded. This is the root key and the first name of the
/// key's real path, such as `HKLM\SOFTWARE`.
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
