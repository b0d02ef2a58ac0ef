//! Opens keys of the live registry where they are, and nowhere else.
//!
//! Windows follows a symbolic link in a key's path without a word. So the system is asked for the name of each key that was opened:
//! where that is not the key that was asked for, a link that Windows did not make led elsewhere, and the key is not used. What
//! is done with the handle after that is done to the key that it was opened for, whatever becomes of the path meanwhile.
//!
//! Sources: Microsoft, "RegOpenKeyEx function", "ZwQueryKey function" (KeyNameInformation).

use windows_registry::Key as Handle;
use windows_sys::Win32::System::Registry::KEY_QUERY_VALUE;

use super::{error::Code, raw, view_flag};
use crate::{
    registry::{Key, KeyPath, LINK_VALUE, RootKey, View, link_target, native_path},
    targets::{Answer, Reason, Unread, WriteError},
};

/// Why a key was not opened.
#[derive(Debug)]
pub(super) enum Closed {
    /// The system says so.
    Code(Code),
    /// It is not where it seems to be.
    Elsewhere(Unread),
}

impl From<Code> for Closed {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}

impl Closed {
    /// As the answer to a question.
    pub(super) fn answer<T>(self) -> Answer<T> {
        match self {
            Self::Code(code) => code.answer(),
            Self::Elsewhere(why) => Answer::Unread(why),
        }
    }

    /// As the refusal of a change.
    pub(super) fn write_error(self, place: String) -> WriteError {
        match self {
            Self::Code(code) => code.write_error(place),
            Self::Elsewhere(why) => WriteError::Unsupported { place, detail: why.detail },
        }
    }
}

/// Opens a key that is there, in its view, with these rights.
///
/// # Errors
/// The system's code; or that a link leads elsewhere.
pub(super) fn open(key: &Key, access: u32) -> Result<Handle, Closed> {
    let opened =
        Code::of(root(key.path.root()).options().access(access | view_flag(key.view)).open(key.path.below_root()));
    let handle = match opened {
        Ok(handle) => handle,
        // A link that leads nowhere is there all the same.
        Err(code) if code.is_absent() => return Err(link_on_the_way(key).map_or(Closed::Code(code), Closed::Elsewhere)),
        Err(code) => return Err(code.into()),
    };
    if key.path.parent().is_none() {
        return Ok(handle);
    }
    let name = raw::name(&handle)?;
    let elsewhere = match native_path(&name) {
        Some(real) if key.is_at(&real) => return Ok(handle),
        Some(real) => link_on_the_way(key).unwrap_or_else(|| Unread::linked(&key.path, &real.to_string())),
        // In a container the hives have other names.
        None => match link_on_the_way(key) {
            Some(link) => link,
            None => return Ok(handle),
        },
    };
    Err(Closed::Elsewhere(elsewhere))
}

/// The first link from the root down to the key that Windows did not make.
fn link_on_the_way(key: &Key) -> Option<Unread> {
    let mut buffer = raw::Buffer::new();
    for path in key.way() {
        let found =
            match raw::open_itself(root(path.root()), path.below_root(), KEY_QUERY_VALUE | view_flag(View::Bits64)) {
                Ok(handle) => raw::value(&handle, LINK_VALUE, &mut buffer),
                Err(code) if code.is_absent() => return None,
                // Whether it is a link cannot be seen; the name of what is opened through it can.
                Err(_) => continue,
            };
        if let Some(to) = found.ok().as_ref().and_then(link_target) {
            return Some(Unread::linked(&path, &to.map_or_else(|text| text, |path| path.to_string())));
        }
    }
    None
}

/// That a key exists in memory only.
pub(super) fn volatile(key: &Key) -> Unread {
    let detail =
        format!("{key} is a volatile key: it is gone when Windows restarts, and so is all that is changed in it");
    Unread::new(Reason::Unsupported, detail)
}

/// The first name of the path that the system knows the key by, which tells its hive.
pub(super) fn hive_of(handle: &Handle) -> Option<KeyPath> {
    let path = native_path(&raw::name(handle).ok()?)?;
    KeyPath::from_parts(path.root(), path.names().next()?).ok()
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
