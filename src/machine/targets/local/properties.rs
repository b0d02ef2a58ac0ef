//! Reads and sets class names and security descriptors of keys in the live registry.
//!
//! They are read before a key is deleted, and set when the key is created again. Only the owner, the group and the DACL
//! of a descriptor are used, because reading the audit entries (SACL) requires a privilege.
#![allow(unsafe_code)]

use std::ptr::{null, null_mut};

use windows_registry::Key as Handle;
use windows_sys::Win32::{
    Foundation::{CloseHandle, ERROR_INSUFFICIENT_BUFFER, ERROR_MORE_DATA, ERROR_SUCCESS, HANDLE, LUID},
    Security::{
        AdjustTokenPrivileges, DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, LUID_AND_ATTRIBUTES,
        LookupPrivilegeValueW, OWNER_SECURITY_INFORMATION, SE_PRIVILEGE_ENABLED, SE_RESTORE_NAME,
        TOKEN_ADJUST_PRIVILEGES, TOKEN_PRIVILEGES,
    },
    Storage::FileSystem::{READ_CONTROL, WRITE_DAC, WRITE_OWNER},
    System::{
        Registry::{RegGetKeySecurity, RegQueryInfoKeyW, RegSetKeySecurity},
        Threading::{GetCurrentProcess, OpenProcessToken},
    },
};

use crate::{
    registry::{KeyProperties, SecurityDescriptor},
    targets::{Answer, Reason},
};

use super::error::Code;

/// The access right that is needed to read a security descriptor.
pub(super) const READ: u32 = READ_CONTROL;
/// The access rights that are needed to set a security descriptor.
pub(super) const WRITE: u32 = WRITE_DAC | WRITE_OWNER;

const PARTS: u32 = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
/// The size in bytes of the largest security descriptor that kbfix reads. Its lists have at most 64 KiB each, so a
/// larger descriptor is an error.
const LONGEST: u32 = 1 << 20;

/// Returns the class name and security descriptor of a key. The key must be open with the access right [`READ`].
pub(super) fn read(key: &Handle) -> Answer<KeyProperties> {
    let read = || Ok((class(key)?, security(key)?));
    let (class, security) = match read() {
        Ok(read) => read,
        Err(code) => return Code::answer(code),
    };
    let class = match String::from_utf16(&class) {
        Ok(class) => Some(class).filter(|class| !class.is_empty()),
        Err(_) => return Answer::unread(Reason::Unsupported, "the class name of the key is not valid UTF-16"),
    };
    match SecurityDescriptor::new(security) {
        Ok(security) => Answer::Present(KeyProperties { class, security }),
        Err(why) => Answer::unread(Reason::Malformed, why),
    }
}

fn class(key: &Handle) -> Result<Vec<u16>, Code> {
    let mut class = vec![0_u16; 256];
    loop {
        let mut length = class.len() as u32;
        // SAFETY: the handle is open as long as `key` lives; `length` is the size of `class`; the other pointers may be
        // null.
        let code = unsafe {
            RegQueryInfoKeyW(
                key.as_raw(),
                class.as_mut_ptr(),
                &mut length,
                null(),
                null_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
            )
        };
        match code {
            ERROR_SUCCESS => {
                class.truncate(length as usize);
                return Ok(class);
            }
            ERROR_MORE_DATA if class.len() < u16::MAX.into() => class.resize(class.len() * 2, 0),
            code => return Err(Code(code)),
        }
    }
}

fn security(key: &Handle) -> Result<Vec<u8>, Code> {
    let mut length = 1024;
    loop {
        let mut bytes = vec![0_u8; length as usize];
        // SAFETY: the handle is open as long as `key` lives; `length` is the size of `bytes`.
        let code = unsafe { RegGetKeySecurity(key.as_raw(), PARTS, bytes.as_mut_ptr().cast(), &mut length) };
        match code {
            ERROR_SUCCESS => {
                bytes.truncate(length as usize);
                return Ok(bytes);
            }
            ERROR_INSUFFICIENT_BUFFER if (bytes.len() as u32) < length && length <= LONGEST => {}
            code => return Err(Code(code)),
        }
    }
}

/// Sets the security descriptor of a key. The key must be open with the access rights [`WRITE`].
///
/// # Errors
/// Returns Windows' error code; it is ERROR_INVALID_OWNER if the account may not set this owner.
pub(super) fn set_security(key: &Handle, security: &SecurityDescriptor) -> Result<(), Code> {
    enable_restore_privilege();
    let descriptor = security.bytes().as_ptr().cast_mut().cast();
    // SAFETY: the handle is open as long as `key` lives; the parts of the descriptor lie inside it, as its type
    // guarantees; the call does not write to it.
    match unsafe { RegSetKeySecurity(key.as_raw(), PARTS, descriptor) } {
        ERROR_SUCCESS => Ok(()),
        code => Err(Code(code)),
    }
}

/// Enables the privilege to set any owner, if the account has this privilege. Administrators have it, but Windows
/// disables it at first.
///
/// Without this privilege, an account can make only itself and some of its groups the owner.
fn enable_restore_privilege() {
    let mut token: HANDLE = null_mut();
    let mut luid = LUID::default();
    // SAFETY: the pseudo handle of this process is always valid, the name is a NUL-terminated constant, and results go
    // to live variables; the token is closed only if it was opened.
    unsafe {
        if OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &mut token) == 0 {
            return;
        }
        if LookupPrivilegeValueW(null(), SE_RESTORE_NAME, &mut luid) != 0 {
            let privilege = LUID_AND_ATTRIBUTES { Luid: luid, Attributes: SE_PRIVILEGE_ENABLED };
            let wanted = TOKEN_PRIVILEGES { PrivilegeCount: 1, Privileges: [privilege] };
            AdjustTokenPrivileges(token, 0, &wanted, 0, null_mut(), null_mut());
        }
        CloseHandle(token);
    }
}
