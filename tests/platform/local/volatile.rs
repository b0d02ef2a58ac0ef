//! Tests volatile keys, which exist in memory only. Wine does not tell which keys are volatile, so there they are read
//! and changed like other keys. The tests have not been run on Windows.
#![allow(unsafe_code, reason = "whether the system tells is asked of the system itself")]

use std::ptr::{null, null_mut};

use kbfix::{
    registry::{Data, Key},
    targets::{Answer, ChangeAction, Reason, Target, ValueSelection, WriteError, local::LocalTarget},
};
use windows_sys::{
    Wdk::System::Registry::{KeyFlagsInformation, NtQueryKey},
    Win32::System::Registry::{
        HKEY, HKEY_LOCAL_MACHINE, KEY_ALL_ACCESS, REG_OPTION_VOLATILE, RegCloseKey, RegCreateKeyExW,
    },
};

use crate::local::scratch::{Scratch, alone, change, is_there, query, value};

/// A volatile key, open until the test ends.
struct Volatile(HKEY);

impl Volatile {
    fn new(at: &Key) -> Self {
        let path: Vec<u16> = at.path.below_root().encode_utf16().chain([0]).collect();
        let mut handle = null_mut();
        // SAFETY: the name ends with a NUL, and the handle goes to a live variable.
        let code = unsafe {
            let (root, options) = (HKEY_LOCAL_MACHINE, REG_OPTION_VOLATILE);
            RegCreateKeyExW(root, path.as_ptr(), 0, null(), options, KEY_ALL_ACCESS, null(), &mut handle, null_mut())
        };
        assert_eq!(code, 0);
        Self(handle)
    }

    /// Returns whether this system tells which keys are volatile.
    fn is_told(&self) -> bool {
        let (mut flags, mut length) = ([0_u32; 4], 0);
        let size = size_of_val(&flags) as u32;
        // SAFETY: the handle is open, and `size` says how many bytes `flags` has.
        unsafe { NtQueryKey(self.0, KeyFlagsInformation, flags.as_mut_ptr().cast(), size, &mut length) == 0 }
    }
}

impl Drop for Volatile {
    fn drop(&mut self) {
        // SAFETY: the handle is open and not used again.
        unsafe { RegCloseKey(self.0) };
    }
}

#[test]
fn a_volatile_key_is_left_alone_where_the_system_tells_of_it() {
    let _alone = alone();
    let scratch = Scratch::machine("volatile");
    let key = scratch.below("v");
    let held = Volatile::new(&key);
    let new = value("n", None, Some(Data::dword(7)));
    let written = LocalTarget::new().write(&[change(&key, ChangeAction::Update, [new])]);
    let whole = query(&key, ValueSelection::All, true);
    match held.is_told() {
        true => {
            assert!(matches!(written.unwrap_err().error, WriteError::Unsupported { .. }));
            assert!(matches!(whole, Answer::Unread(why) if why.reason == Reason::Unsupported));
        }
        false => {
            written.unwrap();
            assert!(matches!(whole, Answer::Present(_)));
        }
    }
    drop(held);
    assert!(is_there(&key));
}
