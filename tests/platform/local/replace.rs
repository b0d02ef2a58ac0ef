//! Tests that a replaced file keeps its permissions and attributes, if the system supports them. Wine keeps the mode
//! bits of Unix, and keeps attributes only on a disk with extended attributes.
#![allow(unsafe_code, reason = "std knows no security descriptors")]

use std::{
    fs,
    os::windows::{
        ffi::OsStrExt,
        fs::{MetadataExt, OpenOptionsExt},
    },
    path::Path,
    ptr::null_mut,
    slice,
};

use kbfix::files::replace::replace_file;
use windows_sys::Win32::{
    Security::{
        Authorization::{
            ConvertSecurityDescriptorToStringSecurityDescriptorW, ConvertStringSecurityDescriptorToSecurityDescriptorW,
            SDDL_REVISION_1,
        },
        DACL_SECURITY_INFORMATION, GetFileSecurityW, OWNER_SECURITY_INFORMATION, SetFileSecurityW,
    },
    Storage::FileSystem::{FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_SYSTEM, SetFileAttributesW},
};

fn wide(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().chain([0]).collect()
}

/// Gives a file or folder the permissions in `dacl` (SDDL).
pub(crate) fn set_dacl(path: &Path, dacl: &str) {
    let dacl: Vec<u16> = dacl.encode_utf16().chain([0]).collect();
    let mut descriptor = null_mut();
    // SAFETY: both texts end with a NUL; the descriptor goes to a live variable and stays valid: it is never freed.
    unsafe {
        let converted = ConvertStringSecurityDescriptorToSecurityDescriptorW(
            dacl.as_ptr(),
            SDDL_REVISION_1,
            &mut descriptor,
            null_mut(),
        );
        assert_ne!(converted, 0);
        assert_ne!(SetFileSecurityW(wide(path).as_ptr(), DACL_SECURITY_INFORMATION, descriptor), 0);
    }
}

/// Returns the owner and the DACL of a file as text.
fn security(path: &Path) -> String {
    let what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let mut descriptor = [0_u64; 512];
    let (room, mut needed, mut text, mut length) = (size_of_val(&descriptor) as u32, 0, null_mut(), 0);
    // SAFETY: `room` says how much the buffer holds; the results go to live variables; the text has `length` units.
    unsafe {
        let read = GetFileSecurityW(wide(path).as_ptr(), what, descriptor.as_mut_ptr().cast(), room, &mut needed);
        assert_ne!(read, 0);
        let converted = ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor.as_mut_ptr().cast(),
            SDDL_REVISION_1,
            what,
            &mut text,
            &mut length,
        );
        assert_ne!(converted, 0);
        String::from_utf16_lossy(slice::from_raw_parts(text, length as usize))
    }
}

#[test]
fn permissions_and_owner_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("NTUSER.DAT");
    replace_file(&path, b"one").unwrap();
    let of_the_folder = security(&path);
    for dacl in ["D:P(A;;FA;;;BA)(A;;FA;;;SY)(A;;FA;;;WD)", "D:P(A;;FA;;;BA)(A;;FA;;;SY)"] {
        set_dacl(&path, dacl);
        let before = security(&path);
        replace_file(&path, dacl.as_bytes()).unwrap();
        assert_eq!(security(&path), before, "{dacl}");
        assert_eq!(fs::read(&path).unwrap(), dacl.as_bytes());
        let new = folder.path().join("new");
        replace_file(&new, b"x").unwrap();
        assert_eq!(security(&new), of_the_folder);
    }
}

#[test]
fn a_hidden_file_stays_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("NTUSER.DAT");
    replace_file(&path, b"one").unwrap();
    let kept = FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM;
    // SAFETY: the path ends with a NUL.
    assert_ne!(unsafe { SetFileAttributesW(wide(&path).as_ptr(), kept) }, 0);
    // On a disk without extended attributes, the attributes are not compared.
    let before = fs::metadata(&path).unwrap().file_attributes();
    replace_file(&path, b"two").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().file_attributes(), before);
    assert_eq!(fs::read(&path).unwrap(), b"two");
}

#[test]
fn a_file_that_somebody_holds_open_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("NTUSER.DAT");
    replace_file(&path, b"one").unwrap();
    let held = fs::OpenOptions::new().read(true).share_mode(0).open(&path).unwrap();
    replace_file(&path, b"two").unwrap_err();
    drop(held);
    assert_eq!(fs::read(&path).unwrap(), b"one");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
